using BenchmarkDotNet.Attributes;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Bench;

/// <summary>
/// Durable appends of 500 bytes on real files, each writer waiting for its acknowledgement before it appends again;
/// a shipper forgets behind them, so that segments are recycled as in service. One operation is one append.
/// </summary>
[MemoryDiagnoser]
public class JournalBenchmarks
{
    private const int Appends = 1 << 14;

    private readonly byte[] _payload = new byte[500];
    private readonly TokenEntry _entry = new(1, 7, "phc_bench"u8.ToArray());
    private volatile bool _stopping;
    private string _directory = "";
    private EventJournal _journal = null!;
    private Task _shipping = Task.CompletedTask;

    [Params(1, 64, 512)]
    public int Writers { get; set; }

    private int AppendsPerWriter => Appends / Writers;

    [GlobalSetup]
    public void Open()
    {
        _directory = Directory.CreateTempSubdirectory("journal-bench-").FullName;
        _journal = EventJournal.Open(
            new JournalOptions(_directory) { MinFreeBytes = 0 },
            new SystemDisk(),
            (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch)),
            TimeProvider.System,
            NullLogger.Instance);
        _shipping = Task.Run(ForgetAsync);
    }

    [GlobalCleanup]
    public async Task CloseAsync()
    {
        _stopping = true;
        await _shipping;
        await _journal.DisposeAsync();
        Directory.Delete(_directory, recursive: true);
    }

    [Benchmark(OperationsPerInvoke = Appends)]
    public async Task AppendAsync()
    {
        long before = _journal.Status.Counters.Records;
        var writers = new Task[Writers];
        for (int i = 0; i < writers.Length; i++) writers[i] = Task.Run(WriteAsync);
        await Task.WhenAll(writers);

        long kept = _journal.Status.Counters.Records - before;
        if (kept != (long)AppendsPerWriter * Writers) throw new InvalidOperationException($"Only {kept} were kept.");
    }

    private async Task WriteAsync()
    {
        for (int i = 0; i < AppendsPerWriter; i++)
        {
            var outcome = (await _journal.AppendAsync(_entry, 1, i, _payload)).Outcome;
            if (outcome != AppendOutcome.Kept) throw new InvalidOperationException($"An append ended as {outcome}.");
        }
    }

    private async Task ForgetAsync()
    {
        // Reads nothing but the place: shipping has a benchmark of its own.
        while (!_stopping)
        {
            await _journal.ForgetAsync(_journal.DurableEnd);
            await Task.Delay(20);
        }
    }
}
