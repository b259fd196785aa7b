using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Tenancy;

/// <summary>When a deleted project's rows are erased, and by which of several gateways.</summary>
public sealed class ProjectEraserTests(EngineFixture engine) : IClassFixture<EngineFixture>, IAsyncLifetime, IDisposable
{
    private const long Passed = long.MaxValue;

    private static readonly TimeSpan SweepEvery = TimeSpan.FromSeconds(1);

    private readonly TemporaryFolder _folder = new();
    private readonly ClickHouseClient _store =
        new(engine.Target with { Database = "eraser_" + Guid.NewGuid().ToString("N") });

    private ControlPlane _plane = null!;

    public async Task InitializeAsync()
    {
        await new EventsTable(_store).EnsureAsync(CancellationToken.None);
        await _store.ExecuteAsync(
            "INSERT INTO events (project_id, event, received_at) "
            + "SELECT 1 + number % 2, toString(number), now64(6) FROM numbers(1000)");
        _plane = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(_folder.Path, new BootstrapOptions { ApiKey = GatewayProcess.ApiKey }),
            TimeProvider.System,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        var deleted = await _plane.Projects.DeleteAsync(
            Caller.OfKey(GatewayProcess.ApiKey), "1", CancellationToken.None);
        Assert.Null(deleted.Refusal);
    }

    public async Task DisposeAsync()
    {
        await _plane.DisposeAsync();
        await _store.ExecuteAsync($"DROP DATABASE {_store.Target!.Database}");
        _folder.Remove();
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task Nothing_is_erased_before_every_gateway_that_lives_has_passed_the_deletion()
    {
        var eraser = Eraser("a");

        // Who is not known itself does not know of others.
        await eraser.StepAsync(CancellationToken.None);
        await ReportAsync("a", Passed);
        await ReportAsync("b", 0);
        await eraser.StepAsync(CancellationToken.None);
        Assert.Equal((500, 500), await RowsAsync());

        await ReportAsync("b", Passed);
        await eraser.StepAsync(CancellationToken.None);
        Assert.Equal((0, 500), await RowsAsync());
        Assert.Equal(("erased", 500L), await ProgressAsync());
        Assert.Equal(500, eraser.Rows);
    }

    [Fact]
    public async Task One_of_several_gateways_does_the_work_and_another_when_that_one_does_not()
    {
        await ReportAsync("a", Passed);
        await ReportAsync("b", Passed);
        var second = Eraser("b");

        await second.StepAsync(CancellationToken.None);
        Assert.Equal((500, 500), await RowsAsync());

        for (int round = 0; round < 10; round++) await second.StepAsync(CancellationToken.None);
        Assert.Equal((0, 500), await RowsAsync());
    }

    [Fact]
    public async Task Two_erasers_at_once_do_no_harm()
    {
        await ReportAsync("a", Passed);
        await Task.WhenAll(
            Eraser("a").StepAsync(CancellationToken.None), Eraser("a").StepAsync(CancellationToken.None));

        Assert.Equal((0, 500), await RowsAsync());
        Assert.Equal("erased", (await ProgressAsync()).State);
    }

    [Fact]
    public async Task Rows_that_turn_up_later_are_erased_again_and_counted()
    {
        await ReportAsync("a", Passed);
        var eraser = Eraser("a");
        await eraser.StepAsync(CancellationToken.None);
        await _store.ExecuteAsync("INSERT INTO events (project_id, event, received_at) VALUES (1, 'late', now64(6))");

        await Task.Delay(SweepEvery);
        await eraser.StepAsync(CancellationToken.None);
        Assert.Equal(("erasing", 500L), await ProgressAsync());
        await eraser.StepAsync(CancellationToken.None);

        Assert.Equal((0, 500), await RowsAsync());
        Assert.Equal(("erased", 501L), await ProgressAsync());
    }

    [Fact]
    public async Task What_was_erased_long_ago_is_looked_at_when_a_gateway_comes_back()
    {
        await ReportAsync("a", Passed);
        var eraser = Eraser("a", sweepEvery: TimeSpan.FromTicks(1));
        await eraser.StepAsync(CancellationToken.None);
        await eraser.StepAsync(CancellationToken.None);
        await _store.ExecuteAsync("INSERT INTO events (project_id, event, received_at) VALUES (1, 'late', now64(6))");

        // Too long ago for every sweep.
        await eraser.StepAsync(CancellationToken.None);
        Assert.Equal((1, 500), await RowsAsync());

        await ReportAsync("b", Passed);
        await eraser.StepAsync(CancellationToken.None);
        await eraser.StepAsync(CancellationToken.None);
        Assert.Equal((0, 500), await RowsAsync());
    }

    private ProjectEraser Eraser(string id, TimeSpan? sweepEvery = null) => new(
        _plane.Erasure,
        new EventsEraser(_store, TimeProvider.System),
        id,
        sweepEvery ?? SweepEvery,
        TimeProvider.System,
        NullLogger.Instance);

    private Task ReportAsync(string id, long cleanEpoch) => _plane.Erasure.ReportAsync(
        new GatewayReport(id, "host", DateTimeOffset.UnixEpoch, cleanEpoch), CancellationToken.None);

    private async Task<(string State, long Rows)> ProgressAsync()
    {
        var progress = await _plane.Erasure.ProgressAsync(1, CancellationToken.None);
        return (progress!.State, progress.ErasedRows);
    }

    private async Task<(long Deleted, long Other)> RowsAsync()
    {
        string text = await _store.QueryTextAsync("SELECT countIf(project_id = 1), countIf(project_id = 2) FROM events");
        string[] counts = text.TrimEnd('\n').Split('\t');
        return (long.Parse(counts[0], CultureInfo.InvariantCulture), long.Parse(counts[1], CultureInfo.InvariantCulture));
    }
}
