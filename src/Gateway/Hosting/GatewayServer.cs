using System.Collections.Frozen;
using Gateway.Capture;
using Gateway.Core.Admission;
using Gateway.Core.ClickHouse;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Query;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Gateway.Engine;
using Gateway.Ledger;
using Gateway.Operations;
using Gateway.Query;
using Gateway.Tenancy;
using Gateway.WebConsole;

namespace Gateway.Hosting;

/// <summary>
/// One gateway: what it is made of, in the order in which an event meets it, and how it starts and stops.
/// </summary>
internal sealed partial class GatewayServer : IAsyncDisposable
{
    private static readonly TimeSpan FlushLimit = TimeSpan.FromSeconds(10);

    // Redis answers in milliseconds, or is away.
    private static readonly TimeSpan RedisLimit = TimeSpan.FromSeconds(2);

    private readonly GatewayOptions _options;
    private readonly GatewayState _state = new();
    private readonly CaptureCounters _counters = new();
    private readonly Refusals _refusals = new(TimeProvider.System);
    private readonly TimeProvider _time = TimeProvider.System;
    private readonly ILogger _log;
    private readonly ControlPlane _plane;
    private readonly EngineProcess? _engine;
    private readonly ClickHouseClient _clickHouse;
    private readonly EventsTable _table;
    private readonly StoreMeeting _meeting;
    private readonly DeadProjects _dead = new();
    private readonly CancellationTokenSource _stop = new();
    private readonly List<AttachedJournal> _attached = [];

    private EventJournal? _journal;
    private EventLedger? _ledger;
    private Shipper? _shipper;
    private volatile LedgerBooks? _books;
    private ProjectEraser? _eraser;
    private Task _run = Task.CompletedTask;
    private Task _carrying = Task.CompletedTask;
    private int _exitCode;

    private GatewayServer(GatewayOptions options, ControlPlane plane, ILoggerFactory loggers)
    {
        (_options, _plane) = (options, plane);
        _log = loggers.CreateLogger<GatewayServer>();

        _engine = options.ClickHouse is null
            ? new EngineProcess(
                new EngineOptions(EngineFolder(options))
                {
                    MemoryBytes = options.Engine.MemoryBytes,
                },
                _time,
                loggers.CreateLogger<EngineProcess>())
            : null;
        var server = options.ClickHouse is { } url ? ClickHouseOptions.Parse(url) : null;
        _clickHouse = new ClickHouseClient(() => server ?? EngineTarget(), _time);
        _table = new EventsTable(_clickHouse);
        _meeting = new StoreMeeting(plane, new EventsStoreId(_clickHouse), options.AdoptEventsStore, _time, _log);
    }

    /// <summary>What the first start made; null afterwards.</summary>
    public BootstrapResult? Bootstrapped => _plane.Bootstrapped;

    /// <summary>The ClickHouse server, for people; null: the embedded engine.</summary>
    public string? ClickHouse => _engine is null ? $"ClickHouse at {_clickHouse.Target}" : null;

    /// <exception cref="ControlPlaneException">They cannot be opened; the message is for the operator.</exception>
    public static async Task<GatewayServer> OpenAsync(GatewayOptions options, ILoggerFactory loggers)
    {
        var plane = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(options.Data, options.Bootstrap, options.Postgres)
            {
                DefaultPlan = options.DefaultPlan,
                Redis = options.Redis,
                FencesByRedis = options.FencesByRedis,
                ChangesFence = options.ChangesFence,
            },
            TimeProvider.System,
            loggers,
            CancellationToken.None);

