using System.Net;
using System.Text;

namespace Gateway.Tests.Engine;

/// <summary>What the tests ask of an engine's HTTP interface, in few words.</summary>
internal static class EngineRequests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(30);

    /// <summary>Posts a statement and gives its result, which must be a success.</summary>
    public static async Task<string> QueryAsync(this HttpClient client, string sql, string arguments = "")
    {
        using var answer = await client.AskAsync(sql, arguments);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return text.TrimEnd('\n');
    }

    public static Task<HttpResponseMessage> AskAsync(this HttpClient client, string sql, string arguments = "") =>
        client.PostAsync(new Uri($"?{arguments}", UriKind.Relative), new StringContent(sql));

    /// <summary>Posts data to an INSERT that is in the argument <c>query</c>.</summary>
    public static Task<HttpResponseMessage> InsertAsync(
        this HttpClient client, string insert, HttpContent data, string arguments = "") =>
        client.PostAsync(new Uri($"?query={Uri.EscapeDataString(insert)}&{arguments}", UriKind.Relative), data);

    public static Task<HttpResponseMessage> InsertAsync(
        this HttpClient client, string insert, byte[] data, string arguments = "") =>
        client.InsertAsync(insert, new ByteArrayContent(data), arguments);

    public static Task<HttpResponseMessage> InsertAsync(
        this HttpClient client, string insert, string data, string arguments = "") =>
        client.InsertAsync(insert, Encoding.UTF8.GetBytes(data), arguments);

    /// <summary>The answer must be this error, in its header and its text.</summary>
    public static async Task<string> IsErrorAsync(this HttpResponseMessage answer, HttpStatusCode status, int code)
    {
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(status == answer.StatusCode, $"{answer.StatusCode}: {text}");
        Assert.Equal([$"{code}"], answer.Headers.GetValues("X-ClickHouse-Exception-Code"));
        Assert.StartsWith($"Code: {code}. DB::Exception: ", text, StringComparison.Ordinal);
        return text;
    }

    /// <summary>A new table of the test's own.</summary>
    public static async Task<string> NewTableAsync(this HttpClient client, string columns = "a Int64, b String")
    {
        string table = $"t_{Guid.NewGuid():N}";
        await client.QueryAsync($"CREATE TABLE {table} ({columns}) ENGINE = MergeTree ORDER BY tuple()");
        return table;
    }

    /// <summary>Asks again and again until the answer is the wanted one.</summary>
    public static async Task BecomesAsync(this HttpClient client, string wanted, string sql)
    {
        using var patience = new CancellationTokenSource(Patience);
        string answer = await client.QueryAsync(sql);
        while (answer != wanted)
        {
            Assert.False(patience.IsCancellationRequested, $"{sql} gave {answer}, not {wanted}.");
            await Task.Delay(20, CancellationToken.None);
            answer = await client.QueryAsync(sql);
        }
    }
}
