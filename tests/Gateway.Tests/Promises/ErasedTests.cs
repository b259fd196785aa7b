using System.Diagnostics;
using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Gateway.Tests.Shipping;

namespace Gateway.Tests.Promises;

/// <summary>
/// A deleted project leaves no row behind, and takes none of another's with it: two projects fed at once, one deleted,
/// by real processes that are killed, and a network that keeps things back.
/// </summary>
public sealed class ErasedTests(EngineFixture engine) : IClassFixture<EngineFixture>, IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _data = Directory.CreateTempSubdirectory("gateway-erased-").FullName;
    private readonly ClickHouseOptions _target =
        engine.Target with { Database = "erased_" + Guid.NewGuid().ToString("N") };

    private readonly Load _mine = new();
    private readonly Load _theirs = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<Task> _clients = [];
    private ClickHouseClient _store = null!;
    private FaultyProxy _proxy = null!;
    private TwoProjects _projects = null!;

    public async Task InitializeAsync()
    {
        _store = new ClickHouseClient(_target);
        _proxy = await FaultyProxy.StartAsync(_target);
        _projects = new TwoProjects(_data);
    }

    public async Task DisposeAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
        await _proxy.DisposeAsync();
        await _store.ExecuteAsync($"DROP DATABASE {_target.Database}");
        Directory.Delete(_data, recursive: true);
    }

    public void Dispose()
    {
        _store.Dispose();
        _stop.Dispose();
    }

    [Fact]
    public async Task Every_row_of_a_deleted_project_goes_and_none_of_another()
    {
        await using var gateway = await StartAsync();
        await TwoProjects.AddSecondAsync(gateway);
        Feed(gateway);
        await StoredAsync(TwoProjects.First, 200);
        await StoredAsync(TwoProjects.Second, 200);

        await TwoProjects.DeleteSecondAsync(gateway);
        long returned = Stopwatch.GetTimestamp();
        long before = _mine.Acked;
        await Eventually.HoldsAsync(
            () => Task.FromResult(_mine.Acked > before + 200), Patience, () => "the other project is still fed");
        await StopFeedingAsync();
        Assert.True(_theirs.LastAckBegan < returned, "an event was acked whose request began after the deletion returned");

        await ErasedAsync(gateway);
        Assert.Equal(0, await CountAsync(TwoProjects.Second));
        Assert.True(_projects.ErasedRows >= 200, $"{_projects.ErasedRows} rows counted as erased");
        Assert.Contains("gateway_erased_rows_total{from=\"events\"} ", await gateway.Http.GetStringAsync("/metrics"));
        await KeptAsync(gateway);
        await NothingOldAsync(gateway);
    }

    [Fact]
    public async Task The_backlog_of_a_gateway_that_was_dead_for_long_leaves_no_row_when_it_is_attached()
    {
        string dead = Directory.CreateTempSubdirectory("gateway-erased-dead-").FullName;
        await using (var first = await StartAsync())
        {
            await TwoProjects.AddSecondAsync(first);
            Feed(first);
            await StoredAsync(TwoProjects.First, 50);
            await StoredAsync(TwoProjects.Second, 50);
            _proxy.NextFault = () => Fault.DropBefore;
            long theirs = _theirs.Acked;
            await Eventually.HoldsAsync(
                () => Task.FromResult(_theirs.Acked > theirs + 200), Patience, () => "a backlog piles up");
            await StopFeedingAsync();
            await first.KillAsync();
        }

        // Its journal is away while the others, here a gateway with a new one, erase the project.
        Directory.Move(Path.Combine(_data, "journal"), Path.Combine(dead, "journal"));
        _proxy.NextFault = () => Fault.None;
        _projects.ForgetGateways();
        await using (var second = await StartAsync())
        {
            await TwoProjects.DeleteSecondAsync(second);
            await ErasedAsync(second);
            Assert.Equal(0, await CountAsync(TwoProjects.Second));
        }

        Directory.Delete(Path.Combine(_data, "journal"), recursive: true);
        Directory.Move(Path.Combine(dead, "journal"), Path.Combine(_data, "journal"));
        Directory.Delete(dead);
        await using var last = await StartAsync();
        await KeptAsync(last);
        await ErasedAsync(last);
        Assert.Equal(0, await CountAsync(TwoProjects.Second));
    }

    [Fact]
    public async Task A_process_killed_while_it_erases_and_a_backlog_in_the_journal_leave_no_row()
    {
        await using (var first = await StartAsync())
        {
            await TwoProjects.AddSecondAsync(first);
            Feed(first);
            await StoredAsync(TwoProjects.First, 200);
            await StoredAsync(TwoProjects.Second, 200);

            // ClickHouse goes away; what comes is kept in the journal.
            _proxy.NextFault = () => Fault.DropBefore;
            long theirs = _theirs.Acked;
            await Eventually.HoldsAsync(
                () => Task.FromResult(_theirs.Acked > theirs + 500), Patience, () => "a backlog piles up");
            await StopFeedingAsync();
            await TwoProjects.DeleteSecondAsync(first);

            // While it is away nobody may say that the journal is rid of the project.
            await Task.Delay(TimeSpan.FromSeconds(3));
            Assert.True(_projects.CleanEpoch < _projects.DeletionEpoch, "it says that its journal is clean, and it is not");
            Assert.False(_projects.IsErased);
            await first.KillAsync();
        }

        _proxy.Holds = statement => statement.Contains("ALTER TABLE events DELETE", StringComparison.Ordinal);
        _proxy.NextFault = () => Fault.None;
        await using (var second = await StartAsync())
        {
            await Eventually.HoldsAsync(
                () => Task.FromResult(_proxy.Held > 0), Patience, () => $"it erases; it said\n{second.Output}");
            Assert.True(await CountAsync(TwoProjects.Second) > 0);
            await second.KillAsync();
        }

        _proxy.Holds = _ => false;
        await using var last = await StartAsync();
        await ErasedAsync(last);
        Assert.Equal(0, await CountAsync(TwoProjects.Second));
        await KeptAsync(last);

        // The statement that the killed process had sent changes nothing any more.
        await ReleasedAsync();
        await KeptAsync(last);
        Assert.Equal(0, await CountAsync(TwoProjects.Second));
    }

    [Fact]
    public async Task An_insert_held_on_its_way_over_the_deletion_and_a_restart_leaves_no_row()
    {
        await using (var first = await StartAsync())
        {
            await TwoProjects.AddSecondAsync(first);
            Feed(first);
            await StoredAsync(TwoProjects.First, 50);
            await StoredAsync(TwoProjects.Second, 50);

            // Both are fed in turns by one client each: an insert of the second half of a second holds rows of both.
            await Task.Delay(500);
            _proxy.Holds = statement => statement.StartsWith("INSERT INTO events", StringComparison.Ordinal);
            await Eventually.HoldsAsync(() => Task.FromResult(_proxy.Held > 0), Patience, () => "an insert is held");
            await StopFeedingAsync();
            await TwoProjects.DeleteSecondAsync(first);
            await first.KillAsync();
        }

        _proxy.Holds = _ => false;
        await using var second = await StartAsync();
        await ErasedAsync(second);
        Assert.Equal(0, await CountAsync(TwoProjects.Second));

        // Now it arrives, and brings rows of a project that is erased.
        long erased = _projects.ErasedRows;
        await ReleasedAsync();
        await Eventually.HoldsAsync(
            () => Task.FromResult(_projects.ErasedRows > erased && _projects.IsErased),
            Patience, () => $"the late rows were erased too; it said\n{second.Output}");
        Assert.Equal(0, await CountAsync(TwoProjects.Second));
        Assert.Contains("turned up", second.Output, StringComparison.Ordinal);
        await KeptAsync(second);
    }

    private Task<GatewayProcess> StartAsync() => GatewayProcess.StartAsync(
        _data,
        settings:
        [
            ("ConnectionStrings:ClickHouse",
                $"http://{_target.User}:{_target.Password}@{_proxy.Target.Endpoint.Authority}/{_target.Database}"),
            ("Gateway:Erasure:SweepSeconds", "1"),
        ]);

    private void Feed(GatewayProcess gateway)
    {
        var address = gateway.Address;
        _clients.Add(Task.Run(() => _mine.PostUntilAsync(address, _stop.Token)));
        _clients.Add(Task.Run(() => _theirs.PostUntilAsync(address, _stop.Token, token: TwoProjects.SecondToken)));
    }

    private async Task StopFeedingAsync()
    {
        await _stop.CancelAsync();
        await Task.WhenAll(_clients);
    }

    private async Task ReleasedAsync()
    {
        int held = _proxy.Held;
        _proxy.Release();
        await Eventually.HoldsAsync(
            () => Task.FromResult(_proxy.Forwarded == held), Patience, () => "what was held is carried out");
    }

    /// <summary>A project that is made after the deletion has an id of its own and sees nothing of the old one.</summary>
    private static async Task NothingOldAsync(GatewayProcess gateway)
    {
        using var owner = ApiUser.Owner(gateway);
        var made = await owner.DoAsync(HttpMethod.Post, "/api/organizations/@current/projects/", new { name = "Later" });
        long id = made.GetProperty("id").GetInt64();

        Assert.True(id > (long)TwoProjects.Second);
        Assert.Empty(await gateway.EventsAsync(id.ToString(CultureInfo.InvariantCulture)));
    }

    private async Task StoredAsync(ulong project, int rows) => await Eventually.HoldsAsync(
        async () => await CountAsync(project) >= rows, Patience, () => $"{rows} rows of project {project} are stored");

    /// <summary>Every copy of every row, whatever a query would show; straight from ClickHouse.</summary>
    private async Task<long> CountAsync(ulong project)
    {
        try
        {
            string text = await _store.QueryTextAsync(
                "SELECT count() FROM events WHERE project_id = {project:UInt64}",
                [new("project", project.ToString(CultureInfo.InvariantCulture))]);
            return long.Parse(text, CultureInfo.InvariantCulture);
        }
        catch (ClickHouseException)
        {
            // The gateway has not made it yet.
            return 0;
        }
    }

    private async Task ErasedAsync(GatewayProcess gateway) => await Eventually.HoldsAsync(
        () => Task.FromResult(_projects.IsErased), Patience, () => $"the project is erased; it said\n{gateway.Output}");

    /// <summary>Of the project that lives, every acked event is there, once.</summary>
    private async Task KeptAsync(GatewayProcess gateway)
    {
        var acked = _mine.Fates.Where(pair => pair.Value == Fate.Acked).Select(pair => pair.Key).ToHashSet();
        List<StoredEvent> stored = [];
        await Eventually.HoldsAsync(
            async () => acked.IsSubsetOf((stored = await gateway.EventsAsync()).Select(row => row.Uuid)),
            Patience, () => $"all {acked.Count} acked events are queryable ({stored.Count} are); it said\n{gateway.Output}");
        _mine.AssertKept(stored);
    }
}
