using System.Collections.Concurrent;
using Gateway.Core.ClickHouse;
using Gateway.Core.Journal;
using Gateway.Core.Shipping;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Shipping;

/// <summary>A journal in a folder of its own and a shipper that is started and stopped, as processes are.</summary>
internal sealed class ShippingHarness : IAsyncDisposable, ILogger
{
    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-shipping-{Guid.NewGuid():N}");
    private readonly ClickHouseClient _client;
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public ShippingHarness(ClickHouseOptions target, TimeSpan? timeout = null)
    {
        _client = new ClickHouseClient(target) { StatementTimeout = timeout ?? TimeSpan.FromSeconds(30) };
        Journal = OpenJournal();
    }

    public ShipperOptions Options { get; set; } = new()
    {
        Pace = TimeSpan.FromMilliseconds(20),
        FirstRetry = TimeSpan.FromMilliseconds(1),
        LongestRetry = TimeSpan.FromMilliseconds(20),
    };

    public EventJournal Journal { get; private set; }

    public DeadProjects Dead { get; } = new();

    public Shipper? Shipper { get; private set; }

    public string QuarantinePath => Path.Combine(_folder, "quarantine", "rows.jsonl");

    public ConcurrentQueue<string> Messages { get; } = [];

    public void Start(int seed = 1)
    {
        _stop = new CancellationTokenSource();
        Shipper = new Shipper(
            Journal,
            new EventsTable(_client),
            new Quarantine(QuarantinePath, TimeProvider.System),
            Dead,
            Options,
            TimeProvider.System,
            new Random(seed),
            this);
        _running = Shipper.RunAsync(_stop.Token);
    }

    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
    }

    /// <summary>As after the end of the process: only what is on disk is left.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await Journal.DisposeAsync();
        Journal = OpenJournal();
        Start();
    }

    public async Task AppendAsync(ulong projectId, SampleRecord record, long? receivedAtMicros = null)
    {
        long now = receivedAtMicros ?? (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10;
        var entry = new TokenEntry((long)projectId, projectId, "phc_x"u8.ToArray());
        Assert.Equal(AppendOutcome.Kept, (await Journal.AppendAsync(entry, 1, now, record.ToPayload())).Outcome);
    }

    public Task ShippedAsync() => UntilAsync(() => Journal.Status.BytesWaiting == 0);

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromSeconds(60));
        while (!condition()) await Task.Delay(5, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        await Journal.DisposeAsync();
        _client.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) => Messages.Enqueue(formatter(state, exception));

    private EventJournal OpenJournal() => EventJournal.Open(
        new JournalOptions(Path.Combine(_folder, "journal"))
        {
            SegmentBytes = 1 << 20,
            QuotaBytes = 1 << 30,
            MinFreeBytes = 0,
        },
        new SystemDisk(),
        (_, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, 1)),
        TimeProvider.System,
        this);
}
