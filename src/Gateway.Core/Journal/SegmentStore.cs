using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>
/// The segments between the shipped position and the end, and the way one follows another. Only the committer begins
/// segments and moves their ends; only the shipper forgets.
/// </summary>
internal sealed class SegmentStore : IDisposable
{
    private readonly Lock _lock = new();
    private readonly JournalOptions _options;
    private readonly IDisk _disk;
    private readonly PositionSlots _slots;
    private readonly Func<ulong> _drawSalt;
    private readonly ILogger _logger;
    private readonly List<Segment> _segments;
    private JournalPosition _shipped;
    private long _bytesWaiting;
    private TaskCompletionSource? _more;
    private bool _disposed;

    public SegmentStore(
        JournalOptions options,
        IDisk disk,
        RecoveredJournal recovered,
        SpareSegments spares,
        Func<ulong> drawSalt,
        ILogger logger)
    {
        (_options, _disk, _drawSalt, _logger) = (options, disk, drawSalt, logger);
        (_slots, _segments, Spares) = (recovered.Slots, recovered.Segments, spares);
        _shipped = recovered.Position;
        _bytesWaiting = CountWaiting();
    }

    public SpareSegments Spares { get; }

    /// <summary>Where the next group goes when it fits; null when a new segment has to be begun.</summary>
    public Segment? Active { get; private set; }

    public JournalPosition ShippedPosition
    {
        get
        {
            lock (_lock) return _shipped;
        }
    }

    /// <summary>Behind the last durable record.</summary>
    public JournalPosition DurableEnd =>
        Last() is { } last ? new JournalPosition(last.Number, last.End) : ShippedPosition;

    public ReadOnlyMemory<byte> Ledger => _slots.Ledger;

    public long BytesWaiting => Volatile.Read(ref _bytesWaiting);

    /// <summary>Bytes of durable records behind a position.</summary>
    public long BytesBehind(JournalPosition position)
    {
        lock (_lock) return CountBehind(position);
    }

    public int Count
    {
        get
        {
            lock (_lock) return _segments.Count;
        }
    }

    /// <summary>
    /// Begins the segment that follows, durable and named before this returns, with room for a record of this size.
    /// The segment before is closed from the first step on, whatever becomes of the rest: a header that says where it
    /// ended may be on disk already.
    /// </summary>
    public Segment Begin(long recordBytes, ulong firstSequence)
    {
        Active = null;
        var previous = Last();
        long capacity = Math.Max(_options.SegmentBytes, SegmentHeader.Bytes + recordBytes);
        var header = new SegmentHeader(
            (previous?.Number ?? 0) + 1, _drawSalt(), firstSequence, previous?.End ?? 0, previous?.LastChecksum ?? 0);
        string spare = Spares.Take(capacity);
        string path = Path.Combine(_options.Directory, Segment.NameOf(header.Number));
        var file = OpenWithHeader(spare, header);
        try
        {
            _disk.Rename(spare, path);
            _disk.SyncDirectory(_options.Directory);
            _slots.SaveLastSegment(header.Number);
        }
        catch (IOException)
        {
            // The name may have come to stay: the next attempt takes the same number and replaces it.
            file.Dispose();
            _disk.Delete(spare);
            throw;
        }

        var segment = new Segment(path, file, header, capacity);
        lock (_lock) _segments.Add(segment);
        Active = segment;
        if (previous is null) return segment;

        Trim(previous);
        if (BytesWaiting > _options.CachedBytes) previous.File.Uncache();
        return segment;
    }

    /// <summary>Ends the active segment at its last good offset; its file is never written or synced again.</summary>
    public void Abandon() => Active = null;

    /// <summary>Lets readers see what was synced.</summary>
    public void Publish(Segment segment, in SegmentEnd end)
    {
        lock (_lock)
        {
            _bytesWaiting += end.Offset - segment.End;
            segment.MoveEnd(end);
        }

        Interlocked.Exchange(ref _more, null)?.TrySetResult();
    }

    /// <summary>Where the segment ends at one moment: its end, its sequence and its checksum belong together.</summary>
    public SegmentEnd EndOf(Segment segment)
    {
        lock (_lock) return new SegmentEnd(segment.End, segment.NextSequence, segment.LastChecksum);
    }

