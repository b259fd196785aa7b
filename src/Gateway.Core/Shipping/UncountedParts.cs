using Gateway.Core.Events;
using Gateway.Core.Journal;

namespace Gateway.Core.Shipping;

/// <summary>
/// What was shipped by this process and is not counted in the store yet: which records, and how many events they hold,
/// as they were read for shipping. So the journal is read again only where the store has fewer rows than that.
/// </summary>
/// <param name="partBytes">Parts that follow one another are made one as long as it is not larger.</param>
internal sealed class UncountedParts(int partBytes)
{
    private readonly Queue<UncountedPart> _parts = [];
    private UncountedPart? _last;

    public void Add(JournalBatch shipped)
    {
        var part = new UncountedPart(shipped);
        if (_last is { } last && last.Next == part.From && last.Bytes + part.Bytes <= partBytes)
        {
            last.Join(part);
            return;
        }

        _parts.Enqueue(part);
        _last = part;
    }

    /// <summary>The part in which a position lies, if it is known; all before it is forgotten.</summary>
    public UncountedPart? At(JournalPosition position)
    {
        while (_parts.TryPeek(out var part))
        {
            if (part.Next > position) return part.From <= position ? part : null;

            _parts.Dequeue();
            if (part == _last) _last = null;
        }

        return null;
    }
}

/// <summary>A contiguous range of the journal.</summary>
internal sealed class UncountedPart
{
    /// <param name="batch">With one record at least.</param>
    public UncountedPart(JournalBatch batch)
    {
        (From, Next, Bytes) = (batch.From, batch.Next, batch.Bytes.Length);
        ulong first = 0;
        ulong last = 0;
        long firstReceived = long.MaxValue;
        long lastReceived = long.MinValue;
        foreach (var record in batch)
        {
            if (first == 0) first = record.Sequence;
            last = record.Sequence;
            firstReceived = Math.Min(firstReceived, record.ReceivedAtMicros);
            lastReceived = Math.Max(lastReceived, record.ReceivedAtMicros);
            Events += EventPayload.Count(record.Payload).Events;
        }

        Range = new RecordRange(first, last, firstReceived, lastReceived);
    }

    public JournalPosition From { get; }

    public JournalPosition Next { get; private set; }

    public long Bytes { get; private set; }

    public RecordRange Range { get; private set; }

    /// <summary>All that its records hold: those of deleted projects and refused rows of the store too.</summary>
    public long Events { get; private set; }

    /// <summary>Takes the one in that follows it.</summary>
    public void Join(UncountedPart next)
    {
        (Next, Bytes, Events) = (next.Next, Bytes + next.Bytes, Events + next.Events);
        Range = new RecordRange(
            Range.First,
            next.Range.Last,
            Math.Min(Range.FirstReceived, next.Range.FirstReceived),
            Math.Max(Range.LastReceived, next.Range.LastReceived));
    }
}
