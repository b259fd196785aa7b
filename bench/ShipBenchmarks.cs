using BenchmarkDotNet.Attributes;
using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Bench;

/// <summary>
/// From acknowledged to stored, without the engine: a journal of fifty projects is read, made into blocks, sent to a
/// store that only reads them, settled in the ledger, and counted before the journal forgets it. The time is that of
/// one event; each step's name says how far it goes.
/// </summary>
[MemoryDiagnoser]
[OperationsPerSecond]
public class ShipBenchmarks : IAsyncDisposable
{
    private const int Events = 100_000;
    private const int WarmUpRounds = 60;
    private const int Rounds = 30;

    /// <summary>In what <see cref="MicrosOfProcessorAsync"/> measures.</summary>
    internal const int EventsCounted = Rounds * Events;

    private readonly JournalBatch _batch = new();
    private readonly EventBlock _block = new(Guid.NewGuid());
    private readonly ShipperOptions _options = new();
    private BenchJournal _bench = null!;
    private EventLedger _ledger = null!;
    private DrainingStore _store = null!;
    private ClickHouseClient _client = null!;
    private Shipper? _shipper;
    private byte[] _payload = [];
    private JournalPosition _start;

    /// <summary>Events in one request, and so in one record.</summary>
    [Params(1, 100)]
    public int Batch { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _payload = SampleEvents.Payload(Batch);
        _bench = new BenchJournal();
        _ledger = EventLedger.Open(
            _bench.Journal,
            _bench.Folder,
            Guid.NewGuid().ToString("N"),
            new LedgerOptions(),
            TimeProvider.System,
            NullLogger.Instance);
        _bench.Journal.OnKept = _ledger.Accept;
        _store = new DrainingStore(Batch);
        var target = ClickHouseOptions.Parse("http://127.0.0.1:8123");
        _client = new ClickHouseClient(() => target, null, _store);
    }

    [GlobalCleanup]
    public async ValueTask DisposeAsync()
    {
        _client.Dispose();
        _ledger.Dispose();
        await _bench.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [IterationSetup]
    public void Append()
    {
        _start = _bench.Journal.DurableEnd;
        var appends = Enumerable.Range(0, Events / Batch).Select(i => _bench.AppendAsync(i, _payload).AsTask());
        var results = Task.WhenAll(appends).GetAwaiter().GetResult();
        SampleEvents.Require(Array.TrueForAll(results, result => result.Outcome == AppendOutcome.Kept));
    }

    [IterationCleanup(Targets = [nameof(Read), nameof(ReadAndBuild)])]
    public void Forget() => _bench.Journal.ForgetAsync(_bench.Journal.DurableEnd).AsTask().GetAwaiter().GetResult();

    [Benchmark(Baseline = true, OperationsPerInvoke = Events)]
    public void Read() => SampleEvents.Require(ReadAll(build: false) == Events);

    [Benchmark(OperationsPerInvoke = Events)]
    public void ReadAndBuild() => SampleEvents.Require(ReadAll(build: true) == Events);

    [Benchmark(OperationsPerInvoke = Events)]
    public async Task Ship() => await ShipAsync(countEvery: TimeSpan.FromDays(1));

    [Benchmark(OperationsPerInvoke = Events)]
    public async Task ShipAndCount() => await ShipAsync(countEvery: TimeSpan.Zero);

    /// <summary>
    /// Microseconds of processor time that <see cref="Ship"/> takes for an event, all threads of the process counted.
    /// What it waits for the disk, when the ledger is synced after each block, is in the table's times but not in this.
    /// </summary>
    internal static async Task<double> MicrosOfProcessorAsync(int batch)
    {
        await using var bench = new ShipBenchmarks { Batch = batch };
        bench.Open();
        var spent = TimeSpan.Zero;
        for (int round = -WarmUpRounds; round < Rounds; round++)
        {
            bench.Append();
            var before = Environment.CpuUsage.TotalTime;
            await bench.Ship();
            if (round >= 0) spent += Environment.CpuUsage.TotalTime - before;
        }

        return spent.TotalMicroseconds / EventsCounted;
    }

    private int ReadAll(bool build)
    {
        int events = 0;
        for (var at = _start; _bench.Journal.Read(at, _batch, _options.BlockBytes); at = _batch.Next)
        {
            if (!build)
            {
                foreach (var record in _batch) events += EventPayload.Count(record.Payload).Events;
                continue;
            }

            _block.Clear();
            _block.Add(_batch);
            SampleEvents.Require(_block.Write(0, _block.Rows).Length > _block.Rows * 400L);
            events += _block.Rows;
        }

        return events;
    }

    /// <summary>One block a step, with no pause between two, as behind a backlog.</summary>
    private async Task ShipAsync(TimeSpan countEvery)
    {
        _shipper ??= NewShipper(countEvery);
        long before = _store.Rows;
        while (_shipper.BytesWaiting > 0) await _shipper.StepAsync(CancellationToken.None);

        SampleEvents.Require(_store.Rows - before == Events && _ledger.Totals.Waiting == 0);
        SampleEvents.Require(countEvery > TimeSpan.Zero || _shipper.Status is { RowsMissing: 0, RowsChecked: > 0 });
    }

    private Shipper NewShipper(TimeSpan countEvery) => new(
        _bench.Journal,
        _ledger,
        new EventsTable(_client),
        new DeadProjects(),
        _options with { Pace = TimeSpan.Zero, CheckEvery = countEvery },
        TimeProvider.System,
        new Random(1),
        NullLogger.Instance);
}
