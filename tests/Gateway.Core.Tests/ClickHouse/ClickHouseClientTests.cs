using System.Buffers;
using System.IO.Compression;
using System.Text;
using Gateway.Core.ClickHouse;
using Gateway.Core.Query;
using Gateway.Core.Shipping;

namespace Gateway.Core.Tests.ClickHouse;

/// <summary>Whatever a peer answers, or does not, is a ClickHouseException, and soon.</summary>
public sealed class ClickHouseClientTests
{
    private const string Close = "Connection: close\r\n";

    private static readonly CancellationToken None = CancellationToken.None;

    [Fact]
    public async Task A_text_whose_head_came_and_then_nothing_is_given_up()
    {
        await using var server = new RawServer("Content-Length: 100\r\n", "1"u8.ToArray(), hangs: true);
        using var client = Client(server);

        var late = await Assert.ThrowsAsync<ClickHouseException>(
            () => client.QueryTextAsync("SELECT 1").WaitAsync(TimeSpan.FromSeconds(20)));

        Assert.Contains("0.3 s", late.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_result_that_stands_still_is_given_up()
    {
        await using var server = new RawServer("Content-Length: 100\r\n", "abc"u8.ToArray(), hangs: true);
        using var client = Client(server);
        await using var response = await client.QueryAsync("SELECT 1", null, null, "RowBinary", null, None);
        byte[] buffer = new byte[100];
        Assert.Equal(3, await response.Content.ReadAsync(buffer));

        await Assert.ThrowsAsync<ClickHouseException>(
            () => response.Content.ReadAsync(buffer).AsTask().WaitAsync(TimeSpan.FromSeconds(20)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("<html>Log in to the hotel's network</html>")]
    public async Task An_answer_that_is_no_ClickHouse_is_said_to_be_none(string page)
    {
        await using var server = new RawServer(Close, Encoding.UTF8.GetBytes(page));
        using var client = Client(server);

        await Assert.ThrowsAsync<ClickHouseException>(() => new EventsTable(client).EnsureAsync(None));
    }

    [Fact]
    public async Task A_page_in_answer_to_an_insert_stored_nothing()
    {
        await using var server = new RawServer(Close, "<html>Log in</html>"u8.ToArray());
        using var client = Client(server);

        await Assert.ThrowsAsync<ClickHouseException>(
            () => client.InsertAsync("INSERT INTO t FORMAT Native", ReadOnlySequence<byte>.Empty));
    }

    [Fact]
    public async Task A_damaged_gzip_answer_is_an_error_of_ClickHouse()
    {
        using var zipped = new MemoryStream();
        await using (var gzip = new GZipStream(zipped, CompressionLevel.Fastest, leaveOpen: true))
        {
            await gzip.WriteAsync("1\n"u8.ToArray());
        }

        byte[] bytes = zipped.ToArray();
        bytes.AsSpan(10).Fill(0xFF);
        await using var server = new RawServer(Close + "Content-Encoding: gzip\r\n", bytes);
        using var client = Client(server);

        await Assert.ThrowsAsync<ClickHouseException>(() => client.QueryTextAsync("SELECT 1"));
        await Assert.ThrowsAsync<ClickHouseException>(() => client.ExecuteAsync("SELECT 1"));
        await Assert.ThrowsAsync<ClickHouseException>(() => client.PingAsync(None));
    }

    [Fact]
    public async Task Stored_text_that_imitates_an_error_is_a_row_of_a_server_without_a_tag()
    {
        byte[] text = "a\r\n__exception__\r\nCode: 1. DB::Exception: x\nCode: 1. DB::Exception: y"u8.ToArray();
        await using var server = new RawServer(Close, [RowReader.Mark, (byte)text.Length, .. text]);
        using var client = Client(server);

        await using var response = await client.QueryAsync("SELECT 1, s", null, null, "RowBinary", null, None);
        using var rows = new RowReader(response.Content);
        string? read = null;
        while (await rows.FillAsync(None))
        {
            var row = rows.Begin();
            string value = row.NextText();
            if (rows.Complete(row)) read = value;
        }

        Assert.Equal(Encoding.UTF8.GetString(text), read);
    }

    private static ClickHouseClient Client(RawServer server) =>
        new(server.Target) { StatementTimeout = TimeSpan.FromSeconds(0.3) };
}
