using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>What a start found on the disk.</summary>
/// <param name="Slots">The position's files.</param>
/// <param name="Position">Where shipping goes on.</param>
/// <param name="Segments">From the position's segment on, without a gap.</param>
/// <param name="NextSequence">Above that of every record that was ever durable.</param>
internal sealed record RecoveredJournal(
    PositionSlots Slots, JournalPosition Position, List<Segment> Segments, ulong NextSequence);

/// <summary>
/// Reads the journal's directory at start: finds the position, insists on every segment above it, scans them, and
/// quarantines what is damaged. Nothing is ever appended to a segment that was found: a new one follows it.
/// </summary>
internal sealed class JournalRecovery(
    JournalOptions options, IDisk disk, SegmentQuarantine quarantine, ILogger logger)
{
    public RecoveredJournal Run()
    {
        var slots = PositionSlots.Load(disk, options.Directory);
        var numbers = ListSegments();
        var position = FindPosition(slots, numbers);
        slots.Secure();
        slots.BeginAt(position);
        numbers = RemoveForgotten(slots, numbers);
        InsistOnAll(numbers, position.Segment, slots.LastSegment);

        var segments = OpenAll(numbers, position, out ulong nextSequence);
        return new RecoveredJournal(slots, position, segments, nextSequence);
    }

    private List<ulong> ListSegments()
    {
        List<ulong> numbers = [];
        foreach (string name in disk.List(options.Directory))
        {
            if (Segment.TryParseName(name, out ulong number)) numbers.Add(number);
        }

        numbers.Sort();
        return numbers;
    }

    private JournalPosition FindPosition(PositionSlots slots, List<ulong> numbers)
    {
        var start = new JournalPosition(1, SegmentHeader.Bytes);
        if (slots.IsKnown) return slots.Position == default ? start : slots.Position;

        // A segment is named before a slot is first written, and the first segment goes only after a position was
        // saved: so an unreadable slot is harmless while segment 1 is there, and damage when it is not.
        ulong first = numbers.Count == 0 ? 1 : numbers[0];
        if (slots.AnyFile && (numbers.Count == 0 || first > 1))
        {
            throw new JournalException(
                $"Neither of the journal's position files in '{options.Directory}' can be read, so nobody knows what "
                + "was shipped. Restore one; or delete both to ship again whatever is there (what is "
                + "stored already is recognised).");
        }

        if (numbers.Count > 0) JournalLog.PositionLost(logger, first);
        return start with { Segment = first };
    }

    /// <summary>Ends what a forget began whose process ended after the position was saved.</summary>
    private List<ulong> RemoveForgotten(PositionSlots slots, List<ulong> numbers)
    {
        ulong first = slots.Position.Segment;
        if (numbers.Count == 0 || numbers[0] >= first) return numbers;

        slots.SavePosition(slots.Position, slots.Ledger); // So that neither slot asks for them any more.
        foreach (ulong number in numbers)
        {
            if (number < first) disk.Delete(PathOf(number));
        }

        return numbers.FindAll(number => number >= first);
    }

    private void InsistOnAll(List<ulong> numbers, ulong first, ulong last)
    {
        if (numbers.Count == 0 && last == 0) return;

        last = numbers.Count == 0 ? last : Math.Max(last, numbers[^1]);
        for (ulong number = first; number <= last; number++)
        {
            if (numbers.BinarySearch(number) >= 0) continue;

            throw new JournalException(
                $"Journal segment {number} is missing from '{options.Directory}', though it was not shipped: what it "
                + $"holds was acknowledged. Put '{Segment.NameOf(number)}' back.");
        }
    }

    private List<Segment> OpenAll(List<ulong> numbers, JournalPosition shipped, out ulong nextSequence)
    {
        var opened = numbers.ConvertAll(Open);
        List<Segment> segments = [];
        nextSequence = opened.Count > 0 && opened[0].Header is { } first ? first.FirstSequence : 1;
        for (int i = 0; i < opened.Count; i++)
        {
            var (number, file, header) = opened[i];
            var next = i + 1 < opened.Count ? opened[i + 1].Header : null;
            var segment = header is { } readable
                ? Scan(new Segment(PathOf(number), file, readable, file.Length), next, BeginBehind(opened, i), shipped)
                : TakeUnreadable(number, file, nextSequence, next);

            if (next is null && header is not null) Secure(segment);
            nextSequence = Math.Max(segment.NextSequence, next?.FirstSequence ?? 0);
            segments.Add(segment);
        }

        return segments;
    }

    private (ulong Number, IDiskFile File, SegmentHeader? Header) Open(ulong number)
    {
        var file = disk.Open(PathOf(number));
        bool isReadable = SegmentHeader.TryRead(file.ReadRange(0, SegmentHeader.Bytes), out var header);
        return (number, file, isReadable && header.Number == number ? header : null);
    }

    /// <summary>The sequence with which the next segment begins whose header can be read.</summary>
    private static ulong BeginBehind(List<(ulong Number, IDiskFile File, SegmentHeader? Header)> opened, int index)
    {
        for (int i = index + 1; i < opened.Count; i++)
        {
            if (opened[i].Header is { } header) return header.FirstSequence;
        }

        return ulong.MaxValue;
    }

    private Segment Scan(Segment segment, SegmentHeader? next, ulong below, JournalPosition shipped)
    {
        SegmentEnd? known = next is { } follower
            ? new SegmentEnd(follower.PreviousEnd, follower.FirstSequence, follower.PreviousChecksum)
            : null;
        long durable = segment.Number == shipped.Segment ? shipped.Offset : 0;
        var scan = SegmentScan.Run(
            segment.File.ReadRange(0, long.MaxValue), segment.Header, known, durable, below);

        if (known is { } end && scan.Damage.Count == 0 && scan.LastChecksum != end.LastChecksum)
        {
            throw new JournalException(
                $"Journal segment {segment.Number} does not end as segment {segment.Number + 1} says that it did: one "
                + "of the two files is from elsewhere. Put the right one back.");
        }

        segment.MoveEnd(new SegmentEnd(scan.End, scan.NextSequence, scan.LastChecksum));
        foreach (var range in scan.Damage) quarantine.Take(segment, range, shipped);
        if (scan.HasTornTail) JournalLog.TornTail(logger, segment.Number, scan.End);
        return segment;
    }

    private Segment TakeUnreadable(ulong number, IDiskFile file, ulong firstLost, SegmentHeader? next)
    {
        quarantine.TakeWhole(file, number, firstLost);
        if (next is { } known) quarantine.CountLost(CountLost(firstLost, known));

        // Sequences go on above all that the segment can have held.
        ulong most = (ulong)(file.Length / JournalRecord.HeaderBytes);
        var segment = new Segment(PathOf(number), file, new SegmentHeader(number, 0, firstLost, 0, 0), file.Length)
        {
            IsUnreadable = true,
        };
        segment.MoveEnd(new SegmentEnd(SegmentHeader.Bytes, next?.FirstSequence ?? (firstLost + most), 0));
        return segment;
    }

    /// <summary>What an unreadable segment held, as far as the next one's header tells: at most this.</summary>
    private static ulong CountLost(ulong firstLost, SegmentHeader next)
    {
        if (next.FirstSequence <= firstLost) return 0;

        // Without the segments before, the first sequence is not known; and after a start that found this segment
        // unreadable, sequences went on above all that it can have held.
        ulong mostHeld = (ulong)Math.Max(0, next.PreviousEnd - SegmentHeader.Bytes) / JournalRecord.HeaderBytes;
        return Math.Min(next.FirstSequence - firstLost, mostHeld);
    }

    /// <summary>
    /// Where no header behind it says how far a segment was synced, its last records may have been read from the
    /// kernel's memory alone: written by a killed process that never synced them, or by one whose sync failed, after
    /// which the kernel calls them clean. They are about to count as kept, so they are written again, as they are, and
    /// synced.
    /// </summary>
    private static void Secure(Segment segment)
    {
        try
        {
            segment.File.WriteAll(segment.File.ReadRange(0, segment.End), 0);
            segment.File.Sync();
        }
        catch (IOException exception)
        {
            throw new JournalException(
                $"The end of journal segment {segment.Number} cannot be made durable.", exception);
        }
    }

    private string PathOf(ulong number) => Path.Combine(options.Directory, Segment.NameOf(number));
}
