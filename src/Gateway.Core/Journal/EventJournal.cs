using System.Collections.Concurrent;
using System.Security.Cryptography;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>
/// The gateway's write-ahead log: what it answers <see cref="AppendOutcome.Kept"/> to was authenticated by a fence
/// that was asked after the append, and survives the loss of the process and of power. Any number of threads append;
/// one ships: reads, waits and forgets.
/// </summary>
public sealed class EventJournal : IAsyncDisposable
{
    private const int MaxPeeks = 8;

    private readonly ConcurrentQueue<PendingAppend> _pool = new();
    private readonly JournalOptions _options;
    private readonly IDisposable _lock;
    private readonly JournalRoom _room;
    private readonly OpenGroup _open;
    private readonly SegmentStore _store;
    private readonly SegmentQuarantine _quarantine;
    private readonly GroupCommitter _committer;
    private readonly JournalReader _reader;
    private readonly JournalThreads? _threads;
    private readonly Lock _closeLock = new();
    private Task? _closing;
    private bool _isClosed;

    private EventJournal(
        JournalOptions options,
        IDisk disk,
        AskFence fence,
        TimeProvider time,
        ILogger logger,
        IDisposable fileLock,
        Func<ulong> drawSalt,
        bool withThreads)
    {
        (_options, _lock) = (options, fileLock);
        _quarantine = new SegmentQuarantine(options, disk, logger);
        var recovered = new JournalRecovery(options, disk, _quarantine, logger).Run();
        var spares = new SpareSegments(options, disk, logger);
        spares.Recover();
        spares.Ensure();

        _room = new JournalRoom(options, disk, time, logger);
        _open = new OpenGroup(_pool);
        _store = new SegmentStore(options, disk, recovered, spares, drawSalt, logger);
        _committer = new GroupCommitter(_open, _store, _room, options, fence, recovered.NextSequence, time, logger);
        _reader = new JournalReader(_store, _quarantine);
        JournalLog.Recovered(logger, _store.Count, _store.BytesWaiting, recovered.NextSequence);

        if (withThreads) _threads = new JournalThreads(_committer, _store);
    }

    /// <summary>The journal at this moment.</summary>
    public JournalStatus Status => new()
    {
        State = WhyNot(),
        BytesWaiting = _store.BytesWaiting,
        Segments = _store.Count,
        OldestWaitingMicros = PeekFrom(() => _store.ShippedPosition),
        Counters = new JournalCounters
        {
            Records = _committer.Records,
            Bytes = _committer.Bytes,
            Groups = _committer.Groups,
            FailedGroups = _committer.FailedGroups,
            LostRecords = _quarantine.LostRecords,
        },
    };

    /// <summary>
    /// Told of each record that became durable, by the committer's thread, before anybody can read it; in the order of
    /// the sequences. Set before the first append. It must not throw and should not take long.
    /// </summary>
    public RecordKept? OnKept
    {
        get => _committer.OnKept;
        set => _committer.OnKept = value;
    }

    /// <summary>Everything before it is stored elsewhere, durably, and forgotten here.</summary>
    public JournalPosition ShippedPosition => _store.ShippedPosition;

    /// <summary>The sequence of the next record, as of now.</summary>
    public ulong NextSequence => _committer.NextSequence;

    /// <summary>Behind the last durable record: where a shipper that reads on will have to get to.</summary>
    public JournalPosition DurableEnd => _store.DurableEnd;

    /// <summary>What the last <see cref="ForgetAsync"/> kept beside the position.</summary>
    public ReadOnlyMemory<byte> Ledger => _store.Ledger;

    /// <summary>Opens the journal and recovers what an earlier process left.</summary>
    /// <exception cref="JournalException">
    /// Another process holds it, a segment is missing, or the position is unreadable; nothing was changed.
    /// </exception>
    public static EventJournal Open(
        JournalOptions options, IDisk disk, AskFence fence, TimeProvider time, ILogger logger) =>
        Open(options, disk, fence, time, logger, DrawSalt, withThreads: true);

    /// <summary>As above; without threads of its own, the caller commits by <see cref="CommitOnce"/>.</summary>
    internal static EventJournal Open(
        JournalOptions options,
        IDisk disk,
        AskFence fence,
        TimeProvider time,
        ILogger logger,
        Func<ulong> drawSalt,
        bool withThreads)
    {
        if (options.Validate().FirstOrDefault() is { } mistake) throw new JournalException(mistake);

        disk.CreateDirectory(options.Directory);
        var fileLock = disk.TryLock(Path.Combine(options.Directory, "journal.lock"))
            ?? throw new JournalException(
                $"Another process uses the journal in '{options.Directory}'. Stop it, or give this one "
                + "its own directory.");
        try
        {
            return new EventJournal(options, disk, fence, time, logger, fileLock, drawSalt, withThreads);
        }
        catch
        {
            fileLock.Dispose();
            throw;
        }
    }

