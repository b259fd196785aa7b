using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.Core.Tests.Shipping;
using Gateway.Tests.Engine;

namespace Gateway.Tests.Shipping;

/// <summary>The shipper, its table and the blocks it writes, with the ClickHouse that the gateway brings along.</summary>
public sealed class ShippingToEngineTests(EngineFixture engine) : IClassFixture<EngineFixture>, IAsyncLifetime
{
    private const string ReadSettings = " SETTINGS do_not_merge_across_partitions_select_final = 0";

    private readonly ClickHouseOptions _target =
        engine.Target with { Database = "shipping_" + Guid.NewGuid().ToString("N") };

    private ClickHouseClient? _client;

    private ClickHouseClient Client => _client ??= new ClickHouseClient(_target);

    public Task InitializeAsync() => new EventsTable(Client).EnsureAsync(CancellationToken.None);

    public async Task DisposeAsync()
    {
        await Client.ExecuteAsync($"DROP DATABASE {_target.Database}");
        Client.Dispose();
    }

    [Fact]
    public async Task The_table_is_made_once_and_made_again_when_it_is_gone()
    {
        var table = new EventsTable(Client);
        await table.EnsureAsync(CancellationToken.None);
        Assert.Equal("3\n", await Client.QueryTextAsync("SELECT count() FROM gateway_migrations"));

        await Client.ExecuteAsync("DROP TABLE events");
        await table.EnsureAsync(CancellationToken.None);
        Assert.Equal("0\n", await Client.QueryTextAsync("SELECT count() FROM events"));

        string sql = await Client.QueryTextAsync("SHOW CREATE TABLE events", format: "TSVRaw");
        foreach (string setting in new[]
        {
            "fsync_after_insert = 1", "fsync_part_directory = 1", "min_rows_to_fsync_after_merge = 1",
            "min_compressed_bytes_to_fsync_after_merge = 1", "old_parts_lifetime = 480",
            "non_replicated_deduplication_window = 0", "replicated_deduplication_window = 0",
        })
        {
            Assert.Contains(setting, sql, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task What_was_journalled_is_read_back()
    {
        var uuid = Guid.Parse("01890a5d-ac96-774b-bcce-b302099a8057");
        await using var shipping = new ShippingHarness(_target);
        await shipping.AppendAsync(
            ulong.MaxValue,
            new SampleRecord("10.0.0.1").Event(
                "sign up", "änn", uuid, 20_000, 1_700_000_000_123_456, "{\"a\":[1,\"ü\"]}", promoted: [(4, "Chrome")]),
            receivedAtMicros: 1_700_000_000_654_321);

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal(
            """
            18446744073709551615 | 2024-10-04 | sign up | 01890a5d-ac96-774b-bcce-b302099a8057 | änn |
             2023-11-14 22:13:20.123456 | 2023-11-14 22:13:20.654321 | 9221672036854121487 |
             {"a":[1,"ü"],"$ip":"10.0.0.1"} | Chrome |  | 10.0.0.1
            """.ReplaceLineEndings(""),
            (await Client.QueryTextAsync(
                "SELECT concatWithSeparator(' | ', project_id, day, event, uuid, distinct_id, timestamp, received_at, "
                + "version, properties, p_browser, p_os, p_ip) FROM events",
                format: "TSVRaw")).TrimEnd());
    }

    [Fact]
    public async Task A_block_of_many_rows_becomes_one_part()
    {
        await using var shipping = new ShippingHarness(_target);
        shipping.Options = shipping.Options with { BlockBytes = 64 << 20 };
        for (int record = 0; record < 10; record++)
        {
            var rows = new SampleRecord();
            for (int i = 0; i < 2000; i++) rows.Event($"{record} {i}", uuid: Guid.NewGuid());
            await shipping.AppendAsync((ulong)(record % 3), rows);
        }

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal("20000\n", await Client.QueryTextAsync("SELECT count() FROM events"));
        await ShippingHarness.UntilAsync(() => shipping.Shipper!.Status.BlocksShipped > 0);
        string parts = await Client.QueryTextAsync(
            $"SELECT count() FROM system.parts WHERE database = '{_target.Database}' AND table = 'events' "
            + "AND min_block_number = max_block_number");
        Assert.Equal(
            shipping.Shipper!.Status.BlocksShipped.ToString(CultureInfo.InvariantCulture), parts.Trim());
    }

    [Theory]
    [InlineData("2026-03-10 12:00:00", "2026-03-10 12:00:00.000001")]
    [InlineData("2026-03-10 23:59:59", "2026-03-11 00:00:01")]
    [InlineData("2026-01-31 23:59:59", "2026-02-01 00:00:01")]
    [InlineData("2026-12-31 23:59:59", "2027-01-01 00:00:01")]
    public async Task Of_an_event_and_its_retry_the_first_is_shown_whichever_is_stored_first(string first, string retry)
    {
        foreach (bool retryIsStoredFirst in new[] { false, true })
        {
            ulong project = retryIsStoredFirst ? 2ul : 1ul;
            var uuid = Guid.NewGuid();
            await using var shipping = new ShippingHarness(_target);
            shipping.Start();
            foreach (bool isRetry in new[] { retryIsStoredFirst, !retryIsStoredFirst })
            {
                string who = isRetry ? "the retry" : "the first";
                long received = Micros(isRetry ? retry : first);
                await shipping.AppendAsync(project, new SampleRecord().Event("e", who, uuid, 20_000), received);
                await shipping.ShippedAsync();
            }

            string sql = $"SELECT distinct_id FROM events FINAL WHERE project_id = {project}";
            Assert.Equal("the first\n", await Client.QueryTextAsync(sql + ReadSettings));
        }

        // And merging does not change it.
        await Client.ExecuteAsync("OPTIMIZE TABLE events FINAL");
        string shown = await Client.QueryTextAsync("SELECT DISTINCT distinct_id FROM events FINAL" + ReadSettings);
        Assert.Equal("the first\n", shown);
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public async Task Through_a_faulty_network_nothing_is_lost_and_nothing_shown_twice(int seed)
    {
        // Each fault at least once, then as it falls; more often none, for a question of ours must come through too.
        var random = new Random(seed);
        var faults = Enum.GetValues<Fault>().Concat(new Fault[6]).ToArray();
        random.Shuffle(faults);
        var first = new Queue<Fault>(faults);
        await using var proxy = await FaultyProxy.StartAsync(_target);
        proxy.NextFault = () => first.TryDequeue(out var fault) ? fault : faults.ElementAtOrDefault(random.Next(80));
        await using var shipping = new ShippingHarness(proxy.Target, timeout: TimeSpan.FromSeconds(3));

        // Looking for bad rows is not what is tried here, and a machine that is busy makes many time-outs.
        shipping.Options = shipping.Options with { BlockBytes = 3000, TriesBeforeCut = 1000 };
        shipping.Start(seed);

        const int Records = 120;
        for (int record = 0; record < Records; record++)
        {
            var rows = new SampleRecord();
            for (int i = 0; i < 5; i++) rows.Event($"{record}-{i}", uuid: Guid.NewGuid(), day: record % 3);
            await shipping.AppendAsync((ulong)(record % 4), rows);
            await Task.Delay(5);
            if (record % 40 == 39) await shipping.RestartAsync();
        }

        await shipping.ForgottenAsync();

        Assert.Empty(first);
        Assert.Equal(0, shipping.Shipper!.Status.RowsLost);
        Assert.Equal(Records * 5, Enumerable.Range(0, 4).Sum(project => shipping.LedgerOf((ulong)project).Shipped));
        string shown = await Client.QueryTextAsync("SELECT event FROM events FINAL ORDER BY event" + ReadSettings);
        var expected =
            from record in Enumerable.Range(0, Records)
            from i in Enumerable.Range(0, 5)
            select $"{record}-{i}";
        Assert.Equal(expected.Order(StringComparer.Ordinal), shown.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public async Task A_row_that_is_deleted_from_the_table_is_found_to_be_gone_and_shipped_again()
    {
        await using var shipping = new ShippingHarness(_target);
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromHours(1) };
        var rows = new SampleRecord();
        for (int i = 0; i < 50; i++) rows.Event($"it's {i}", uuid: Guid.NewGuid(), day: 20_000 + i);
        await shipping.AppendAsync(1, rows);
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.StopAsync();
        await Client.ExecuteAsync("ALTER TABLE events DELETE WHERE event = 'it\\'s 31' SETTINGS mutations_sync = 2");
        Assert.Equal("49\n", await Client.QueryTextAsync("SELECT count() FROM events"));

        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromMilliseconds(10) };
        shipping.Start();
        await shipping.ForgottenAsync();

        Assert.Equal("50\n", await Client.QueryTextAsync("SELECT count() FROM events FINAL"));
        Assert.Equal((1L, 1L), (shipping.Shipper!.Status.RowsLost, shipping.LedgerOf(1).Missed));
    }

    [Fact]
    public async Task Copies_that_are_merged_before_they_are_counted_are_no_loss()
    {
        await using var shipping = new ShippingHarness(_target);
        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromHours(1) };
        var uuid = Guid.NewGuid();
        for (int copy = 0; copy < 3; copy++)
            await shipping.AppendAsync(1, new SampleRecord().Event("e'\\\t", uuid: uuid, day: 20_000));
        shipping.Start();
        await shipping.ShippedAsync();
        await shipping.StopAsync();
        await Client.ExecuteAsync("OPTIMIZE TABLE events FINAL");

        shipping.Options = shipping.Options with { CheckEvery = TimeSpan.FromMilliseconds(10) };
        shipping.Start();
        await shipping.ForgottenAsync();

        Assert.Equal((2L, 0L), (shipping.Shipper!.Status.DuplicatesSeen, shipping.Shipper.Status.RowsLost));
    }

    [Fact]
    public async Task A_row_that_the_table_refuses_is_put_aside_and_the_others_are_stored()
    {
        await Client.ExecuteAsync("ALTER TABLE events ADD CONSTRAINT no_bad CHECK event != 'bad'");
        await using var shipping = new ShippingHarness(_target);
        var rows = new SampleRecord();
        for (int i = 0; i < 50; i++) rows.Event(i == 31 ? "bad" : $"good {i}", uuid: Guid.NewGuid());
        await shipping.AppendAsync(1, rows);

        shipping.Start();
        await shipping.ShippedAsync();

        Assert.Equal("49\n", await Client.QueryTextAsync("SELECT count() FROM events FINAL"));
        Assert.Equal("clickhouse_469", Assert.Single(shipping.Ledger.Quarantine.List(1, 0, 9).Part).Code);
        await shipping.ForgottenAsync();
        Assert.Equal((50L, 0L), (shipping.Shipper!.Status.RowsChecked, shipping.Shipper.Status.RowsLost));
    }

    private static long Micros(string time) =>
        (DateTimeOffset.Parse(time, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal) - DateTimeOffset.UnixEpoch)
        .Ticks / TimeSpan.TicksPerMicrosecond;
}
