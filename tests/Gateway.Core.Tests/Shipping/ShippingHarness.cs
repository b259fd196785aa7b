using System.Collections.Concurrent;
using Gateway.Core.ClickHouse;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Shipping;

/// <summary>A journal in a folder of its own and a shipper that is started and stopped, as processes are.</summary>
internal sealed class ShippingHarness : IAsyncDisposable, ILogger
{
    private const string JournalId = "0123456789abcdef0123456789abcdef";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-shipping-{Guid.NewGuid():N}");
    private readonly ClickHouseClient _client;
    private CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;

    public ShippingHarness(ClickHouseOptions target, TimeSpan? timeout = null)
    {
        _client = new ClickHouseClient(target) { StatementTimeout = timeout ?? TimeSpan.FromSeconds(30) };
        (Journal, Ledger) = Open();
    }

    public ShipperOptions Options { get; set; } = new()
    {
        Pace = TimeSpan.FromMilliseconds(20),
        FirstRetry = TimeSpan.FromMilliseconds(1),
        LongestRetry = TimeSpan.FromMilliseconds(20),
        CheckEvery = TimeSpan.FromMilliseconds(20),
        LossAfter = TimeSpan.Zero,
    };

    public EventJournal Journal { get; private set; }

    public EventLedger Ledger { get; private set; }

    public LedgerOptions LedgerOptions { get; set; } = new();

    public DeadProjects Dead { get; } = new();

    public Shipper? Shipper { get; private set; }

    public ConcurrentQueue<string> Messages { get; } = [];

    public void Start(int seed = 1)
    {
        _stop.Dispose();
        _stop = new CancellationTokenSource();
        Shipper = new Shipper(
            Journal,
            Ledger,
            new EventsTable(_client),
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
    }

    /// <summary>As after the end of the process: only what is on disk is left.</summary>
    public async Task RestartAsync()
    {
        await StopAsync();
        await ReopenAsync();
        Start();
    }

    /// <summary>As the next process finds it; the shipper must be stopped.</summary>
    public async Task ReopenAsync()
    {
        Ledger.Dispose();
        await Journal.DisposeAsync();
        (Journal, Ledger) = Open();
    }

    public async Task AppendAsync(ulong projectId, SampleRecord record, long? receivedAtMicros = null)
    {
        long now = receivedAtMicros ?? (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10;
        var entry = new TokenEntry((long)projectId, projectId, "phc_x"u8.ToArray());
        Assert.Equal(AppendOutcome.Kept, (await Journal.AppendAsync(entry, 1, now, record.ToPayload())).Outcome);
    }

    /// <summary>Zeros in place of every record.</summary>
    public void DamageJournal()
    {
        foreach (string segment in Directory.EnumerateFiles(_folder, "*" + Segment.Suffix, SearchOption.AllDirectories))
        {
            using var file = new FileStream(segment, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite);
            file.Position = SegmentHeader.Bytes;
            file.Write(new byte[file.Length - SegmentHeader.Bytes]);
        }
    }

    public Task ShippedAsync() => UntilAsync(() => Shipper!.BytesWaiting == 0);

    /// <summary>Shipped, found in the store, and forgotten by the journal.</summary>
    public Task ForgottenAsync() => UntilAsync(() => Journal.Status.BytesWaiting == 0);

    /// <summary>What a project's events came to, over all minutes.</summary>
    public LedgerMinute LedgerOf(ulong projectId)
    {
        var sum = new LedgerMinute { Minute = 0 };
        foreach (var minute in Ledger.Read(projectId, 0, int.MaxValue))
        {
            sum = sum with
            {
                Shipped = sum.Shipped + minute.Shipped,
                Quarantined = sum.Quarantined + minute.Quarantined,
                Erased = sum.Erased + minute.Erased,
                Waiting = sum.Waiting + minute.Waiting,
                Damaged = sum.Damaged + minute.Damaged,
                Refused = sum.Refused + minute.Refused,
                Missed = sum.Missed + minute.Missed,
            };
        }

        return sum;
    }

    public static async Task UntilAsync(Func<bool> condition)
    {
        using var patience = new CancellationTokenSource(TimeSpan.FromMinutes(3));
        while (!condition()) await Task.Delay(5, patience.Token);
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _running;
        _stop.Dispose();
        Ledger.Dispose();
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

    private (EventJournal, EventLedger) Open()
    {
        string folder = Path.Combine(_folder, "journal");
        var journal = EventJournal.Open(
            new JournalOptions(folder)
            {
                SegmentBytes = 1 << 20,
                QuotaBytes = 1 << 30,
                MinFreeBytes = 0,
            },
            new SystemDisk(),
            (_, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, 1)),
            TimeProvider.System,
            this);
        var ledger = EventLedger.Open(journal, folder, JournalId, LedgerOptions, TimeProvider.System, this);
        ledger.Recover(journal, journal.DurableEnd);
        journal.OnKept = ledger.Accept;
        return (journal, ledger);
    }
}
