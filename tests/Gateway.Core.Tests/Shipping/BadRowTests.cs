using System.Globalization;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Shipping;

/// <summary>Blocks and rows that are never taken, and how they are told from a server that takes nothing.</summary>
public sealed class BadRowTests
{
    private const int BadData = 117;
    private const int MemoryLimit = 241;
    private const int IllegalType = 43;
    private const int StdException = 1001;

    [Theory]
    [InlineData(MemoryLimit)]
    [InlineData(IllegalType)]
    [InlineData(StdException)]
    [InlineData(FakeClickHouse.Crash)]
    public async Task A_block_that_is_too_much_for_the_server_is_sent_in_pieces(int code)
    {
        await using var server = new FakeClickHouse { Answer = names => names.Length > 10 ? code : 0 };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, Events(100));

        shipping.Start();
        await shipping.ShippedAsync();

        string[] stored = [.. server.Blocks.SelectMany(names => names)];
        Assert.Equal(100, stored.Length);
        Assert.Equal(100, stored.Distinct().Count());
        Assert.Equal((100, 0), (shipping.Shipper!.Status.RowsShipped, shipping.Shipper.Status.RowsQuarantined));
        await ShippingHarness.UntilAsync(() => !shipping.Shipper.Status.IsStalled);
    }

    [Theory]
    [InlineData(StdException)]
    [InlineData(FakeClickHouse.Crash)]
    public async Task A_row_that_the_server_dies_of_is_put_aside_when_its_neighbours_are_taken(int code)
    {
        await using var server = new FakeClickHouse { Answer = names => names.Contains("7") ? code : 0 };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, Events(20));

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(19, server.Blocks.SelectMany(names => names).Distinct().Count());
        Assert.Equal(["7"], Names(shipping));
        Assert.Equal((19, 1), (shipping.Shipper!.Status.RowsShipped, shipping.Shipper.Status.RowsQuarantined));
    }

    [Theory]
    [InlineData(MemoryLimit)]
    [InlineData(FakeClickHouse.Crash)]
    public async Task Trouble_of_the_server_puts_no_row_aside_however_long_it_lasts(int code)
    {
        await using var server = new FakeClickHouse { Answer = _ => code };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, Events(5));

        shipping.Start();
        await ShippingHarness.UntilAsync(() => server.Refusals > 25);
        Assert.Equal(0, shipping.Ledger.Quarantine.Rows);
        Assert.True(shipping.Journal.Status.BytesWaiting > 0);

        server.Answer = _ => 0;
        await shipping.ShippedAsync();
        Assert.Equal(5, server.Blocks.SelectMany(names => names).Distinct().Count());
        Assert.Equal(0, shipping.Ledger.Quarantine.Rows);
    }

    [Theory]
    [InlineData(BadData, 1)]
    [InlineData(BadData, 30)]
    [InlineData(FakeClickHouse.Crash, 1)]
    public async Task Bad_rows_alone_are_put_aside_when_the_server_takes_a_row_of_ours(int code, int rows)
    {
        await using var server = new FakeClickHouse
        {
            Answer = names => names.Any(name => char.IsDigit(name[0])) ? code : 0,
        };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, Events(rows));

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(rows, shipping.Shipper!.Status.RowsQuarantined);
        Assert.Empty(server.Blocks);
        Assert.True(server.Canaries > 0);
        await ShippingHarness.UntilAsync(() => !shipping.Shipper.Status.IsStalled);
        Assert.Equal(rows, Names(shipping).Distinct().Count());
    }

    [Fact]
    public async Task A_server_that_refuses_our_own_row_is_still_believed_when_it_takes_others()
    {
        await using var server = new FakeClickHouse
        {
            Answer = names => names.Contains("7") || names.Contains("$gateway_canary") ? BadData : 0,
        };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, Events(20));

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal((19, 1), (shipping.Shipper!.Status.RowsShipped, shipping.Shipper.Status.RowsQuarantined));
    }

    [Theory]
    [InlineData(252)]
    [InlineData(516)]
    [InlineData(243)]
    public async Task Trouble_that_speaks_of_the_server_alone_never_cuts_a_block_and_more_events_go_along(int code)
    {
        await using var server = new FakeClickHouse { Answer = _ => code };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, Events(40));
        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.Retries > 3 * shipping.Options.TriesBeforeCut);

        await shipping.AppendAsync(1, new SampleRecord().Event("late"));
        long retries = shipping.Shipper!.Status.Retries;
        await ShippingHarness.UntilAsync(() => shipping.Shipper.Status.Retries > retries + 1);
        server.Answer = _ => 0;
        await shipping.ShippedAsync();

        Assert.Equal(41, Assert.Single(server.Blocks).Length);
        Assert.Equal(0, shipping.Ledger.Quarantine.Rows);
    }

    [Fact]
    public async Task A_store_that_is_away_at_start_is_waited_for_with_or_without_events()
    {
        await using var server = new FakeClickHouse { IsAway = true };
        await using var shipping = new ShippingHarness(server.Target);

        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.Retries > 8);
        Assert.True(shipping.Shipper!.Status.IsStalled);
        Assert.Single(shipping.Messages, message => message.Contains("stands still", StringComparison.Ordinal));

        server.IsAway = false;
        await ShippingHarness.UntilAsync(() => !shipping.Shipper.Status.IsStalled);
    }

    private static IEnumerable<string> Names(ShippingHarness shipping) =>
        shipping.Ledger.Quarantine.List(1, 0, 1000).Part
            .Select(entry => Encoding.UTF8.GetString(new EventRow(entry.Row.Bytes).Name));

    private static SampleRecord Events(int count)
    {
        var record = new SampleRecord();
        for (int i = 0; i < count; i++) record.Event(i.ToString(CultureInfo.InvariantCulture));
        return record;
    }
}
