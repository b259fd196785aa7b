using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Gateway.Tests.Shipping;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>
/// A ClickHouse that is away, that does not let the gateway in, that has too many parts, or that does not take some
/// rows: the trouble is waited out, whatever it is, and nothing but a bad row is put aside.
/// </summary>
public sealed class StoreFaultTests(EngineFixture engine, ITestOutputHelper output)
    : IClassFixture<EngineFixture>, IAsyncLifetime, IDisposable
{
    private const int SegmentBytes = 1 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(4);

    private readonly string _database = "chaos_" + Guid.NewGuid().ToString("N");
    private readonly TemporaryFolder _folder = new();
    private readonly ChaosRun _run = new();
    private ClickHouseClient _store = null!;
    private FaultyProxy _proxy = null!;

    public async Task InitializeAsync()
    {
        var target = engine.Target with { Database = _database };
        _store = new ClickHouseClient(target);
        _proxy = await FaultyProxy.StartAsync(target);
    }

    public async Task DisposeAsync()
    {
        await _proxy.DisposeAsync();
        _folder.Remove();
        await _store.ExecuteAsync($"DROP DATABASE IF EXISTS {_database}");
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public Task A_store_that_is_away_is_waited_for_and_caught_up_with() =>
        PassAsync("away", Fault.DropBefore, TimeSpan.FromSeconds(Chaos.Of(10, 180)));

    [Fact]
    public Task A_password_that_is_wrong_for_some_time_costs_nothing() =>
        PassAsync("wrong-password", Fault.WrongPassword, TimeSpan.FromSeconds(Chaos.Of(6, 60)));

    [Fact]
    public async Task Too_many_parts_are_waited_out_and_then_stored_by_few_large_inserts()
    {
        var duration = TimeSpan.FromSeconds(Chaos.Of(6, 60));
        await using var gateway = await StartAsync();
        await WithClientsAsync(gateway, async () =>
        {
            await ChaosRun.ShipsAsync(gateway);
            await _store.ExecuteAsync("SYSTEM STOP MERGES events");
            await _store.ExecuteAsync(
                "ALTER TABLE events MODIFY SETTING parts_to_throw_insert = 1, parts_to_delay_insert = 1");
            await Task.Delay(duration);
            await SaysAsync(gateway, "Too many parts");
        });

        long before = await PartsAsync();
        long waiting = await gateway.MetricAsync("gateway_ledger_waiting");
        long bytes = await gateway.MetricAsync("gateway_journal_bytes_waiting");
        await _store.ExecuteAsync("ALTER TABLE events RESET SETTING parts_to_throw_insert, parts_to_delay_insert");
        string line = await _run.CountAsync(
            gateway, "too-many-parts",
            string.Create(CultureInfo.InvariantCulture, $"stall {duration.TotalSeconds} s, backlog {waiting}"));

        // No merge hides one: each insert has made a part. One may have been on its way with less than all, and none
        // holds more than a segment.
        long inserts = await PartsAsync() - before;
        Assert.True(waiting > 100, $"Only {waiting} waited.");
        Assert.InRange(inserts, 1, (bytes / SegmentBytes) + 2);
        Chaos.Tell(output, $"{line}, inserts of the backlog {inserts}");
    }

    [Fact]
    public async Task Bad_rows_are_put_aside_once_though_the_gateway_is_killed_while_it_does_so()
    {
        const int BadOfALife = 3;
        int kills = Chaos.Of(5, 50);
        var random = new Random(20261124);
        await using (var first = await StartAsync())
        {
            await WithClientsAsync(first, () => ChaosRun.ShipsAsync(first));
            await _store.ExecuteAsync($"ALTER TABLE events ADD CONSTRAINT no_bad CHECK event != '{ChaosRun.Bad}'");
        }

        for (int kill = 0; kill < kills; kill++)
        {
            await using var gateway = await StartAsync();
            _run.SendBad(BadOfALife);
            await WithClientsAsync(gateway, async () =>
            {
                await SaysAsync(gateway, "looking for the bad ones");
                await Task.Delay(random.Next(400));
                await gateway.KillAsync();
                _run.At(null);
            });
            Chaos.Progress("kill-quarantine", kill, kills);
        }

        await using var last = await StartAsync();
        string line = await _run.CountAsync(last, "kill-quarantine", $"kills {kills}");
        Assert.InRange(_run.PutAside, 1, kills * BadOfALife);
        Chaos.Tell(output, line);
    }

    /// <summary>For some time each request to the store meets this.</summary>
    private async Task PassAsync(string name, Fault fault, TimeSpan duration)
    {
        await using var gateway = await StartAsync();
        await WithClientsAsync(gateway, async () =>
        {
            await ChaosRun.ShipsAsync(gateway);
            _proxy.NextFault = () => fault;
            await Task.Delay(duration);
            Assert.True(await gateway.MetricAsync("gateway_ship_stalled") == 1, gateway.Output);
            _proxy.NextFault = () => Fault.None;
        });

        Assert.Equal(0, _run.Unanswered);
        long waiting = await gateway.MetricAsync("gateway_ledger_waiting");
        Chaos.Tell(output, await _run.CountAsync(
            gateway, name,
            string.Create(CultureInfo.InvariantCulture, $"away {duration.TotalSeconds} s, backlog {waiting}")));
    }

    private async Task WithClientsAsync(GatewayProcess gateway, Func<Task> fault)
    {
        using var stop = new CancellationTokenSource();
        _run.At(gateway);
        var clients = _run.PostUntilAsync(stop.Token, Pause);
        await fault();
        await stop.CancelAsync();
        await clients;
    }

    private static Task SaysAsync(GatewayProcess gateway, string text) => Eventually.HoldsAsync(
        () => Task.FromResult(gateway.Output.Contains(text, StringComparison.Ordinal)),
        Patience, () => $"the gateway says '{text}'; it said\n{gateway.Output}");

    private async Task<long> PartsAsync() => long.Parse(
        await _store.QueryTextAsync(
            $"SELECT count() FROM system.parts WHERE database = '{_database}' AND table = 'events'"),
        CultureInfo.InvariantCulture);

    private Task<GatewayProcess> StartAsync()
    {
        var through = new UriBuilder(engine.ConnectionString)
        {
            Port = _proxy.Target.Endpoint.Port,
            Path = _database,
        };
        return GatewayProcess.StartAsync(_folder.Path, settings:
        [
            ("ConnectionStrings:ClickHouse", through.Uri.AbsoluteUri),
            ("Gateway:Ledger:CheckSeconds", "1"),
            ("Gateway:Journal:SegmentBytes", $"{SegmentBytes}"),
        ]);
    }
}
