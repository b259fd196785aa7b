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

    private static readonly byte[] Known = Http("200 OK", QuerySettings.ExactSkipIndexes + "\n");

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
    [InlineData(62, "Syntax error: Max query size exceeded (can be increased with the `max_query_size` setting)", 400)]
    [InlineData(167, "AST is too deep. Maximum: 1000", 400)]
    [InlineData(168, "AST is too big. Maximum: 50000", 400)]
    public async Task A_failure_is_told_as_whose_fault_it_is(int code, string text, int expected)
    {
        string error = $"Code: {code}. DB::Exception: {text}";
        _ = AnswerAsync(
            Known,
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
    [InlineData("nothing that ClickHouse says")]
    [InlineData("Code: 159. DB::Exception: Timeout exceeded")]
    [InlineData("\r\n__exception__\r\nCode: 396. DB::Exception: Limit for result exceeded")]
    public async Task An_answer_that_breaks_off_never_passes_for_whole(string bytes)
    {
        // Without a tag in the header, anything in the body may be somebody's row: it is believed in nothing.
        _ = AnswerAsync(Known, Http("200 OK", bytes));
        using var response = await AskAsync();
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Theory]
    [InlineData("Code: 159. DB::Exception: Timeout exceeded", 400)]
    [InlineData("Code: 396. DB::Exception: Limit for result exceeded", 400)]
    [InlineData("Code: 241. DB::Exception: (total) memory limit exceeded", 503)]
    public async Task An_error_in_the_middle_of_an_answer_is_told_as_whose_fault_it_is(string error, int expected)
    {
        const string Tag = "abcdefghijklmnop";
        string body = $"\r\n__exception__\r\n{Tag}\r\n{error}\r\n{error.Length} {Tag}\r\n__exception__\r\n";
        _ = AnswerAsync(Known, Http("200 OK", body, $"X-ClickHouse-Exception-Tag: {Tag}\r\n"));
        using var response = await AskAsync();
        Assert.Equal(expected, (int)response.StatusCode);
    }

    [Fact]
    public async Task An_answer_that_is_no_rows_is_not_read_for_ever()
    {
        // Much is announced, then nothing comes.
        byte[] hanging = Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\nContent-Length: 1000000\r\n\r\nno rows");
        using var connection = AnswerAndHoldAsync(Known, hanging);
        using var response = await AskAsync().WaitAsync(TimeSpan.FromSeconds(30));
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
    }

    [Fact]
    public async Task A_server_that_was_replaced_by_an_older_one_is_asked_again_what_it_knows()
    {
        const string Unknown = "Code: 115. DB::Exception: Unknown setting use_skip_indexes_if_final_exact_mode";
        const string Header = "X-ClickHouse-Exception-Code: 115\r\n";
        var requests = AnswerAsync(
            Known, Http("500 Internal Server Error", Unknown, Header), Http("200 OK", ""), Http("200 OK", ""));
        using var response = await AskAsync();

        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var seen = await requests.WaitAsync(TimeSpan.FromSeconds(20));
        Assert.Contains(QuerySettings.ExactSkipIndexes + "=1", seen[1], StringComparison.Ordinal);
        Assert.DoesNotContain(QuerySettings.ExactSkipIndexes + "=1", seen[3], StringComparison.Ordinal);
        Assert.Contains("use_skip_indexes_if_final=0", seen[3], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_setting_that_is_unknown_all_the_same_is_asked_for_once_more_only()
    {
        byte[] unknown = Http("500 Error", "Code: 115. DB::Exception: no", "X-ClickHouse-Exception-Code: 115\r\n");
        var requests = AnswerAsync(Known, unknown, Known, unknown);
        using var response = await AskAsync();

        Assert.Equal(HttpStatusCode.InternalServerError, response.StatusCode);
        Assert.Equal(4, (await requests.WaitAsync(TimeSpan.FromSeconds(20))).Count);
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

    /// <summary>Answers request after request, on one connection or several; gives the requests.</summary>
    private async Task<List<string>> AnswerAsync(params byte[][] answers)
    {
        List<string> requests = [];
        TcpClient? connection = null;
        try
        {
            foreach (byte[] answer in answers)
            {
                // A connection whose answer was not read to its end is closed by the other side.
                string request = connection is null ? "" : await ReadRequestAsync(connection);
                if (request.Length == 0)
                {
                    connection?.Dispose();
                    connection = await _server.AcceptTcpClientAsync();
                    request = await ReadRequestAsync(connection);
                }

                requests.Add(request);
                await connection!.GetStream().WriteAsync(answer);
            }

            return requests;
        }
        finally
        {
            connection?.Dispose();
        }
    }

    /// <summary>Answers, and keeps the connection open until disposed of.</summary>
    private CancellationTokenSource AnswerAndHoldAsync(params byte[][] answers)
    {
        CancellationTokenSource hold = new();
        _ = Task.Run(async () =>
        {
            using var connection = await _server.AcceptTcpClientAsync();
            foreach (byte[] answer in answers)
            {
                await ReadRequestAsync(connection);
                await connection.GetStream().WriteAsync(answer);
            }

            await Task.Delay(Timeout.Infinite, hold.Token);
        });
        return hold;
    }

    private static async Task<string> ReadRequestAsync(TcpClient connection)
    {
        byte[] buffer = new byte[64 * 1024];
        int length = 0;
        while (true)
        {
            int read = await connection.GetStream().ReadAsync(buffer.AsMemory(length));
            if (read == 0) return "";

            length += read;
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
