using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Gateway.Core.ClickHouse;
using Gateway.Core.Query;
using Gateway.Query;


namespace Gateway.Tests.Query;

/// <summary>What a client is told when ClickHouse fails, played by a server that answers as each test says.</summary>
public sealed class QueryFailureTests : IDisposable
{
    private const string Body = """{"query":{"kind":"EventsQuery"}}""";

    private readonly TcpListener _server = new(IPAddress.Loopback, 0);

    public QueryFailureTests() => _server.Start();

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData(427, "cannot compile re2", 400)]
    [InlineData(159, "Timeout exceeded", 400)]
    [InlineData(158, "Limit for rows to read exceeded", 400)]
    [InlineData(241, "Query memory limit exceeded", 400)]
    [InlineData(241, "(total) memory limit exceeded", 503)]
    [InlineData(202, "Too many simultaneous queries", 503)]
    [InlineData(60, "Table events does not exist", 503)]
    [InlineData(62, "Syntax error", 500)]
    public async Task A_failure_is_told_as_whose_fault_it_is(int code, string text, int expected)
    {
        string error = $"Code: {code}. DB::Exception: {text}";
        _ = AnswerAsync(
            Http("200 OK", QuerySettings.ExactSkipIndexes + "\n"),
            Http("500 Internal Server Error", error, $"X-ClickHouse-Exception-Code: {code}\r\n"));

        using var response = await AskAsync();
        string body = await response.Content.ReadAsStringAsync();
        Assert.Equal(expected, (int)response.StatusCode);
        Assert.Equal(expected == 503, response.Headers.RetryAfter is not null);
        Assert.DoesNotContain("DB::Exception", body, StringComparison.Ordinal);
        Assert.Equal(JsonValueKind.String, JsonSerializer.Deserialize<JsonElement>(body).GetProperty("detail").ValueKind);
    }

    [Fact]
    public async Task A_store_that_is_away_is_503_with_retry_after()
    {
        _server.Stop();
        using var response = await AskAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.NotNull(response.Headers.RetryAfter);
    }

    [Theory]
    [InlineData("\u0001half of a row")]
    [InlineData("Code: 241. DB::Exception: in the middle")]
    public async Task An_answer_that_breaks_off_never_passes_for_whole(string bytes)
    {
        _ = AnswerAsync(Http("200 OK", QuerySettings.ExactSkipIndexes + "\n"), Http("200 OK", bytes));
        using var response = await AskAsync();
        Assert.NotEqual(HttpStatusCode.OK, response.StatusCode);
    }

    [Fact]
    public async Task When_the_client_goes_away_so_does_its_query()
    {
        TaskCompletionSource asked = new();
        var gone = Task.Run(async () =>
        {
            using var connection = await _server.AcceptTcpClientAsync();
            await ReadRequestAsync(connection);
            await connection.GetStream().WriteAsync(Http("200 OK", QuerySettings.ExactSkipIndexes + "\n"));
            string request = await ReadRequestAsync(connection);
            asked.SetResult();

            // The query hangs; its connection must be closed by the other side, reading 0.
            int read = await connection.GetStream().ReadAsync(new byte[1]);
            return (request, read);
        });

        using CancellationTokenSource client = new();
        var answer = AskAsync(cancellationToken: client.Token);
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(20));
        await client.CancelAsync();

        var (seen, end) = await gone.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Equal(0, end);
        Assert.Contains("query_id=gateway-", seen, StringComparison.Ordinal);
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => answer);
    }

    [Fact]
    public async Task A_body_over_the_limit_is_refused()
    {
        using var response = await AskAsync(body: new string(' ', QueryLimits.MaxBodyBytes + 1));
        Assert.Equal(HttpStatusCode.BadRequest, response.StatusCode);
    }

    private async Task<HttpResponseMessage> AskAsync(string body = Body, CancellationToken cancellationToken = default)
    {
        string url = $"http://default:x@127.0.0.1:{((IPEndPoint)_server.LocalEndpoint).Port}/default";
        using ClickHouseClient clickHouse = new(ClickHouseOptions.Parse(url));
        await using var app = await QueryFixture.StartAsync(
            clickHouse, (_, _, _) => new(new QueryAccess(new AuthorizedProject(7, "UTC"), null)));
        using HttpClient http = new();
        return await http.PostAsync(
            new Uri($"{app.Urls.First()}/api/projects/7/query"), new StringContent(body), cancellationToken);
    }

    /// <summary>Answers request after request on one connection.</summary>
    private async Task AnswerAsync(params byte[][] answers)
    {
        using var connection = await _server.AcceptTcpClientAsync();
        foreach (byte[] answer in answers)
        {
            await ReadRequestAsync(connection);
            await connection.GetStream().WriteAsync(answer);
        }
    }

    private static async Task<string> ReadRequestAsync(TcpClient connection)
    {
        byte[] buffer = new byte[64 * 1024];
        int length = 0;
        while (true)
        {
            length += await connection.GetStream().ReadAsync(buffer.AsMemory(length));
            string text = Encoding.ASCII.GetString(buffer, 0, length);
            int head = text.IndexOf("\r\n\r\n", StringComparison.Ordinal);
            if (head < 0) continue;

            string lengthHeader = text.Split("\r\n").First(
                line => line.StartsWith("Content-Length:", StringComparison.OrdinalIgnoreCase));
            if (length >= head + 4 + int.Parse(lengthHeader["Content-Length:".Length..])) return text;
        }
    }

    private static byte[] Http(string status, string body, string headers = "") => Encoding.ASCII.GetBytes(
        $"HTTP/1.1 {status}\r\n{headers}Content-Length: {body.Length}\r\n\r\n{body}");
}
