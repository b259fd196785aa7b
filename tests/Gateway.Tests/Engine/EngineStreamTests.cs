using System.Net;

namespace Gateway.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class EngineStreamTests(EngineFixture engine) : IDisposable
{
    private const string Endless = "SELECT count() FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";
    private const string EndlessRows = "SELECT number FROM numbers(1000000000000) WHERE NOT ignore(sipHash64(number))";

    private readonly HttpClient _client = EngineFixture.NewClient(engine.Endpoint);

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task A_large_result_arrives_whole_and_begins_before_it_ends()
    {
        const long Rows = 20_000_000;
        using var request = new HttpRequestMessage(HttpMethod.Post, "")
        {
            Content = new StringContent($"SELECT number FROM numbers({Rows}) FORMAT RowBinary"),
        };
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        await using var body = await answer.Content.ReadAsStreamAsync();
        byte[] buffer = new byte[1 << 20];
        long length = 0;
        int count;
        while ((count = await body.ReadAsync(buffer)) > 0) length += count;

        Assert.Equal(Rows * sizeof(ulong), length);
    }

    [Theory]
    [InlineData(Endless, "")]
    [InlineData(Endless, "wait_end_of_query=1")]
    [InlineData(EndlessRows, "")]
    [InlineData(EndlessRows, "enable_http_compression=1")]
    public async Task A_select_ends_in_clickhouse_when_its_client_goes_away(string sql, string arguments)
    {
        string id = Guid.NewGuid().ToString();
        string running = $"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{id}'";
        using (var leaving = new CancellationTokenSource())
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, $"?query_id={id}&{arguments}")
            {
                Content = new StringContent(sql),
            };
            request.Headers.AcceptEncoding.ParseAdd("gzip");
            var asking = _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, leaving.Token);
            await _client.BecomesAsync("1", running);

            await leaving.CancelAsync();
            await DropAsync(asking);
        }

        await _client.BecomesAsync("0", running);
    }

    [Fact]
    public async Task Queries_run_side_by_side()
    {
        string table = await _client.NewTableAsync();
        await Parallel.ForAsync(0, 200, new ParallelOptions { MaxDegreeOfParallelism = 40 }, async (i, _) =>
        {
            await _client.QueryAsync($"INSERT INTO {table} VALUES ({i}, 'x')", "async_insert=0");
            Assert.Equal($"{i}\t{i % 7 + 1}", await _client.QueryAsync(
                $"SELECT {i}, getSetting('max_threads')", $"max_threads={i % 7 + 1}"));
        });

        Assert.Equal("200\t19900", await _client.QueryAsync($"SELECT count(), sum(a) FROM {table}"));
    }

    [Fact]
    public async Task Queries_wait_their_turn_and_a_ping_does_not()
    {
        using var leaving = new CancellationTokenSource();
        var endless = Enumerable.Range(0, 20).Select(async _ =>
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "")
            {
                Content = new StringContent("SELECT sleepEachRow(1) FROM numbers(100) SETTINGS max_block_size = 1, "
                    + "function_sleep_max_microseconds_per_block = 0"),
            };
            using var answer = await _client.SendAsync(request, leaving.Token);
        }).ToArray();
        var waiting = _client.QueryAsync("SELECT 1");

        Assert.Equal("Ok.\n", await _client.GetStringAsync(new Uri("ping", UriKind.Relative)));
        Assert.False(waiting.IsCompleted);

        await leaving.CancelAsync();
        foreach (var query in endless) await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
        Assert.Equal("1", await waiting);
    }

    [Fact]
    public async Task Two_queries_may_not_have_one_name_at_once()
    {
        string id = Guid.NewGuid().ToString();
        using var leaving = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Post, $"?query_id={id}")
        {
            Content = new StringContent(Endless),
        };
        var asking = _client.SendAsync(request, leaving.Token);
        await _client.BecomesAsync("1", $"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{id}'");
        using var answer = await _client.AskAsync("SELECT 1", $"query_id={id}");

        await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 216);
        await leaving.CancelAsync();
        await DropAsync(asking);
    }

    /// <summary>Goes away, whether the answer had begun or not.</summary>
    private static async Task DropAsync(Task<HttpResponseMessage> asking)
    {
        try
        {
            using var answer = await asking;
        }
        catch (OperationCanceledException)
        {
            // It had not begun.
        }
    }
}
