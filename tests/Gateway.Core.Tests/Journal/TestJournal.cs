using System.Buffers.Binary;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

/// <summary>A journal on a simulated disk, without threads: the test commits, kills and opens it again.</summary>
internal sealed class TestJournal : IDisposable
{
    public const string Directory = "/journal";

    private readonly Random _salts;

    public TestJournal(int seed = 1, JournalOptions? options = null)
    {
        _salts = new Random(seed);
        Disk = new SimulatedDisk(seed);
        Options = options ?? new JournalOptions(Directory) { SegmentBytes = 32 << 10, QuotaBytes = 1 << 20 };
        Fence = (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch));
        Journal = Open();
    }

    public SimulatedDisk Disk { get; }

    public JournalOptions Options { get; set; }

    public AskFence Fence { get; set; }

    public ManualTime Time { get; } = new();

    public RecordingLogger Logger { get; } = new();

    public EventJournal Journal { get; private set; }

    public TokenEntry Entry { get; } = new(1, 7, "phc_test"u8.ToArray());

    public string SegmentPath(ulong number) => Path.Combine(Directory, Segment.NameOf(number));

    public EventJournal Open() => EventJournal.Open(
        Options,
        Disk,
        (epoch, cancel) => Fence(epoch, cancel),
        Time,
        Logger,
        () => (ulong)_salts.NextInt64(),
        withThreads: false);

    public void Reopen() => Journal = Open();

    public void KillAndReopen()
    {
        Disk.Kill();
        Reopen();
    }

    public void LosePowerAndReopen()
    {
        Disk.LosePower();
        Reopen();
    }

    public Answer Append(ReadOnlyMemory<byte> payload, long epoch = 1, TokenEntry? entry = null) =>
        new(Journal.AppendAsync(entry ?? Entry, epoch, 1_000, payload));

    public Answer Refuse(long epoch) => new(Journal.FenceAsync(epoch));

    public AppendOutcome Commit(ReadOnlyMemory<byte> payload) => Commit([payload]).Single();

    /// <summary>Appends these as one group and commits it.</summary>
    public AppendOutcome[] Commit(params ReadOnlyMemory<byte>[] payloads)
    {
        var answers = payloads.Select(payload => Append(payload)).ToArray();
        Assert.True(Journal.CommitOnce());
        return [.. answers.Select(answer => answer.Outcome)];
    }

    /// <summary>All that can be shipped, with where each batch ended.</summary>
    public List<ReadRecord> ReadAll(JournalPosition? from = null, int maxBytes = 4096)
    {
        List<ReadRecord> records = [];
        var batch = new JournalBatch();
        var position = from ?? Journal.ShippedPosition;
        while (Journal.Read(position, batch, maxBytes))
        {
            Assert.True(batch.Count > 0);
            foreach (var record in batch)
            {
                records.Add(new ReadRecord(
                    record.Sequence, record.Group, record.Epoch, record.Payload.ToArray(), batch.Next));
            }

            position = batch.Next;
        }

        return records;
    }

    public JournalPosition End()
    {
        var all = ReadAll();
        return all.Count == 0 ? Journal.ShippedPosition : all[^1].BatchEnd;
    }

    public void Forget(JournalPosition upTo, ReadOnlyMemory<byte> ledger = default) =>
        Journal.ForgetAsync(upTo, ledger).AsTask().GetAwaiter().GetResult();

    public static byte[] Payload(int id, int length = 100)
    {
        byte[] payload = new byte[Math.Max(4, length)];
        uint word = (uint)id;
        for (int i = 0; i < payload.Length; i++)
        {
            word = (word * 1664525) + 1013904223;
            payload[i] = (byte)(word >> 24);
        }

        BinaryPrimitives.WriteInt32LittleEndian(payload, id);
        return payload;
    }

    public static int IdOf(ReadOnlySpan<byte> payload) => BinaryPrimitives.ReadInt32LittleEndian(payload);

    public List<int> ReadIds() => [.. ReadAll().Select(record => IdOf(record.Payload))];

    public void Dispose() => Journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
}

/// <summary>What an append will be answered with, once the test has committed it.</summary>
internal sealed class Answer(ValueTask<AppendResult> task)
{
    public bool IsThere => task.IsCompleted;

    /// <summary>May be taken once.</summary>
    public AppendOutcome Outcome
    {
        get
        {
            Assert.True(IsThere);
            return task.Result.Outcome;
        }
    }
}

internal sealed record ReadRecord(ulong Sequence, ulong Group, long Epoch, byte[] Payload, JournalPosition BatchEnd);

/// <summary>A clock that stands still until it is told.</summary>
internal sealed class ManualTime : TimeProvider
{
    private long _ticks = TimeSpan.TicksPerDay;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _ticks;

    public void Advance(TimeSpan by) => _ticks += by.Ticks;
}

internal sealed class RecordingLogger : ILogger
{
    public List<(LogLevel Level, string Text)> Entries { get; } = [];

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter) =>
        Entries.Add((logLevel, formatter(state, exception)));

    public bool Has(LogLevel level, string part) =>
        Entries.Exists(entry => entry.Level == level && entry.Text.Contains(part, StringComparison.Ordinal));
}
