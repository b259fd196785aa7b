using BenchmarkDotNet.Attributes;
using Gateway.Core.Journal;

namespace Gateway.Bench;

/// <summary>
/// Durable appends of 500 bytes on real files, each writer waiting for its acknowledgement before it appends again; a
/// shipper forgets behind them, so that segments are recycled as in service. One operation is one append.
/// </summary>
/// <remarks>
/// Beside it two floors. <see cref="WriteAndSync"/>: one thread writes as much with as few syncs as these writers
/// allow. <see cref="HopAlone"/>: the writers do nothing but go through the thread pool, which a caller that waits for
/// an acknowledgement cannot avoid: that much of <see cref="AppendAsync"/> is the scheduling of tasks.
/// </remarks>
[MemoryDiagnoser]
[OperationsPerSecond]
public class JournalBenchmarks : IAsyncDisposable
{
    private const int Appends = 1 << 13;
    private const int PayloadBytes = 500;
    private const int SegmentBytes = 64 << 20;

    private readonly byte[] _payload = new byte[PayloadBytes];
    private volatile bool _stopping;
    private BenchJournal _bench = null!;
    private Task _shipping = Task.CompletedTask;
    private IDiskFile _file = null!;
    private byte[] _group = [];
    private long _offset;
    private int _hops;

    [Params(1, 64, 512)]
    public int Writers { get; set; }

    [GlobalSetup]
    public void Open()
    {
        _bench = new BenchJournal();
        _shipping = Task.Run(ForgetAsync);

        _group = new byte[Writers * JournalRecord.SizeOf(PayloadBytes)];
        _file = new SystemDisk().Create(Path.Combine(_bench.Folder, "floor"));
        _file.Prewrite(SegmentBytes);
        _file.Sync();
    }

    [GlobalCleanup]
    public async ValueTask DisposeAsync()
    {
        _stopping = true;
        await _shipping;
        _file.Dispose();
        await _bench.DisposeAsync();
        GC.SuppressFinalize(this);
    }

    [Benchmark(Baseline = true, OperationsPerInvoke = Appends)]
    public void WriteAndSync()
    {
        for (int i = 0; i < Appends / Writers; i++)
        {
            if (_offset + _group.Length > SegmentBytes) _offset = 0;
            _file.WriteAll(_group, _offset);
            _file.Sync();
            _offset += _group.Length;
        }

        SampleEvents.Require(_file.Length == SegmentBytes);
    }

    [Benchmark(OperationsPerInvoke = Appends)]
    public async Task HopAlone()
    {
        _hops = 0;
        await RunAsync(HopAsync);
        SampleEvents.Require(_hops == Appends);
    }

    [Benchmark(OperationsPerInvoke = Appends)]
    public async Task AppendAsync()
    {
        long before = _bench.Journal.Status.Counters.Records;
        await RunAsync(WriteAsync);
        SampleEvents.Require(_bench.Journal.Status.Counters.Records - before == Appends);
    }

    private Task RunAsync(Func<Task> writer)
    {
        var writers = new Task[Writers];
        for (int i = 0; i < writers.Length; i++) writers[i] = Task.Run(writer);
        return Task.WhenAll(writers);
    }

    private async Task HopAsync()
    {
        for (int i = 0; i < Appends / Writers; i++)
        {
            await Task.Yield();
            Interlocked.Increment(ref _hops);
        }
    }

    private async Task WriteAsync()
    {
        for (int i = 0; i < Appends / Writers; i++)
        {
            var outcome = (await _bench.AppendAsync(0, _payload)).Outcome;
            if (outcome != AppendOutcome.Kept) throw new InvalidOperationException($"An append ended as {outcome}.");
        }
    }

    private async Task ForgetAsync()
    {
        // Reads nothing but the place: shipping has a benchmark of its own.
        while (!_stopping)
        {
            await _bench.Journal.ForgetAsync(_bench.Journal.DurableEnd);
            await Task.Delay(20);
        }
    }
}
