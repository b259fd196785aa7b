using System.Collections.Frozen;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;

namespace Gateway.Core.Tests.Shipping;

/// <summary>Rows of deleted projects on their way from the journal to ClickHouse.</summary>
public sealed class DeadProjectsTests
{
    private const int BadData = 117;
    private const int MemoryLimit = 241;

    [Fact]
    public async Task Rows_of_a_deleted_project_are_dropped_and_counted_and_those_of_others_are_shipped()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(2, new SampleRecord().Event("dead 1").Refused().Event("dead 2"));
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Refused());
        await shipping.AppendAsync(2, new SampleRecord().Event("dead 3"));
        shipping.Dead.Replace([2]);

        shipping.Start();
        await shipping.ShippedAsync();
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.BlocksShipped > 0);

        Assert.Equal(["a"], server.Blocks.SelectMany(names => names));
        var status = shipping.Shipper!.Status;
        Assert.Equal((1, 1, 3), (status.RowsShipped, status.RefusedRowsSeen, shipping.Dead.Dropped));
        Assert.Equal([KeyValuePair.Create(2ul, 3L)], shipping.Dead.TakeDropped());
        Assert.Empty(shipping.Dead.TakeDropped());
    }

    [Fact]
    public async Task A_range_of_nothing_but_a_deleted_project_is_forgotten_without_an_insert()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(2, new SampleRecord().Event("dead"));
        shipping.Dead.Replace([2]);

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Empty(server.Blocks);
    }

    [Fact]
    public async Task A_row_that_ClickHouse_refuses_is_not_put_aside_when_its_project_was_deleted()
    {
        await using var server = new FakeClickHouse
        {
            Answer = names => names.Any(name => name.StartsWith("bad", StringComparison.Ordinal)) ? BadData : 0,
        };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(2, new SampleRecord().Event("bad"));
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Dead.Replace([2]);

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(["a"], server.Blocks.SelectMany(names => names));
        Assert.Equal(0, shipping.Ledger.Quarantine.Rows);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_block_that_waits_for_ClickHouse_is_made_again_when_a_project_is_deleted(bool isAway)
    {
        await using var server = new FakeClickHouse { IsAway = isAway, Answer = _ => MemoryLimit };
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { TriesBeforeCut = int.MaxValue };
        await shipping.AppendAsync(2, new SampleRecord().Event("dead"));
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.Retries > 3);

        // The first try after the server is well again must be without the project already.
        shipping.Dead.Replace([2]);
        long retries = shipping.Shipper!.Status.Retries;
        await ShippingHarness.UntilAsync(() => shipping.Shipper.Status.Retries > retries + 1);
        server.Answer = _ => 0;
        server.IsAway = false;
        await shipping.ShippedAsync();

        Assert.Equal(["a"], server.Blocks.SelectMany(names => names));
    }

    [Fact]
    public async Task A_refused_row_that_cannot_be_put_aside_is_dropped_when_its_project_is_deleted_meanwhile()
    {
        await using var server = new FakeClickHouse { Answer = names => names.Contains("bad") ? BadData : 0 };
        await using var shipping = new ShippingHarness(server.Target);
        shipping.LedgerOptions = new LedgerOptions { QuarantineBytes = 1 };
        await shipping.ReopenAsync();
        await shipping.AppendAsync(2, new SampleRecord().Event("bad"));
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Messages.Any(
            message => message.Contains("cannot be settled", StringComparison.Ordinal)));

        shipping.Dead.Replace([2]);
        await shipping.ShippedAsync();

        await ShippingHarness.UntilAsync(() => shipping.Dead.Dropped == 1);
        Assert.Equal((0L, 1L), (shipping.Ledger.Quarantine.Rows, shipping.LedgerOf(2).Erased));
    }

    [Fact]
    public void What_could_not_be_written_down_is_given_again_and_counted_once()
    {
        var dead = new DeadProjects();
        dead.CountDropped(new Dictionary<ulong, long> { [3] = 5 });
        var taken = dead.TakeDropped();
        dead.CountDropped(new Dictionary<ulong, long> { [3] = 2, [4] = 1 });
        dead.PutBack(taken);

        Assert.Equal(8, dead.Dropped);
        Assert.Equal([(3ul, 7L), (4ul, 1L)], dead.TakeDropped().Select(pair => (pair.Key, pair.Value)).Order());
    }

    [Fact]
    public void Leaving_rows_out_allocates_nothing()
    {
        byte[] payload = new SampleRecord().Event("e").ToPayload();
        FrozenSet<ulong> dead = [.. Enumerable.Range(0, 1000).Select(id => (ulong)id)];
        var block = new EventBlock(Guid.NewGuid());
        Fill();

        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill();
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
        Assert.Equal((0, 10_000), (block.Rows, block.Dropped.Values.Sum()));

        void Fill()
        {
            block.Clear(dead);
            for (int i = 0; i < 10_000; i++) block.Add((ulong)i, (ulong)(i % 1000), i, payload);
        }
    }
}
