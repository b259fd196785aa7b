using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Running;

namespace Gateway.Tests.Engine;

[Collection(EngineCollection.Name)]
public sealed class EngineInsertTests(EngineFixture engine) : IDisposable
{
    private readonly HttpClient _client = EngineFixture.NewClient(engine.Endpoint);

    public void Dispose() => _client.Dispose();

    [Theory]
    [InlineData("INSERT INTO {0} FORMAT JSONEachRow", "{\"a\":1,\"b\":\"x\"}")]
    [InlineData("INSERT INTO {0} FORMAT JSONEachRow\n", "{\"a\":1,\"b\":\"x\"}\n")]
    [InlineData("insert into {0} (b, a) format TSV", "x\t1\n")]
    [InlineData("INSERT INTO {0} SETTINGS async_insert = 0 FORMAT CSV", "1,x\n")]
    [InlineData("INSERT INTO default.{0} VALUES", "(1, 'x')")]
    [InlineData("INSERT INTO TABLE {0} (a, b) VALUES (1, 'x')", "")]
    [InlineData("INSERT INTO {0} SELECT 1, 'x'", "")]
    [InlineData("", "INSERT INTO {0} VALUES (1, 'x')")]
    [InlineData("", "INSERT INTO {0} (a, b) FORMAT TSV\n1\tx\n")]
    [InlineData("", "INSERT INTO {0} -- FORMAT CSV\n /* VALUES */ FORMAT TSV\r\n1\tx\n")]
    [InlineData("INSERT INTO {0}", "FORMAT CSV\n1,x\n")]
    [InlineData("INSERT INTO {0} (a, b)", "SELECT 1, 'x'")]
    [InlineData("", "INSERT INTO `{0}` (`a`, b) VALUES (toInt64('1'), lower('X'))")]
    public async Task Data_is_told_from_its_statement(string statement, string body)
    {
        string table = await _client.NewTableAsync();
        string insert = string.Format(null, statement, table);
        using var answer = await _client.InsertAsync(insert, body.Replace("{0}", table, StringComparison.Ordinal));

        Assert.Equal("", await answer.Content.ReadAsStringAsync());
        Assert.Equal("1\tx", await _client.QueryAsync($"SELECT * FROM {table}"));
    }

    [Fact]
    public async Task Columns_and_tables_may_be_called_what_the_statement_is_searched_for()
    {
        await _client.QueryAsync("CREATE TABLE values (format Int64, values String) ENGINE = MergeTree ORDER BY tuple()");
        using var answer = await _client.InsertAsync("INSERT INTO default.values (format, values) FORMAT CSV", "1,x\n");

        Assert.Equal("1\tx", await _client.QueryAsync("SELECT format, values FROM values"));
        await _client.QueryAsync("DROP TABLE values");
    }

    [Fact]
    public async Task What_was_written_is_told()
    {
        string table = await _client.NewTableAsync();
        using var answer = await _client.InsertAsync($"INSERT INTO {table} FORMAT CSV", "1,x\n2,y\n", "async_insert=0");

        Assert.Contains("\"written_rows\":\"2\"", answer.Headers.GetValues("X-ClickHouse-Summary").Single());
    }

    [Fact]
    public async Task Values_may_be_parameters()
    {
        string table = await _client.NewTableAsync();
        await _client.QueryAsync($"INSERT INTO {table} VALUES ({{a:Int64}}, {{b:String}})", "param_a=1&param_b=it%27s");

        Assert.Equal("1\tit\\'s", await _client.QueryAsync($"SELECT * FROM {table}"));
    }

    [Fact]
    public async Task Native_blocks_go_in_as_they_came_out()
    {
        string table = await _client.NewTableAsync("a UInt64, b LowCardinality(String), c Nullable(DateTime64(6))");
        byte[] block = await NativeAsync(50_000);
        using var answer = await _client.InsertAsync($"INSERT INTO {table} FORMAT Native", block, "async_insert=0");

        Assert.Equal("", await answer.Content.ReadAsStringAsync());
        Assert.Equal("50000\t1249975000", await _client.QueryAsync($"SELECT count(), sum(a) FROM {table}"));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(1000)]
    [InlineData(100_000)]
    [InlineData(-1)]
    public async Task A_native_block_cut_short_is_refused_whole(int length)
    {
        string table = await _client.NewTableAsync("a UInt64, b LowCardinality(String), c Nullable(DateTime64(6))");
        byte[] block = await NativeAsync(50_000);
        byte[] cut = block[..(length < 0 ? block.Length + length : length)];
        using var answer = await _client.InsertAsync($"INSERT INTO {table} FORMAT Native", cut, "async_insert=0");

        Assert.False(answer.IsSuccessStatusCode);
        Assert.Equal("0", await _client.QueryAsync($"SELECT count() FROM {table}"));
    }

