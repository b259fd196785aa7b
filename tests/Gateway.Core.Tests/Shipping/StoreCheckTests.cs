namespace Gateway.Core.Tests.Shipping;

/// <summary>What was shipped is counted in the store before the journal forgets it.</summary>
public sealed class StoreCheckTests
{
    private const int BadData = 117;

    [Fact]
    public async Task What_is_found_in_the_store_is_forgotten_and_counted_as_shipped()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Refused().Event("b"));
        await shipping.AppendAsync(2, new SampleRecord().Event("c"));
        Assert.Equal((2L, 1L, 2L), (shipping.LedgerOf(1).Waiting, shipping.LedgerOf(1).Refused, shipping.LedgerOf(1).Accepted));

        shipping.Start();
        await shipping.ForgottenAsync();

        var one = shipping.LedgerOf(1);
        Assert.Equal((2, 2, 0, 1), (one.Accepted, one.Shipped, one.Waiting, one.Refused));
        Assert.Equal(1, shipping.LedgerOf(2).Shipped);
        Assert.Equal((3L, 0L), (shipping.Shipper!.Status.RowsChecked, shipping.Shipper.Status.RowsLost));
    }

    [Fact]
    public async Task A_row_that_the_store_lost_raises_the_alarm_and_is_shipped_again()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord()
            .Event("a", uuid: Guid.NewGuid()).Event("b", uuid: Guid.NewGuid()).Event("c", uuid: Guid.NewGuid()));
        await shipping.AppendAsync(2, new SampleRecord().Event("d"));
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromHours(1) };
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.StopAsync();
        Assert.Equal(1, server.Lose(row => row.Event == "b"));
        Assert.True(shipping.Journal.Status.BytesWaiting > 0);

        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromMilliseconds(1) };
        shipping.Start();
        await shipping.ForgottenAsync();

        Assert.Equal((1L, 0L), (shipping.Shipper!.Status.RowsLost, shipping.Shipper.Status.RowsMissing));
        Assert.Single(server.Rows, row => row.Event == "b" && row.Row == 1);
        Assert.Equal((3, 3, 1), (shipping.LedgerOf(1).Accepted, shipping.LedgerOf(1).Shipped, shipping.LedgerOf(1).Missed));
        Assert.Contains(shipping.Messages, message => message.StartsWith("LOST FROM THE STORE: 1 events of projects 1 "));
        Assert.Contains(shipping.Messages, message => message.Contains("are in it again", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_row_that_is_lost_before_the_same_process_counts_it_is_shipped_again_too()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("b"));
        int lost = 0;
        server.Asked = () =>
        {
            if (lost == 0) lost = server.Lose(row => row.Event == "b");
        };
        shipping.Start();
        await shipping.ForgottenAsync();

        Assert.Equal(1, lost);
        Assert.Equal((1L, 0L), (shipping.Shipper!.Status.RowsLost, shipping.Shipper.Status.RowsMissing));
        Assert.Equal(2, server.Rows.Count);
    }

    [Fact]
    public async Task What_is_all_there_is_counted_without_being_read_again()
    {
        await using var server = new FakeClickHouse { CannotCount = true };
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Start();
        for (int i = 0; i < 3; i++)
        {
            await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("b"));
            await shipping.ShippedAsync();
        }

        // Whoever read it now would find none of it.
        shipping.DamageJournal();
        server.CannotCount = false;
        await shipping.ForgottenAsync();

        Assert.Equal((6L, 0L), (shipping.Shipper!.Status.RowsChecked, shipping.Journal.Status.Counters.LostRecords));
    }

    [Fact]
    public async Task The_journal_keeps_what_is_lost_for_as_long_as_it_is()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("b"));
        using var loser = new Timer(_ => server.Lose(row => row.Event == "b"), null, 0, 1);

        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.RowsMissing == 1 && server.Blocks.Count > 3);
        Assert.True(shipping.Journal.Status.BytesWaiting > 0);
        Assert.Equal(1, shipping.Shipper!.Status.RowsLost);
        Assert.Equal(1, shipping.LedgerOf(1).Missed);
    }

    [Fact]
    public async Task A_row_that_is_late_to_be_seen_is_no_loss()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromHours(1) };
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.StopAsync();
        var rows = server.Rows.ToList();
        server.Lose(_ => true);

        int asked = 0;
        server.Asked = () =>
        {
            if (++asked == 4) server.Restore(rows);
        };
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromMilliseconds(1) };
        shipping.Start();
        await shipping.ForgottenAsync();

        Assert.Equal(0, shipping.Shipper!.Status.RowsLost);
    }

    [Fact]
    public async Task A_copy_that_the_store_merged_into_an_earlier_one_is_a_duplicate_and_no_loss()
    {
        await using var server = new FakeClickHouse();
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromHours(1) };
        var uuid = Guid.NewGuid();
        await shipping.AppendAsync(1, new SampleRecord().Event("e'\\\t\n", uuid: uuid), receivedAtMicros: 5_000_000);
        await shipping.AppendAsync(1, new SampleRecord().Event("e'\\\t\n", uuid: uuid), receivedAtMicros: 9_000_000);
        await shipping.AppendAsync(1, new SampleRecord().Event("other", uuid: uuid), receivedAtMicros: 9_000_000);
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.StopAsync();
        server.Merge();

        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromMilliseconds(1) };
        shipping.Start();
        await shipping.ForgottenAsync();

        Assert.Equal(
            (3L, 1L, 0L),
            (shipping.Shipper!.Status.RowsChecked, shipping.Shipper.Status.DuplicatesSeen, shipping.Shipper.Status.RowsLost));
    }

    [Fact]
    public async Task Rows_in_the_quarantine_and_of_deleted_projects_are_not_looked_for_in_the_store()
    {
        await using var server = new FakeClickHouse { Answer = names => names.Contains("bad") ? BadData : 0 };
        await using var shipping = new ShippingHarness(server.Target);
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromHours(1) };
        await shipping.AppendAsync(1, new SampleRecord().Event("a").Event("bad").Event("b"));
        await shipping.AppendAsync(2, new SampleRecord().Event("erased later"));
        await shipping.AppendAsync(3, new SampleRecord().Event("bad"));
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.StopAsync();
        shipping.Dead.Replace([2]);
        server.Lose(row => row.ProjectId == 2);

        // Deleted, or sent again, before its record was looked for: it is neither here nor there, and not lost.
        Assert.Equal(1, shipping.Ledger.Quarantine.Delete(3, null));
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromMilliseconds(1) };
        await shipping.RestartAsync();
        await shipping.ForgottenAsync();

        Assert.Equal((0L, 5L), (shipping.Shipper!.Status.RowsLost, shipping.Shipper.Status.RowsChecked));
        Assert.Equal((2, 1), (shipping.LedgerOf(1).Shipped, shipping.LedgerOf(1).Quarantined));
        Assert.Equal(1, shipping.Ledger.Quarantine.Rows);
        await ShippingHarness.UntilAsync(() => shipping.Ledger.Quarantine.RowsOf(0, long.MaxValue).Count == 1);
    }

    [Theory]
    [InlineData("<html>login</html>")]
    [InlineData("")]
    public async Task An_answer_that_is_no_count_is_no_loss_and_ends_nothing(string page)
    {
        await using var server = new FakeClickHouse { Page = page };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Messages.Any(
            message => message.Contains("is not ClickHouse", StringComparison.Ordinal)));

        server.Page = null;
        await shipping.ForgottenAsync();
        Assert.Equal(0, shipping.Shipper!.Status.RowsLost);
    }

    [Fact]
    public async Task A_store_that_cannot_count_keeps_the_journal_and_not_the_shipping()
    {
        await using var server = new FakeClickHouse { CannotCount = true };
        await using var shipping = new ShippingHarness(server.Target);
        await shipping.AppendAsync(1, new SampleRecord().Event("a"));
        shipping.Start();
        await ShippingHarness.UntilAsync(() => shipping.Messages.Any(
            message => message.Contains("cannot be counted in the store", StringComparison.Ordinal)));

        await shipping.AppendAsync(1, new SampleRecord().Event("b"));
        await shipping.ShippedAsync();
        Assert.True(shipping.Journal.Status.BytesWaiting > 0);

        server.CannotCount = false;
        await shipping.ForgottenAsync();
        Assert.Equal(0, shipping.Shipper!.Status.RowsLost);
    }
}