        // From here on projects are made by people, and the store has a say.
        plane.EventsStore.RequireSafeIds();
        return new GatewayServer(options, plane, loggers);
    }

    /// <summary>The owner's, when this start gives it; null afterwards. To be shown at once.</summary>
    /// <exception cref="ControlPlaneException">The database cannot be read or written.</exception>
    public Task<FirstPassword?> GiveFirstPasswordAsync() => FirstPassword.GiveAsync(_plane, _options.Bootstrap);

    /// <summary>Whether the embedded engine's data is this installation's; a server is asked when it answers.</summary>
    /// <exception cref="ControlPlaneException">It is another one's; the message is for the operator.</exception>
    public Task CheckEngineAsync() =>
        _engine is null ? Task.CompletedTask : _meeting.MeetEngineAsync(EngineFolder(_options));

    /// <summary>What endpoints ask for by type.</summary>
    public void Register(IServiceCollection services)
    {
        services.AddSingleton(_plane);
        services.AddSignIn(_time, _options.AllowSignUp);
        services.AddApiDocument();
    }

    /// <summary>The whole HTTP surface.</summary>
    public void Map(WebApplication app)
    {
        if (_options.TrustedProxies.Count > 0) app.UseForwardedHeaders(ProxyHeaders.From(_options.TrustedProxies));

        app.Use(RequestFraming.Check);
        app.Use(CaptureEndpoints.LeaveUnlessCapture);
        app.UseManagementGuard();

        var budget = new InFlightBudget(_options.Limits.InFlightBytes, _options.ShareBytes);
        var limits = _options.Limits.ForParser();
        var hints = new TokenHints(_state.ProjectOf);
        var gate = new AdmissionGate(_options.Admission, _time);
        var admission = new CaptureAdmission(gate, hints, limits);
        var pool = new CaptureWorkPool(budget, limits, hints);
        var captureLog = app.Services.GetRequiredService<ILogger<CaptureHandler>>();
        app.MapCapture(
            new CaptureHandler(_state, pool, admission, _counters, _refusals, limits, _time, captureLog));
        var flagsPool = new CaptureWorkPool(budget, SdkEndpoints.Limit(limits), hints);
        new SdkEndpoints(_state, flagsPool, admission).Map(app);
        app.MapStaticScripts(Path.Combine(AppContext.BaseDirectory, "static"));
        app.MapHealth(_state, _plane.Fence);
        app.MapMetrics(() => MetricsPage.Write(
            _counters, budget, _plane, _journal?.Status, _books, Erased())
            + AdmissionMetrics.Write(gate, _counters)
            + ProcessMetrics.Write());
        app.MapSignIn();
        app.MapTenancy();
        app.MapQuery(AuthorizeQueryAsync, _clickHouse, _time);
        app.MapLedger(() => _books, _clickHouse, _plane.Tokens, limits, _time);
        app.MapApiDocument();
        app.MapConsole(Path.Combine(AppContext.BaseDirectory, "console"));
        app.MapFallback("{*path}", () => ApiError.NotFound("There is nothing at this path."));
    }

    /// <summary>Starts the engine and recovers the journal; capture opens when that is done.</summary>
    public void Start(IHostApplicationLifetime lifetime)
    {
        lifetime.ApplicationStopping.Register(_state.Drain);
        _engine?.Start();
        _carrying = Task.Run(() => _plane.CarryOverAsync(_stop.Token));
        _run = Task.Run(() => RunAsync(lifetime));
    }

    /// <summary>Closes the journal and ships what can be shipped in ten seconds; the engine ends after that.</summary>
    /// <returns>The process's exit code.</returns>
    public async Task<int> StopAsync()
    {
        if (_journal is not null) await _journal.CloseAsync();
        if (_shipper is not null && !_run.IsCompleted) await FlushAsync(_shipper);

        await _stop.CancelAsync();
        await _run;
        await _carrying;
        return _exitCode;
    }

    public async ValueTask DisposeAsync()
    {
        if (_engine is not null) await _engine.DisposeAsync();
        foreach (var journal in _attached) await journal.DisposeAsync();
        _books?.Health.Dispose();
        _ledger?.Dispose();
        if (_journal is not null) await _journal.DisposeAsync();
        _clickHouse.Dispose();
        await _plane.DisposeAsync();
        _stop.Dispose();
    }

    private async ValueTask<QueryAccess> AuthorizeQueryAsync(HttpContext context, string idOrCurrent, string scope)
    {
        try
        {
            var access = await _plane.Projects.EnterAsync(
                Callers.Of(context), idOrCurrent, scope, context.RequestAborted);
            if (access.Refusal is { } refusal) return new QueryAccess(null, refusal.ToError());

            // Whose events these are is not known before the store was met.
            return _plane.EventsStore.AreIdsSafe
                ? new QueryAccess(new AuthorizedProject(access.Value.ProjectId, access.Value.TimeZone), null)
                : new QueryAccess(null, ApiError.Unavailable("The events cannot be read just now; nothing is lost."));
        }
        catch (TokenStoreException)
        {
            return new QueryAccess(null, ApiError.Unavailable("Access cannot be checked now."));
        }
    }

    private async Task RunAsync(IHostApplicationLifetime lifetime)
    {
        var meeting = Task.CompletedTask;
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        try
        {
            _journal = OpenJournal();
            string folder = _options.ForJournal().Directory;
            string journalId = GatewayIdentity.ReadOrMake(folder);
            _ledger = EventLedger.Open(_journal, folder, journalId, _options.ForLedger(), _time, _log);
            bool isUnused = _journal.NextSequence <= 1 && _ledger is { NextSequence: 0, Quarantine.Rows: 0 };
            GatewayIdentity.Claim(folder, _plane.InstallationId, isUnused);
            foreach (string attached in _options.AttachedJournals)
                _attached.Add(await AttachedJournal.OpenAsync(attached, _plane.InstallationId, _options, _time, _log));

            // From here on the ledger counts by itself what becomes durable; what lies before is counted beside that.
            var found = _journal.DurableEnd;
            _journal.OnKept = _ledger.Accept;
            var deletions = new DeletionFollower(
                _plane.Erasure, _journal, _dead, EraseAside, journalId, _time, _log);

            var met = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            meeting = Task.Run(() => MeetRedisAsync(deletions, journalId, met, lifetime, ended.Token));
            await Task.WhenAny(met.Task, meeting, Task.Delay(RedisLimit, _time, _stop.Token));
            _state.Open(new CapturePipeline(_plane.Tokens, _plane.Fence, _journal));

            await deletions.LoadAsync(_stop.Token);

            _shipper = new Shipper(
                _journal, _ledger, _table, _dead, _options.ForShipper(), _time, Random.Shared, _log);
            ulong unshipped = _attached.Select(journal => journal.Recover())
                .Aggregate(_ledger.Recover(_journal, found), Math.Max);
            _books = LedgerBooks.Open(
                _journal, _ledger, _shipper, [.. _attached.Select(journal => journal.Ledger)], _refusals,
                _plane.RevokedTokens.FindAsync, _time, _log);
            _eraser = new ProjectEraser(
                _plane.Erasure,
                new EventsEraser(_clickHouse, _time),
                journalId,
                _options.SweepEvery,
                _time,
                _log);
            await ShipAsync(_shipper, (long)unshipped, deletions, _eraser);
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Fail(error, lifetime);
        }
        finally
        {
            await ended.CancelAsync();
            await meeting;
        }
    }

    /// <summary>Beside the rest: while Redis is away, the database is the fence, and nobody waits.</summary>
    private async Task MeetRedisAsync(
        DeletionFollower deletions,
        string journalId,
        TaskCompletionSource met,
        IHostApplicationLifetime lifetime,
        CancellationToken ended)
    {
        try
        {
            await deletions.RegisterAsync(ended);
            await _plane.MeetRedisAsync(journalId, () => met.TrySetResult(), ended);
        }
        catch (OperationCanceledException) when (ended.IsCancellationRequested)
        {
        }
        catch (Exception error)
        {
            Fail(error, lifetime);
        }
    }

    /// <summary>
    /// What is acked is on disk. To go on without a journal or a shipper, or beside a store of somebody else, would be
    /// to promise more.
    /// </summary>
    private void Fail(Exception error, IHostApplicationLifetime lifetime)
    {
        if (error is ControlPlaneException or JournalException or LedgerException or InvalidDataException)
        {
            _exitCode = Banner.Fail([error.Message]);
        }
        else
        {
            _exitCode = 1;
            LogFatal(error);
        }

        lifetime.StopApplication();
    }

    private async Task MeetStoreAsync(long unshipped)
    {
        bool isTold = _engine is not null;
        await _meeting.MeetAsync(
            unshipped,
            reason =>
            {
                if (!isTold) LogStoreAway(reason);
                isTold = true;
            },
            _stop.Token);
    }

    /// <summary>
    /// The shipper's end is the end of all; those beside it never end by themselves. A store that is not known to be
    /// ours is neither written nor erased from, but deletions are followed: others must see that this gateway lives.
    /// </summary>
    private async Task ShipAsync(
        Shipper shipper, long unshipped, DeletionFollower deletions, ProjectEraser eraser)
    {
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(_stop.Token);
        var following = Task.WhenAll(deletions.RunAsync(ended.Token), _books!.Health.RunAsync(ended.Token));
        var (erasing, keeping, attached) = (Task.CompletedTask, Task.CompletedTask, Task.CompletedTask);
        try
        {
            await MeetStoreAsync(unshipped);
            keeping = _meeting.KeepIdsAsync(ended.Token);
            erasing = eraser.RunAsync(ended.Token);
            attached = Task.WhenAll(_attached.Select(journal => journal.RunAsync(
                _table, _dead, _options.ForShipper(), _ledger!.Quarantine, ended.Token)));
            await shipper.RunAsync(_stop.Token);
        }
        finally
        {
            await ended.CancelAsync();
            await Task.WhenAll(following, keeping, erasing, attached);
        }
    }

    private Dictionary<ulong, long> EraseAside(FrozenSet<ulong> projects)
    {
        var erased = new Dictionary<ulong, long>();
        foreach (var ledger in _attached.Select(journal => journal.Ledger).Prepend(_ledger!))
        {
            foreach (var (project, rows) in ledger.Quarantine.Erase(projects))
                erased[project] = erased.GetValueOrDefault(project) + rows;
        }

        return erased;
    }

    private ErasedRows Erased() => new(_dead.Dropped, _eraser?.Rows ?? 0);

    private EventJournal OpenJournal() =>
        EventJournal.Open(_options.ForJournal(), new SystemDisk(), _plane.Fence.AskAsync, _time, _log);

    private static string EngineFolder(GatewayOptions options) => Path.Combine(options.Data, "clickhouse");

    private ClickHouseOptions? EngineTarget() => _engine!.Endpoint is { } engine
        ? new ClickHouseOptions(engine.Url, engine.User, engine.Password, EngineEndpoint.Database)
        : null;

    private async Task FlushAsync(Shipper shipper)
    {
        using var limit = new CancellationTokenSource(FlushLimit, _time);
        try
        {
            await shipper.DrainAsync(limit.Token);
        }
        catch (OperationCanceledException)
        {
            LogUnshipped(shipper.BytesWaiting);
        }
    }

    [LoggerMessage(
        Level = LogLevel.Critical,
        Message = "The gateway cannot go on and stops. What was acked is on disk.")]
    private partial void LogFatal(Exception error);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "The events store was not met yet; events are kept in the journal, and it is tried again. {Reason}")]
    private partial void LogStoreAway(string reason);

    [LoggerMessage(Level = LogLevel.Warning, Message = "{Bytes} bytes were not shipped; the next start ships them.")]
    private partial void LogUnshipped(long bytes);
}