    /// <summary>
    /// Appends one request to the open group. The payload is not copied before the group is written: it must stay
    /// untouched until the task completes.
    /// </summary>
    /// <param name="entry">The token's entry as the look-up found it.</param>
    /// <param name="version">The table's version, read before that look-up.</param>
    /// <param name="receivedAtMicros">Microseconds since 1970 UTC.</param>
    /// <param name="payload">Any bytes, also none.</param>
    public ValueTask<AppendResult> AppendAsync(
        TokenEntry entry, long version, long receivedAtMicros, ReadOnlyMemory<byte> payload)
    {
        ArgumentNullException.ThrowIfNull(entry);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(payload.Length, _options.MaxPayloadBytes, nameof(payload));
        return Join(PendingAppend.Rent(_pool, entry, version, receivedAtMicros, payload));
    }

    /// <summary>
    /// Lets a refusal wait for a fence that is asked after this call: <see cref="AppendOutcome.Kept"/> when nothing
    /// changed since <paramref name="version"/> of the table and the refusal stands, <see cref="AppendOutcome.Stale"/>
    /// when the token has to be looked up again.
    /// </summary>
    public ValueTask<AppendResult> FenceAsync(long version) =>
        Join(PendingAppend.Rent(_pool, null, version, 0, default));

    /// <summary>Completes when a durable record lies behind the position.</summary>
    /// <exception cref="ObjectDisposedException">The journal was disposed meanwhile.</exception>
    public ValueTask WaitForMoreAsync(JournalPosition after, CancellationToken cancellationToken) =>
        _store.WaitForMoreAsync(after, cancellationToken);

    /// <summary>
    /// Fills the batch with the records that follow a position: durable ones only, whole, in order, and up to
    /// <paramref name="maxBytes"/> unless the first alone is larger. False when there is none.
    /// </summary>
    /// <param name="from">Behind the last record that is known.</param>
    /// <param name="batch">Filled anew.</param>
    /// <param name="maxBytes">Bytes of records.</param>
    /// <param name="until">Not beyond this position; null: as far as records are durable.</param>
    public bool Read(JournalPosition from, JournalBatch batch, int maxBytes, JournalPosition? until = null) =>
        _reader.Read(from, batch, maxBytes, until);

    /// <summary>
    /// When the first record behind a position was received, microseconds since 1970; null without one.
    /// </summary>
    public long? PeekReceivedAt(JournalPosition from) => PeekFrom(() => from);

    /// <summary>Bytes of durable records behind a position.</summary>
    public long BytesBehind(JournalPosition position) => _store.BytesBehind(position);

    /// <summary>
    /// Persists how far the journal was shipped, together with bytes of the shipper's own (at most 1 MiB), and then
    /// frees what lies before. Done when this returns; it may be called again after a failure.
    /// </summary>
    /// <exception cref="IOException">The position could not be persisted; nothing was freed.</exception>
    public ValueTask ForgetAsync(JournalPosition upTo, ReadOnlyMemory<byte> ledger = default)
    {
        _store.Forget(upTo, ledger);
        _room.Invalidate();
        return ValueTask.CompletedTask;
    }

    /// <summary>Takes no more appends; those taken are fenced, written and answered before this completes.</summary>
    public ValueTask CloseAsync()
    {
        lock (_closeLock)
        {
            Volatile.Write(ref _isClosed, true);
            _closing ??= _threads?.StopAsync() ?? CloseHere();
        }

        return new ValueTask(_closing);
    }

    public async ValueTask DisposeAsync()
    {
        await CloseAsync();
        _store.Dispose();
        _lock.Dispose();
    }

    /// <summary>One step of the committer, for whoever opened the journal without threads.</summary>
    internal bool CommitOnce() => _committer.CommitOnce();

    private static ulong DrawSalt()
    {
        Span<byte> salt = stackalloc byte[sizeof(ulong)];
        RandomNumberGenerator.Fill(salt);
        return BitConverter.ToUInt64(salt);
    }

    private AppendOutcome WhyNot()
    {
        if (Volatile.Read(ref _isClosed)) return AppendOutcome.Closed;

        var room = _room.Check(_store.BytesWaiting);
        return room == AppendOutcome.Kept ? _committer.State : room;
    }

    // A segment may be forgotten between the two steps; the position has moved on then, and is asked for again.
    private long? PeekFrom(Func<JournalPosition> position)
    {
        for (int attempt = 0; attempt < MaxPeeks && _store.BytesWaiting > 0; attempt++)
        {
            try
            {
                return _reader.PeekReceivedAt(position());
            }
            catch (IOException)
            {
                return null; // The shipper meets the same failure, and tells it.
            }
            catch (Exception exception) when (exception is JournalException or ObjectDisposedException)
            {
            }
        }

        return null;
    }

    private ValueTask<AppendResult> Join(PendingAppend pending)
    {
        StopHere.At("looked-up");
        var task = pending.Task; // Before it joins: then it may be done, taken and rented again at any moment.
        if (!_open.TryJoin(pending, out bool isFirst)) pending.Complete(AppendOutcome.Closed, default);
        else if (isFirst) _threads?.WakeCommitter();
        return task;
    }

    private Task CloseHere()
    {
        _committer.CommitLast();
        return Task.CompletedTask;
    }
}

/// <summary>A record that has just become durable.</summary>
/// <param name="sequence">From 1 on, without a gap.</param>
/// <param name="projectId">Whose it is.</param>
/// <param name="receivedAtMicros">Microseconds since 1970 UTC.</param>
/// <param name="payload">Good during the call only.</param>
public delegate void RecordKept(ulong sequence, ulong projectId, long receivedAtMicros, ReadOnlySpan<byte> payload);
