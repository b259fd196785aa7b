using System.Globalization;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Shipping;

public sealed class ShipperTests
{
    private const int BadData = 117;

    [Fact]
    public async Task Events_are_shipped_by_project_and_then_forgotten()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(2, new SampleRecord().Event("b").Refused().Event("c"));
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(["a", "b", "c"], Assert.Single(server.Blocks));
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.BlocksShipped == 1);
        var status = shipping.Shipper!.Status;
        Assert.Equal((3, 1, 0), (status.RowsShipped, status.RefusedRowsSeen, status.Retries));
        Assert.Equal(TimeSpan.Zero, shipping.Shipper.Lag);
    }

    [Fact]
    public async Task A_range_without_an_event_is_forgotten_without_an_insert()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Refused());

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Empty(server.Blocks);
    }

    [Fact]
    public async Task Trouble_is_waited_out_and_nothing_is_forgotten_before()
    {
        await using var server = new FakeClickHouse();
        int[] troubles = [0, 241, 252, 243, 242, 516, 999, 60, 202, 1000];
        int tries = 0;
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { TriesBeforeCut = 100 };
        server.Answer = _ =>
        {
            Assert.True(shipping.Journal.Status.BytesWaiting > 0);
            return ++tries < troubles.Length ? troubles[tries] : 0;
        };
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("b"));

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(["a", "b"], Assert.Single(server.Blocks));
        Assert.Equal((9, 0), (shipping.Shipper!.Status.Retries, shipping.Shipper.Status.RowsQuarantined));
        Assert.False(shipping.Shipper.Status.IsStalled);
        Assert.Contains(shipping.Messages, message => message.Contains("Code: 241", StringComparison.Ordinal));
        Assert.Contains("Events are shipped again, after 9 failed tries.", shipping.Messages);
    }

    [Fact]
    public async Task Lasting_trouble_is_logged_once()
    {
        await using var server = new FakeClickHouse { Answer = _ => 241 };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));

        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.Retries > 5);

        Assert.Single(shipping.Messages, message => message.Contains("stands still", StringComparison.Ordinal));
        Assert.True(shipping.Shipper!.Status.IsStalled);
        Assert.True(shipping.Shipper.Lag > TimeSpan.Zero);
    }

    [Fact]
    public async Task A_stopped_shipper_goes_on_where_it_was()
    {
        await using var server = new FakeClickHouse { Answer = names => names.Contains("b") ? 241 : 0 };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.AppendAsync(1, new SampleRecord().Event("b"));
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.IsStalled);

        server.Answer = _ => 0;
        await shipping.RestartAsync();
        await shipping.ShippedAsync();

        Assert.Equal([["a"], ["b"]], server.Blocks);
    }

    [Fact]
    public async Task Bad_rows_are_found_and_put_aside_and_the_others_are_stored()
    {
        await using var server = new FakeClickHouse { Answer = RefuseBad };
        await using var shipping = new ShippingHarness(server.Target);
        for (int i = 0; i < 100; i++)
        {
            string name = i % 40 == 7 ? $"bad {i}" : $"good {i}";
            await shipping.AppendAsync(
                (ulong)(i % 3), new SampleRecord().Refused().Event(name, properties: "{\"a\":1}"));
        }

        shipping.Start();
        await shipping.ShippedAsync();

        string[] stored = [.. server.Blocks.SelectMany(names => names)];
        Assert.Equal(97, stored.Length);
        Assert.Equal(97, stored.Distinct().Count());
        var aside = Enumerable.Range(0, 3)
            .SelectMany(project => shipping.Ledger.Quarantine.List((ulong)project, 0, 1000).Part).ToList();
        var bad = aside.Where(entry => entry.Row.IsEvent).ToList();
        Assert.Equal(
            ["bad 47", "bad 7", "bad 87"],
            bad.Select(entry => Encoding.UTF8.GetString(new EventRow(entry.Row.Bytes).Name)).Order());
        Assert.All(bad, entry => Assert.Equal(($"clickhouse_{BadData}", 1u), (entry.Code, entry.Row.Row)));
        Assert.Equal(100, aside.Count(entry => entry.Code == "missing_event_name"));
        await shipping.ForgottenAsync();
        Assert.Equal((97, 0), (shipping.Shipper!.Status.RowsChecked - 3, shipping.Shipper.Status.RowsLost));
        Assert.Equal((97, 3), (shipping.Shipper!.Status.RowsShipped, shipping.Shipper.Status.RowsQuarantined));
    }

    [Fact]
    public async Task A_server_that_refuses_every_row_is_not_believed()
    {
        await using var server = new FakeClickHouse { Answer = _ => BadData };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("b").Event("c"));

        shipping.Start();
        await ShippingHarness.UntilAsync(() => server.Refusals > 20);
        Assert.True(shipping.Journal.Status.BytesWaiting > 0);
        Assert.Equal(0, shipping.Ledger.Quarantine.Rows);

        server.Answer = _ => 0;
        await shipping.ShippedAsync();
        Assert.Equal(["a", "b", "c"], server.Blocks.SelectMany(names => names).Distinct().Order());
    }

    [Fact]
    public async Task A_row_that_is_refused_only_once_is_no_bad_row()
    {
        await using var server = new FakeClickHouse();
        int refusals = 0;
        server.Answer = names => names.Contains("b") && refusals++ < 3 ? BadData : 0;
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("b").Event("c").Event("d"));

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(["a", "b", "c", "d"], server.Blocks.SelectMany(names => names).Order());
        Assert.Equal(0, shipping.Shipper!.Status.RowsQuarantined);
    }

    [Fact]
    public async Task The_first_event_goes_at_once_and_a_crowd_gathers()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { Pace = TimeSpan.FromMilliseconds(500) };
        shipping.Start();

        await shipping.AppendAsync(1, new SampleRecord().Event("first"));
        await shipping.ShippedAsync();
        for (int i = 0; i < 50; i++) await shipping.AppendAsync(1, new SampleRecord().Event($"{i}"));
        await shipping.ShippedAsync();

        // A machine that is slow to append may need more than one pace for them.
        Assert.Equal(["first"], server.Blocks[0]);
        Assert.InRange(server.Blocks.Count, 2, 5);
    }

    [Fact]
    public async Task A_backlog_is_cut_into_blocks_and_does_not_wait()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { Pace = TimeSpan.FromHours(1), BlockBytes = 4000 };
        for (int i = 0; i < 100; i++)
        {
            string properties = $"{{\"a\":\"{new string('x', 300)}\"}}";
            await shipping.AppendAsync(1, new SampleRecord().Event($"{i}", properties: properties));
        }

        shipping.Start();
        await shipping.Shipper!.DrainAsync(CancellationToken.None);

        Assert.InRange(server.Blocks.Count, 10, 20);
        Assert.Equal(
            Enumerable.Range(0, 100).Select(i => i.ToString(CultureInfo.InvariantCulture)),
            server.Blocks.SelectMany(names => names));
    }

    [Fact]
    public async Task A_backlog_of_small_segments_does_not_wait_either()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { Pace = TimeSpan.FromHours(1) };
        string properties = $"{{\"a\":\"{new string('x', 30_000)}\"}}";
        for (int i = 0; i < 100; i++)
            await shipping.AppendAsync(1, new SampleRecord().Event($"{i}", properties: properties));
        Assert.True(shipping.Journal.Status.Segments > 2, $"{shipping.Journal.Status.Segments} segments.");

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(100, server.Blocks.Sum(names => names.Length));
    }

    private static int RefuseBad(string[] names) =>
        names.Any(name => name.StartsWith("bad", StringComparison.Ordinal)) ? BadData : 0;
}
