using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>
/// Turns the open group into durable records, one group after the other: close, ask the fence, write, sync,
/// complete. There are no timers: what arrives during one group's sync is the next group.
/// </summary>
internal sealed class GroupCommitter(
    OpenGroup open,
    SegmentStore store,
    JournalRoom room,
    JournalOptions options,
    AskFence fence,
    ulong nextSequence,
    TimeProvider time,
    ILogger logger)
{
    // Where nobody sends to a gateway that says it fails, nothing would ever show that the disk is well again.
    private static readonly TimeSpan FailureCounts = TimeSpan.FromSeconds(5);

    private readonly GroupWriter _writer = new(options.SegmentBytes);
    private ulong _nextSequence = nextSequence;
    private long _records;
    private long _bytes;
    private long _groups;
    private long _failedGroups;
    private volatile Failure? _failure;

    /// <summary>Read by others than the committer only for a look.</summary>
    public ulong NextSequence => Volatile.Read(ref _nextSequence);

    public long Records => Volatile.Read(ref _records);

    public long Bytes => Volatile.Read(ref _bytes);

    public long Groups => Volatile.Read(ref _groups);

    public long FailedGroups => Volatile.Read(ref _failedGroups);

    /// <summary>Told of each record that has just become durable, before anybody can read it.</summary>
    public RecordKept? OnKept { get; set; }

    /// <summary>
    /// Why the last group could not be written; <see cref="AppendOutcome.Kept"/> from the next that is written, and
    /// when no group has tried for a while.
    /// </summary>
    public AppendOutcome State =>
        _failure is { } failure && time.GetElapsedTime(failure.At) < FailureCounts
            ? failure.Outcome
            : AppendOutcome.Kept;

    /// <summary>Commits what has piled up; false when there was nothing. One thread at a time.</summary>
    public bool CommitOnce()
    {
        if (open.Close() is not { } group) return false;

        Commit(group);
        return true;
    }

    /// <summary>Commits the last group; nothing can join any more.</summary>
    public void CommitLast()
    {
        if (open.Seal() is { } group) Commit(group);
    }

    private void Commit(PendingAppend group)
    {
        // The group is closed: from here on the fence may be asked, and one answer serves all that it holds.
        StopHere.At("group-closed");
        var roomFor = room.Check(store.BytesWaiting);
        var answer = NeedsFence(group, roomFor, out long oldestVersion) ? Ask(oldestVersion) : default;

        StopHere.At("fence-answered");
        var admitted = Admit(group, roomFor, answer);
        while (admitted is not null) admitted = WriteGroup(admitted, answer);
    }

    private static bool NeedsFence(PendingAppend group, AppendOutcome roomFor, out long oldestVersion)
    {
        oldestVersion = long.MaxValue;
        for (var pending = group; pending is not null; pending = pending.Next)
        {
            if (roomFor == AppendOutcome.Kept || pending.Entry is null)
                oldestVersion = Math.Min(oldestVersion, pending.Version);
        }

        return oldestVersion != long.MaxValue;
    }

    private FenceAnswer Ask(long oldestVersion)
    {
        try
        {
            var asked = fence(oldestVersion, CancellationToken.None);
            return asked.IsCompletedSuccessfully ? asked.Result : asked.AsTask().GetAwaiter().GetResult();
        }
        catch (Exception exception)
        {
            // Whatever went wrong, nobody answered; without an answer nothing is kept.
            JournalLog.FenceFailed(logger, exception);
            return new FenceAnswer(FenceVerdict.Unavailable, 0);
        }
    }

    /// <summary>Completes all that will not be written, and returns the rest in its order.</summary>
    private static PendingAppend? Admit(PendingAppend group, AppendOutcome roomFor, FenceAnswer answer)
    {
        PendingAppend? first = null;
        PendingAppend? last = null;
        for (PendingAppend? pending = group, next; pending is not null; pending = next)
        {
            next = pending.Next;
            pending.Next = null;
            var outcome = Judge(pending, roomFor, answer.Verdict);
            if (outcome != AppendOutcome.Kept || pending.Entry is null)
            {
                pending.Complete(outcome, answer);
                continue;
            }

            if (last is null) first = pending;
            else last.Next = pending;
            last = pending;
        }

        return first;
    }

    private static AppendOutcome Judge(PendingAppend pending, AppendOutcome roomFor, FenceVerdict verdict)
    {
        if (pending.Entry is not null && roomFor != AppendOutcome.Kept) return roomFor;

        return verdict switch
        {
            FenceVerdict.Same => AppendOutcome.Kept,
            FenceVerdict.Moved => pending.Entry is { IsCurrent: true } ? AppendOutcome.Kept : AppendOutcome.Stale,
            _ => AppendOutcome.Unfenced,
        };
    }

    /// <summary>Writes as many as one sync may cover, and returns the first that is left over.</summary>
    private PendingAppend? WriteGroup(PendingAppend first, in FenceAnswer answer)
    {
        if (FindSegment(first, answer) is not { } segment) return null;

        var rest = Bound(first, segment, out int count);
        try
        {
            StopHere.At("before-write");
            Lay(first, rest, segment, answer.Epoch);
            segment.File.Sync();
        }
        catch (IOException exception)
        {
            // A failed sync proves nothing about any byte since the one before, and is not told twice.
            store.Abandon();
            Volatile.Write(ref _failedGroups, _failedGroups + 1);
            JournalLog.WriteFailed(logger, exception, segment.Number, segment.End, count);
            Complete(first, rest, NoteFailure(exception), answer);
            return rest;
        }

        _failure = null;
        if (OnKept is { } observe) Tell(observe, first, rest);
        Publish(segment, count);
        Complete(first, rest, AppendOutcome.Kept, answer);
        return rest;
    }

    /// <summary>A segment with room for the record; null, with the whole list failed, when none can be begun.</summary>
    private Segment? FindSegment(PendingAppend first, in FenceAnswer answer)
    {
        long size = JournalRecord.SizeOf(first.Payload.Length);
        if (store.Active is { } active && active.End + size <= active.Capacity) return active;

        try
        {
            return store.Begin(size, _nextSequence);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            JournalLog.BeginFailed(logger, exception);
            Complete(first, null, NoteFailure(exception), answer);
            return null;
        }
    }

    private AppendOutcome NoteFailure(Exception exception)
    {
        bool isFull = exception is IOException failure && failure.IsDiskFull();
        var outcome = isFull ? AppendOutcome.DiskFull : AppendOutcome.WriteFailed;
        _failure = new Failure(outcome, time.GetTimestamp());
        return outcome;
    }

    private PendingAppend? Bound(PendingAppend? first, Segment segment, out int count)
    {
        long room = segment.Capacity - segment.End;
        long bytes = 0;
        count = 0;
        var pending = first;
        for (; pending is not null && count < options.MaxGroupRecords; pending = pending.Next)
        {
            bytes += JournalRecord.SizeOf(pending.Payload.Length);
            if (bytes > room || (count > 0 && bytes > options.MaxGroupBytes)) break;
            count++;
        }

        return pending;
    }

    private void Lay(PendingAppend first, PendingAppend? rest, Segment segment, long epoch)
    {
        _writer.Start(segment);
        ulong sequence = _nextSequence;
        for (var pending = first; pending != rest; pending = pending.Next!)
        {
            var fields = new JournalRecordFields(
                sequence++, _nextSequence, epoch, pending.Entry!.ProjectId, pending.ReceivedAtMicros);
            _writer.Add(fields, pending.Payload.Span);
        }

        _writer.Flush();
    }

    private void Tell(RecordKept observe, PendingAppend first, PendingAppend? rest)
    {
        ulong sequence = _nextSequence;
        for (var pending = first; pending != rest; pending = pending.Next!)
            observe(sequence++, pending.Entry!.ProjectId, pending.ReceivedAtMicros, pending.Payload.Span);
    }

    private void Publish(Segment segment, int count)
    {
        long bytes = _writer.Position - segment.End;
        _nextSequence += (ulong)count;
        store.Publish(segment, new SegmentEnd(_writer.Position, _nextSequence, _writer.LastChecksum));

        Volatile.Write(ref _records, _records + count);
        Volatile.Write(ref _bytes, _bytes + bytes);
        Volatile.Write(ref _groups, _groups + 1);
    }

    private static void Complete(
        PendingAppend first, PendingAppend? rest, AppendOutcome outcome, in FenceAnswer answer)
    {
        for (PendingAppend? pending = first, next; pending != rest; pending = next)
        {
            next = pending!.Next;
            pending.Complete(outcome, answer);
        }
    }

    private sealed record Failure(AppendOutcome Outcome, long At);
}