    [Fact]
    public async Task A_large_insert_is_streamed()
    {
        string table = await _client.NewTableAsync();
        const int Rows = 3_000_000;
        using var rows = new StreamedRows(Rows);
        using var answer = await _client.InsertAsync($"INSERT INTO {table} FORMAT TSV", rows, "async_insert=0");

        Assert.Equal("", await answer.Content.ReadAsStringAsync());
        Assert.Equal($"{Rows}\t{(long)Rows * (Rows - 1) / 2}", await _client.QueryAsync($"SELECT count(), sum(a) FROM {table}"));
    }

    [Fact]
    public async Task Compressed_data_is_inflated()
    {
        string table = await _client.NewTableAsync();
        using var answer = await InsertGzipAsync(table, Gzipped.Of("1,x\n2,y\n"));

        Assert.Equal("", await answer.Content.ReadAsStringAsync());
        Assert.Equal("3", await _client.QueryAsync($"SELECT sum(a) FROM {table}"));
    }

    [Fact]
    public async Task Compressed_data_cut_short_anywhere_is_refused_whole()
    {
        string table = await _client.NewTableAsync();
        byte[] gzip = Gzipped.Of("1,x\n2,y\n");
        for (int length = 1; length < gzip.Length; length++)
        {
            using var answer = await InsertGzipAsync(table, gzip[..length]);
            await answer.IsErrorAsync(HttpStatusCode.InternalServerError, 354);
        }

        Assert.Equal("0", await _client.QueryAsync($"SELECT count() FROM {table}"));
    }

    [Fact]
    public async Task An_unknown_compression_is_refused()
    {
        string table = await _client.NewTableAsync();
        using var content = new ByteArrayContent("1,x\n"u8.ToArray());
        content.Headers.ContentEncoding.Add("br");
        using var answer = await _client.InsertAsync($"INSERT INTO {table} FORMAT CSV", content);

        await answer.IsErrorAsync(HttpStatusCode.UnsupportedMediaType, 779);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_client_that_goes_away_while_it_sends_stores_nothing(bool chunked)
    {
        string table = await _client.NewTableAsync();
        string target = Uri.EscapeDataString($"INSERT INTO {table} FORMAT CSV");
        // Enough for some of it to be handed on before the rest is missed.
        string rows = string.Concat(Enumerable.Repeat("1,x\n", 400_000));
        using (var socket = new TcpClient())
        {
            await socket.ConnectAsync(engine.Url.Host, engine.Url.Port);
            string length = chunked
                ? $"Transfer-Encoding: chunked\r\n\r\n{rows.Length:x}\r\n{rows}\r\n"
                : $"Content-Length: {rows.Length + 4}\r\n\r\n{rows}";
            string head = $"POST /?query={target}&async_insert=0&query_id={table} HTTP/1.1\r\nHost: engine\r\n"
                + $"X-ClickHouse-User: {engine.User}\r\nX-ClickHouse-Key: {engine.Password}\r\n";
            await socket.GetStream().WriteAsync(Encoding.ASCII.GetBytes(head + length));
            await _client.BecomesAsync("1", Running(table));
        }

        await _client.BecomesAsync("0", Running(table));
        Assert.Equal("0", await _client.QueryAsync($"SELECT count() FROM {table}"));
    }

    [Fact]
    public async Task A_row_that_cannot_be_read_is_an_error_and_nothing_is_stored()
    {
        string table = await _client.NewTableAsync();
        using var answer = await _client.InsertAsync(
            $"INSERT INTO {table} FORMAT JSONEachRow", "{\"a\":1}\n{\"a\":\"no number\"}\n", "async_insert=0");

        Assert.False(answer.IsSuccessStatusCode);
        Assert.Equal("0", await _client.QueryAsync($"SELECT count() FROM {table}"));
    }

    private static string Running(string queryId) =>
        $"SELECT count() FROM system.processes WHERE Settings['log_comment'] = '{queryId}'";

    private async Task<HttpResponseMessage> InsertGzipAsync(string table, byte[] gzip)
    {
        var content = new ByteArrayContent(gzip);
        content.Headers.ContentEncoding.Add("gzip");
        return await _client.InsertAsync($"INSERT INTO {table} FORMAT CSV", content, "async_insert=0");
    }

    private async Task<byte[]> NativeAsync(int rows)
    {
        using var answer = await _client.AskAsync(
            $"""
            SELECT number AS a, toLowCardinality(toString(number % 10)) AS b,
                if(number % 3 = 0, NULL, toDateTime64(number, 6)) AS c
            FROM numbers({rows}) FORMAT Native
            """);
        return await answer.Content.ReadAsByteArrayAsync();
    }

    /// <summary>Rows that are made while they are sent, so that no length is known before.</summary>
    private sealed class StreamedRows(int count) : HttpContent
    {
        protected override async Task SerializeToStreamAsync(Stream stream, TransportContext? context)
        {
            await using var writer = new StreamWriter(stream, leaveOpen: true) { NewLine = "\n" };
            for (int row = 0; row < count; row++) await writer.WriteLineAsync($"{row}\tb");
        }

        protected override bool TryComputeLength(out long length)
        {
            length = 0;
            return false;
        }
    }
}