    /// <summary>The segment that a position points into; when another one follows it, its end is final.</summary>
    public Segment? Find(JournalPosition position, out bool isFollowed)
    {
        lock (_lock)
        {
            isFollowed = false;
            if (_segments.Count == 0) return null;

            ulong first = _segments[0].Number;
            ulong wanted = position.Segment == 0 ? first : position.Segment;
            if (wanted < first)
                throw new JournalException($"Segment {wanted} was forgotten; the journal begins at {first}.");

            isFollowed = wanted < _segments[^1].Number;
            return wanted > _segments[^1].Number ? null : _segments[(int)(wanted - first)];
        }
    }

    public bool HasMore(JournalPosition after)
    {
        var segment = Find(after, out bool isFollowed);
        if (segment is null) return false;
        if (segment.End > segment.SkipDamage(Math.Max(after.Offset, SegmentHeader.Bytes))) return true;

        return isFollowed && HasMore(new JournalPosition(segment.Number + 1, 0));
    }

    public async ValueTask WaitForMoreAsync(JournalPosition after, CancellationToken cancellationToken)
    {
        while (!HasMore(after))
        {
            ObjectDisposedException.ThrowIf(Volatile.Read(ref _disposed), this);

            // Look again once the wait is announced: what came in between has found nobody to tell.
            var more = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            more = Interlocked.CompareExchange(ref _more, more, null) ?? more;
            if (HasMore(after) || Volatile.Read(ref _disposed)) continue;

            await more.Task.WaitAsync(cancellationToken);
        }
    }

    /// <summary>Persists the position and the ledger; then removes the segments that lie wholly before it.</summary>
    public void Forget(JournalPosition upTo, ReadOnlyMemory<byte> ledger)
    {
        var end = DurableEnd;
        if (upTo < ShippedPosition || upTo > end)
            throw new ArgumentOutOfRangeException(nameof(upTo), upTo, $"Not from {ShippedPosition} to {end}.");

        _slots.SavePosition(upTo, ledger);

        // Before a file goes, both slots must be past it: should one become unreadable, the other would ask for it.
        if (Find(default, out _) is { } first && first.Number < upTo.Segment) _slots.SavePosition(upTo, ledger);

        List<Segment> gone;
        lock (_lock)
        {
            _shipped = upTo;
            gone = _segments.FindAll(segment => segment.Number < upTo.Segment);
            _segments.RemoveRange(0, gone.Count);
            _bytesWaiting = CountWaiting();
        }

        if (gone.Count > 0) Remove(gone);
    }

    public void Dispose()
    {
        Volatile.Write(ref _disposed, true);
        Interlocked.Exchange(ref _more, null)?.TrySetResult();
        lock (_lock)
        {
            foreach (var segment in _segments) segment.Dispose();
            _segments.Clear();
        }

        _slots.Dispose();
    }

    private Segment? Last()
    {
        lock (_lock) return _segments.Count == 0 ? null : _segments[^1];
    }

    private IDiskFile OpenWithHeader(string spare, in SegmentHeader header)
    {
        IDiskFile? file = null;
        try
        {
            file = _disk.Open(spare);
            byte[] bytes = new byte[SegmentHeader.Bytes];
            header.Write(bytes);
            file.WriteAll(bytes, 0);
            file.Sync();
            return file;
        }
        catch (IOException)
        {
            file?.Dispose();
            _disk.Delete(spare);
            throw;
        }
    }

    /// <summary>Gives back what a segment that ended early will never use.</summary>
    private void Trim(Segment segment)
    {
        if (segment.IsUnreadable || segment.Capacity - segment.End < _options.SegmentBytes / 4) return;

        try
        {
            segment.File.SetLength(segment.End);
        }
        catch (IOException exception)
        {
            JournalLog.ForgetFailed(_logger, exception);
        }
    }

    private void Remove(List<Segment> gone)
    {
        foreach (var segment in gone) Remove(segment);
        try
        {
            _disk.SyncDirectory(_options.Directory);
        }
        catch (IOException exception)
        {
            JournalLog.ForgetFailed(_logger, exception);
        }
    }

    private void Remove(Segment segment)
    {
        try
        {
            long length = segment.File.Length;
            segment.Dispose();
            Spares.Recycle(segment.Path, length);
        }
        catch (IOException exception)
        {
            JournalLog.ForgetFailed(_logger, exception);
        }
    }

    private long CountWaiting() => CountBehind(_shipped);

    private long CountBehind(JournalPosition position)
    {
        long waiting = 0;
        foreach (var segment in _segments)
        {
            if (segment.Number < position.Segment) continue;

            long before = segment.Number == position.Segment ? position.Offset : 0;
            waiting += Math.Max(0, segment.End - Math.Max(before, SegmentHeader.Bytes));
        }

        return waiting;
    }
}
