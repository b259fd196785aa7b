using System.IO.Compression;
using System.Net;
using System.Net.Http.Headers;

namespace Gateway.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class EngineQueryTests(EngineFixture engine) : IDisposable
{
    private readonly HttpClient _client = EngineFixture.NewClient(engine.Endpoint);

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("ping")]
    [InlineData("")]
    public async Task It_says_that_it_is_there(string path) =>
        Assert.Equal("Ok.\n", await _client.GetStringAsync(new Uri(path, UriKind.Relative)));

    [Fact]
    public async Task A_ping_needs_no_password()
    {
        using var stranger = new HttpClient { BaseAddress = engine.Url };

        Assert.Equal("Ok.\n", await stranger.GetStringAsync(new Uri("ping", UriKind.Relative)));
    }

    [Fact]
    public async Task A_query_needs_a_password()
    {
        using var stranger = new HttpClient { BaseAddress = engine.Url };
        using var answer = await stranger.AskAsync("SELECT 1");

        await answer.IsErrorAsync(HttpStatusCode.Unauthorized, 194);
        Assert.Equal("Basic", answer.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Theory]
    [InlineData("gateway", "")]
    [InlineData("gateway", "wrong")]
    [InlineData("default", "")]
    [InlineData("", "")]
    public async Task A_wrong_password_is_refused(string user, string password)
    {
        using var stranger = new HttpClient { BaseAddress = engine.Url };
        using var answer = await stranger.AskAsync("SELECT 1", $"user={user}&password={password}");

        await answer.IsErrorAsync(HttpStatusCode.Forbidden, 516);
    }

    [Fact]
    public async Task Another_users_name_is_refused_with_the_right_password()
    {
        using var stranger = new HttpClient { BaseAddress = engine.Url };
        using var answer = await stranger.AskAsync("SELECT 1", $"user=default&password={engine.Password}");

        await answer.IsErrorAsync(HttpStatusCode.Forbidden, 516);
    }

    [Fact]
    public async Task The_password_may_come_in_headers_or_arguments()
    {
        using var stranger = new HttpClient { BaseAddress = engine.Url };
        Assert.Equal("1", await stranger.QueryAsync("SELECT 1", $"user={engine.User}&password={engine.Password}"));

        stranger.DefaultRequestHeaders.Add("X-ClickHouse-User", engine.User);
        stranger.DefaultRequestHeaders.Add("X-ClickHouse-Key", engine.Password);
        Assert.Equal("2", await stranger.QueryAsync("SELECT 2"));
    }

    [Theory]
    [InlineData("SELECT 1 AS x, 'b' AS y", "", "1\tb", "text/tab-separated-values")]
    [InlineData("SELECT 1 AS x, 'b' AS y", "default_format=CSV", "1,\"b\"", "text/csv")]
    [InlineData("SELECT 1 AS x FORMAT JSONEachRow", "default_format=CSV", "{\"x\":1}", "application/x-ndjson")]
    [InlineData("SELECT 1 AS x FORMAT JSONEachRow;", "", "{\"x\":1}", "application/x-ndjson")]
    [InlineData("SELECT 1 AS x FORMAT JSONEachRow SETTINGS max_threads = 1", "", "{\"x\":1}", "application/x-ndjson")]
    [InlineData("SELECT 1 AS format FORMAT TSVWithNames", "", "format\n1", "text/tab-separated-values")]
    [InlineData("/* INSERT */ -- SELECT 2 FORMAT CSV\n (SELECT 1)", "", "1", "text/tab-separated-values")]
    [InlineData("WITH 'INSERT FORMAT CSV' AS x SELECT x", "", "INSERT FORMAT CSV", "text/tab-separated-values")]
    [InlineData("SHOW TABLES LIKE 'none'", "", "", "text/tab-separated-values")]
    [InlineData("EXISTS TABLE none FORMAT CSV", "", "0", "text/csv")]
    [InlineData("SELECT 1", "wait_end_of_query=1", "1", "text/tab-separated-values")]
    [InlineData("SELECT 1 WHERE 0", "", "", "text/tab-separated-values")]
    public async Task A_result_comes_in_the_format_asked_for(string sql, string arguments, string wanted, string type)
    {
        using var answer = await _client.AskAsync(sql, arguments);

        Assert.Equal(wanted, (await answer.Content.ReadAsStringAsync()).TrimEnd('\n'));
        Assert.Equal(type, answer.Content.Headers.ContentType!.MediaType);
    }

    [Fact]
    public async Task The_headers_name_the_query_its_format_and_what_it_did()
    {
        using var answer = await _client.AskAsync("SELECT 1 FORMAT JSONEachRow", "query_id=my%20%27query");

        Assert.Equal(["my 'query"], answer.Headers.GetValues("X-ClickHouse-Query-Id"));
        Assert.Equal(["JSONEachRow"], answer.Headers.GetValues("X-ClickHouse-Format"));
        Assert.Contains("\"read_rows\":\"1\"", answer.Headers.GetValues("X-ClickHouse-Summary").Single());
    }

    [Theory]
    [InlineData("String", "it's \\'; DROP", "it\\'s \\'; DROP")]
    [InlineData("String", "a\\tb\\\\c", "a\\tb\\\\c")]
    [InlineData("UInt64", "18446744073709551615", "18446744073709551615")]
    [InlineData("Array(String)", "['x','y z']", "['x','y z']")]
    [InlineData("Nullable(String)", "\\N", "\\N")]
    public async Task A_parameter_is_a_value_and_never_a_part_of_the_statement(string type, string value, string wanted)
    {
        string arguments = $"param_p={Uri.EscapeDataString(value)}";

        Assert.Equal(wanted, await _client.QueryAsync($"SELECT {{p:{type}}}", arguments));
    }

    [Fact]
    public async Task Parameters_may_come_in_a_form()
    {
        using var form = new MultipartFormDataContent
        {
            { new StringContent("SELECT {a:String}, {n:UInt8} + 1"), "query" },
            { new StringContent(new string('x', 20_000)), "param_a" },
        };
        using var answer = await _client.PostAsync(new Uri("?param_n=4", UriKind.Relative), form);

        Assert.Equal($"{new string('x', 20_000)}\t5\n", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Settings_hold_for_their_own_query_only()
    {
        const string Sql = "SELECT getSetting('max_block_size'), getSetting('format_csv_null_representation')";
        string before = await _client.QueryAsync(Sql);

        Assert.Equal(
            "7\tit\\'s",
            await _client.QueryAsync(Sql, "max_block_size=7&format_csv_null_representation=it%27s"));
        Assert.Equal(before, await _client.QueryAsync(Sql));
    }

    [Theory]
    [InlineData("SELEC 1", "", HttpStatusCode.BadRequest, 62)]
    [InlineData("SELECT 1; SELECT 2", "", HttpStatusCode.BadRequest, 62)]
    [InlineData("SELECT * FROM missing", "", HttpStatusCode.NotFound, 60)]
    [InlineData("SELECT missing", "", HttpStatusCode.NotFound, 47)]
    [InlineData("SELECT missing()", "", HttpStatusCode.NotFound, 46)]
    [InlineData("SELECT 1 FORMAT Missing", "", HttpStatusCode.NotFound, 73)]
    [InlineData("SELECT 1", "database=missing", HttpStatusCode.NotFound, 81)]
    [InlineData("SELECT 1", "missing=1", HttpStatusCode.NotFound, 115)]
    [InlineData("SELECT 1", "max_threads%3D1,readonly=1", HttpStatusCode.NotFound, 115)]
    [InlineData("SELECT 1", "max_threads=many", HttpStatusCode.BadRequest, 27)]
    [InlineData("SELECT {x:UInt8}", "", HttpStatusCode.InternalServerError, 456)]
    [InlineData("SELECT throwIf(1)", "", HttpStatusCode.InternalServerError, 395)]
    [InlineData("SELECT sleepEachRow(1) FROM numbers(3)", "max_execution_time=1", HttpStatusCode.RequestTimeout, 159)]
    [InlineData("SELECT 1", "session_id=x", HttpStatusCode.NotImplemented, 48)]
    [InlineData("SELECT 1 INTO OUTFILE '/tmp/file'", "", HttpStatusCode.InternalServerError, 358)]
    [InlineData("INSERT INTO missing VALUES (1)", "", HttpStatusCode.NotFound, 60)]
    public async Task An_error_has_its_number_its_status_and_its_text(
        string sql, string arguments, HttpStatusCode status, int code)
    {
        using var answer = await _client.AskAsync(sql, arguments);
        string text = await answer.IsErrorAsync(status, code);

        Assert.EndsWith(") (version 26.7.2.1)\n", text, StringComparison.Ordinal);
        Assert.Equal(text.IndexOf("Code: ", StringComparison.Ordinal), text.LastIndexOf("Code: ", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_query_over_the_memory_limit_fails_alone()
    {
        using var answer = await _client.AskAsync("SELECT groupArray(number) FROM numbers(1000000000)");

        await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 241);
        Assert.Equal("1", await _client.QueryAsync("SELECT 1"));
    }

    [Fact]
    public async Task An_error_after_the_first_rows_stands_in_the_body_and_breaks_it_off()
    {
        const string Sql = "SELECT throwIf(number = 5000) FROM numbers(10000) SETTINGS max_block_size = 1000";
        using var request = new HttpRequestMessage(HttpMethod.Post, "") { Content = new StringContent(Sql) };
        using var answer = await _client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead);
        string tag = answer.Headers.GetValues("X-ClickHouse-Exception-Tag").Single();
        await using var body = await answer.Content.ReadAsStreamAsync();
        using var read = new MemoryStream();

        await Assert.ThrowsAnyAsync<IOException>(() => body.CopyToAsync(read, 1));

        string text = System.Text.Encoding.UTF8.GetString(read.ToArray());
        Assert.StartsWith("0\n0\n", text, StringComparison.Ordinal);
        Assert.Contains($"\r\n__exception__\r\n{tag}\r\nCode: 395. DB::Exception: ", text, StringComparison.Ordinal);
        Assert.EndsWith($" {tag}\r\n__exception__\r\n", text, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("CREATE TABLE made_by_a_reader (a Int8) ENGINE = Memory")]
    [InlineData("DROP DATABASE default")]
    public async Task A_get_may_not_write(string sql)
    {
        using var answer = await _client.GetAsync(new Uri($"?query={Uri.EscapeDataString(sql)}", UriKind.Relative));

        await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 164);
    }

    [Fact]
    public async Task A_get_may_have_settings() =>
        Assert.Equal("3\n", await _client.GetStringAsync(
            new Uri("?query=SELECT+getSetting('max_threads')+SETTINGS+max_threads=3", UriKind.Relative)));

    [Theory]
    [InlineData("readonly=1")]
    [InlineData("readonly=2")]
    public async Task A_reader_may_not_write(string arguments)
    {
        string table = await _client.NewTableAsync();
        using var answer = await _client.AskAsync($"INSERT INTO {table} VALUES (1, 'x')", arguments);

        await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 164);
        Assert.Equal("0", await _client.QueryAsync($"SELECT count() FROM {table}"));
    }

    [Theory]
    [InlineData("SELECT 1 SETTINGS readonly = 0")]
    [InlineData("SET readonly = 0")]
    public async Task A_reader_stays_one(string sql)
    {
        using var answer = await _client.AskAsync(sql, "readonly=1");

        await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 164);
    }

    [Fact]
    public async Task A_result_is_compressed_for_who_asks_for_it()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "?enable_http_compression=1")
        {
            Content = new StringContent("SELECT number FROM numbers(100000)"),
        };
        request.Headers.AcceptEncoding.Add(new StringWithQualityHeaderValue("gzip"));
        using var answer = await _client.SendAsync(request);
        await using var gzip = new GZipStream(await answer.Content.ReadAsStreamAsync(), CompressionMode.Decompress);
        using var text = new StreamReader(gzip);

        Assert.Equal(["gzip"], answer.Content.Headers.ContentEncoding);
        Assert.Equal(100_000, (await text.ReadToEndAsync()).Count(letter => letter == '\n'));
    }

    [Fact]
    public async Task Nothing_is_compressed_for_who_does_not_ask()
    {
        using var answer = await _client.AskAsync("SELECT 1", "enable_http_compression=1");

        Assert.Empty(answer.Content.Headers.ContentEncoding);
    }
}
