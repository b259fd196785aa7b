using System.Buffers;
using System.Globalization;
using System.Net;
using Gateway.Core.ClickHouse;

namespace Gateway.Tests.ClickHouse;

/// <summary>What our side of ClickHouse's HTTP interface does, whichever ClickHouse is at the other end.</summary>
public abstract class TransportContract(ClickHouseOptions target) : IDisposable
{
    private static readonly CancellationToken None = CancellationToken.None;

    private readonly string _table = "transport_" + Guid.NewGuid().ToString("N");

    protected ClickHouseClient Client { get; } = new(target);

    public void Dispose()
    {
        Client.Dispose();
        GC.SuppressFinalize(this);
    }

    [Fact]
    public async Task A_ping_is_answered() => await Client.PingAsync(None);

    [Fact]
    public async Task A_result_comes_in_the_format_asked_for()
    {
        string rows = await Client.QueryTextAsync(
            "SELECT number AS n, 'ü\n\"' AS s FROM system.numbers LIMIT 2", format: "JSONEachRow");

        Assert.Equal("""
            {"n":"0","s":"ü\n\""}
            {"n":"1","s":"ü\n\""}

            """.ReplaceLineEndings("\n"), rows.Replace("\"n\":0", "\"n\":\"0\"").Replace("\"n\":1", "\"n\":\"1\""));
    }

    [Fact]
    public async Task A_result_of_many_megabytes_streams()
    {
        await using var response = await Client.QueryAsync(
            "SELECT number FROM system.numbers LIMIT 3000000", null, null, "RowBinary", null, None);

        long length = 0;
        byte[] buffer = new byte[100_000];
        for (int read; (read = await response.Content.ReadAsync(buffer)) > 0;) length += read;
        Assert.Equal(24_000_000, length);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Rows_of_JSON_are_stored(bool zipped)
    {
        await CreateTableAsync();
        await InsertAsync("JSONEachRow", """{"n":1,"s":"one"}{"n":2,"s":"two\tü"}"""u8.ToArray(), zipped);

        Assert.Equal("1\tone\n2\ttwo\\tü\n", await AllRowsAsync());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_Native_block_is_stored(bool zipped)
    {
        await CreateTableAsync();
        var block = Block(100_000);

        await Client.InsertAsync($"INSERT INTO {_table} (n, s) FORMAT Native", block, compress: zipped);

        Assert.Equal("100000\t4999950000\t300000\n", await Client.QueryTextAsync(
            $"SELECT count(), sum(n), sum(length(s)) FROM {_table}"));
    }

    [Fact]
    public async Task A_Native_block_that_is_cut_stores_nothing()
    {
        await CreateTableAsync();
        var block = Block(1000);

        await Assert.ThrowsAsync<ClickHouseException>(() => Client.InsertAsync(
            $"INSERT INTO {_table} (n, s) FORMAT Native", block.Slice(0, block.Length - 1)));

        Assert.Equal("0\n", await Client.QueryTextAsync($"SELECT count() FROM {_table}"));
    }

    [Fact]
    public async Task An_error_has_its_code_and_its_text()
    {
        var syntax = await Assert.ThrowsAsync<ClickHouseException>(() => Client.ExecuteAsync("SELEC 1"));
        Assert.Equal(62, syntax.Code);
        Assert.Contains("Syntax error", syntax.Message, StringComparison.Ordinal);
        Assert.NotEqual(HttpStatusCode.OK, syntax.Status);

        var missing = await Assert.ThrowsAsync<ClickHouseException>(() => InsertAsync("JSONEachRow", "{}"u8.ToArray()));
        Assert.Equal(60, missing.Code);
    }

    [Fact]
    public async Task Rows_that_cannot_be_read_are_an_error_with_a_code()
    {
        await CreateTableAsync();

        var refused = await Assert.ThrowsAsync<ClickHouseException>(
            () => InsertAsync("JSONEachRow", """{"n":"not a number"}"""u8.ToArray()));

        Assert.NotEqual(0, refused.Code);
        Assert.NotNull(refused.Status);
    }

    [Fact]
    public async Task A_wrong_password_is_refused_and_never_told()
    {
        using var stranger = new ClickHouseClient(target with { Password = "a wrong one" });

        var refused = await Assert.ThrowsAsync<ClickHouseException>(() => stranger.ExecuteAsync("SELECT 1"));

        Assert.True(refused.Code is 193 or 516, refused.Message);
        Assert.DoesNotContain("a wrong one", refused.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_error_in_the_middle_of_a_result_is_found_with_its_code()
    {
        await using var response = await Client.QueryAsync(
            "SELECT number, throwIf(number = 2000000) FROM system.numbers LIMIT 4000000",
            null, null, "JSONEachRow", null, None);
        var error = await Assert.ThrowsAsync<ClickHouseException>(() => response.Content.CopyToAsync(Stream.Null));
        Assert.Equal(395, error.Code);
    }

    [Fact]
    public async Task A_statement_that_takes_too_long_is_given_up()
    {
        using var hasty = new ClickHouseClient(target) { StatementTimeout = TimeSpan.FromMilliseconds(200) };

        var late = await Assert.ThrowsAsync<ClickHouseException>(() => hasty.ExecuteAsync("SELECT sleep(2)"));

        Assert.Null(late.Status);
        Assert.Contains("0.2 s", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cancelling_is_the_callers_own_and_no_error_of_ClickHouse()
    {
        using var cancel = new CancellationTokenSource();
        var query = Client.ExecuteAsync("SELECT sleep(2)", cancellationToken: cancel.Token);
        await cancel.CancelAsync();

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => query);
    }

    [Fact]
    public async Task Settings_are_sent_and_unknown_ones_can_be_told_beforehand()
    {
        var known = await Client.KnownSettingsAsync(["max_block_size", "no_such_setting"], None);
        Assert.Equal(["max_block_size"], known);

        await using var response = await Client.QueryAsync(
            "SELECT value FROM system.settings WHERE name = 'max_block_size'",
            null, [new("max_block_size", "1234")], "TabSeparated", "a query of mine", None);
        using var reader = new StreamReader(response.Content);
        Assert.Equal("1234\n", await reader.ReadToEndAsync(None));
    }

    protected static ReadOnlySequence<byte> Block(int rows)
    {
        var block = new NativeBlock([("n", "UInt64"), ("s", "String")]);
        for (int row = 0; row < rows; row++)
        {
            block.Columns[0].WriteUInt64((ulong)row);
            block.Columns[1].WriteString("abc"u8);
        }

        return block.Finish(rows);
    }

    private Task CreateTableAsync() => Client.ExecuteAsync(string.Create(
        CultureInfo.InvariantCulture, $"CREATE TABLE {_table} (n UInt64, s String) ENGINE = MergeTree ORDER BY n"));

    private Task<long?> InsertAsync(string format, byte[] rows, bool zipped = false) => Client.InsertAsync(
        $"INSERT INTO {_table} (n, s) FORMAT {format}", new ReadOnlySequence<byte>(rows), compress: zipped);

    private Task<string> AllRowsAsync() => Client.QueryTextAsync($"SELECT n, s FROM {_table} ORDER BY n");
}
