namespace Gateway.Core.Journal;

/// <summary>
/// Reads a journal that no process uses, every record and every checksum, as a start would, and changes nothing: what
/// it finds damaged a start would find too, and would not put right.
/// </summary>
public sealed class JournalExamination
{
    private const string LockName = "journal.lock";
    private const string QuarantineFolder = "quarantine";

    private readonly string _directory;
    private readonly IDisk _disk;
    private readonly CountEvents _count;
    private readonly Action<JournalProgress> _tell;
    private readonly IReadOnlyList<string> _names;
    private readonly List<string> _problems = [];
    private readonly Dictionary<ulong, ProjectReport> _projects = [];
    private readonly List<SlotReport> _slots = [];
    private JournalPosition? _position;
    private ulong _lastSegment;
    private long _recordsWaiting;
    private long _bytesWaiting;

    private JournalExamination(string directory, IDisk disk, CountEvents count, Action<JournalProgress> tell)
    {
        (_directory, _disk, _count, _tell) = (directory, disk, count, tell);
        _names = disk.List(directory);
    }

    /// <summary>Whether a folder looks like a journal's.</summary>
    public static bool IsJournal(string directory, IDisk disk) =>
        disk.List(directory).Any(name => IsSlot(name) || name == LockName || Segment.TryParseName(name, out _));

    /// <summary>Reads it all. A journal of many gigabytes takes as long as the disk takes to read them.</summary>
    /// <param name="directory">The journal's folder.</param>
    /// <param name="disk">Where it is.</param>
    /// <param name="count">Counts the events of a record.</param>
    /// <param name="tell">Told of each segment that was read.</param>
    /// <exception cref="JournalException">A process uses it, or it is of a later format.</exception>
    /// <exception cref="IOException">The disk failed.</exception>
    public static JournalReport Run(
        string directory, IDisk disk, CountEvents count, Action<JournalProgress> tell)
    {
        using var held = Hold(directory, disk);
        return new JournalExamination(directory, disk, count, tell).Read();
    }

    /// <summary>Keeps gateways out. Where the folder cannot be written none can run, and nothing is held.</summary>
    private static IDisposable? Hold(string directory, IDisk disk)
    {
        try
        {
            return disk.TryLock(Path.Combine(directory, LockName))
                ?? throw new JournalException(
                    $"A gateway uses the journal in '{directory}'. Stop it first: what is being written cannot be told "
                    + "from damage.");
        }
        catch (Exception exception) when (exception is UnauthorizedAccessException or IOException)
        {
            return null;
        }
    }

    private static bool IsSlot(string name) => name == PositionSlots.NameOf(0) || name == PositionSlots.NameOf(1);

    private JournalReport Read()
    {
        ReadSlots();
        var segments = ReadSegments();
        return new JournalReport
        {
            Directory = _directory,
            Segments = segments,
            Slots = _slots,
            Position = _position,
            RecordsWaiting = _recordsWaiting,
            BytesWaiting = _bytesWaiting,
            Projects = [.. _projects.Values.OrderBy(project => project.ProjectId)],
            Spares = Files(_directory, _names.Where(name => name.StartsWith("spare.", StringComparison.Ordinal))),
            Quarantined = ListQuarantined(),
            Problems = _problems,
        };
    }

    private void ReadSlots()
    {
        ulong highest = 0;
        foreach (string name in _names.Where(IsSlot).Order(StringComparer.Ordinal))
        {
            using var file = _disk.OpenToRead(Path.Combine(_directory, name));
            byte[] bytes = file.ReadRange(0, PositionSlots.HeaderBytes + PositionSlots.MaxLedgerBytes);
            if (!PositionSlots.TryRead(bytes, out var slot))
            {
                _slots.Add(new SlotReport(name, false, false, null, null, 0));
                continue;
            }

            if (slot.Counter > highest)
            {
                (highest, _position, _lastSegment) = (slot.Counter, slot.Position, slot.LastSegment);
                for (int i = 0; i < _slots.Count; i++) _slots[i] = _slots[i] with { Counts = false };
            }

            _slots.Add(new SlotReport(
                name, true, slot.Counter == highest, slot.Position, slot.LastSegment, slot.LedgerBytes));
        }

        foreach (var slot in _slots.Where(slot => !slot.IsReadable))
            _problems.Add($"{slot.Name} cannot be read" + (_position is null ? "." : "; the other one can."));
    }

    private List<SegmentReport> ReadSegments()
    {
        List<ulong> numbers = [];
        foreach (string name in _names)
        {
            if (Segment.TryParseName(name, out ulong number)) numbers.Add(number);
        }

        numbers.Sort();
        TellMissing(numbers);
        if (_position is null && _slots.Count == 0 && numbers.Count > 0)
            _problems.Add("There is no position file: a start ships everything again.");

        List<SegmentReport> segments = [];
        long bytes = 0;
        for (int i = 0; i < numbers.Count; i++)
        {
            var next = i + 1 < numbers.Count && numbers[i + 1] == numbers[i] + 1 ? ReadHeader(numbers[i + 1]) : null;
            segments.Add(ReadSegment(numbers[i], next));
            bytes += segments[^1].FileBytes;
            _tell(new JournalProgress(i + 1, numbers.Count, bytes));
        }

        return segments;
    }

    private void TellMissing(List<ulong> numbers)
    {
        ulong first = Math.Max(1, _position?.Segment ?? (numbers.Count > 0 ? numbers[0] : 1));
        ulong last = Math.Max(_lastSegment, numbers.Count > 0 ? numbers[^1] : 0);
        for (ulong number = first; number <= last; number++)
        {
            if (numbers.BinarySearch(number) < 0)
                _problems.Add($"{Segment.NameOf(number)} is missing, though it was not shipped.");
        }
    }

    private SegmentHeader? ReadHeader(ulong number)
    {
        using var file = _disk.OpenToRead(PathOf(number));
        return SegmentHeader.TryRead(file.ReadRange(0, SegmentHeader.Bytes), out var header) && header.Number == number
            ? header
            : null;
    }

    private SegmentReport ReadSegment(ulong number, SegmentHeader? next)
    {
        using var file = _disk.OpenToRead(PathOf(number));
        byte[] bytes = file.ReadRange(0, long.MaxValue);
        bool isShipped = _position is { } position && number < position.Segment;
        if (!SegmentHeader.TryRead(bytes, out var header) || header.Number != number)
            return Unreadable(number, bytes.Length, isShipped);

        if (SegmentHeader.CountCopies(bytes) < 2)
            _problems.Add($"{Segment.NameOf(number)}: one of the two copies of its header is damaged.");

        SegmentEnd? known = next is { } follower
            ? new SegmentEnd(follower.PreviousEnd, follower.FirstSequence, follower.PreviousChecksum)
            : null;
        var scan = SegmentScan.Run(bytes, header, known, isShipped ? 0 : ShippedOf(number));
        if (known is { } end && scan.Damage.Count == 0 && scan.LastChecksum != end.LastChecksum)
            _problems.Add($"{Segment.NameOf(number)} does not end as the next segment says that it did.");

        var damage = scan.Damage.ConvertAll(range => new DamageReport(
            range.From, range.To, range.FirstLost, range.Records, range.To <= ShippedOf(number)));
        foreach (var range in damage) TellDamage(number, range);

        long records = ReadRecords(bytes, header.Key, number, scan);
        ulong? last = records == 0 ? null : scan.NextSequence - 1;
        return new SegmentReport(
            number, bytes.Length, header.FirstSequence, last, records, scan.End, scan.HasTornTail, isShipped, damage);
    }

    private SegmentReport Unreadable(ulong number, long length, bool isShipped)
    {
        _problems.Add($"{Segment.NameOf(number)} has no readable header: none of its records can be read"
            + (isShipped ? "; all were shipped." : "."));
        return new SegmentReport(number, length, null, null, 0, SegmentHeader.Bytes, false, isShipped, []);
    }

    private void TellDamage(ulong number, DamageReport range) => _problems.Add(
        $"{Segment.NameOf(number)} is damaged between bytes {range.From} and {range.To}: "
        + (range.IsShipped
            ? "all of that was shipped, nothing is lost."
            : $"{range.Records} records are lost, from sequence {range.FirstLost} on."));

    /// <summary>Counts the whole records, and what waits of them.</summary>
    private long ReadRecords(ReadOnlySpan<byte> bytes, SegmentKey key, ulong number, SegmentScan scan)
    {
        long records = 0;
        for (long at = SegmentHeader.Bytes; at < scan.End;)
        {
            var range = scan.Damage.Find(damage => at >= damage.From && at < damage.To);
            if (range != default)
            {
                at = range.To;
                continue;
            }

            var record = JournalRecord.ReadTrusted(bytes[(int)at..], out int size);
            if (at >= ShippedOf(number)) Count(record, size);
            at += size;
            records++;
        }

        return records;
    }

    private void Count(JournalRecordView record, int size)
    {
        _recordsWaiting++;
        _bytesWaiting += size;
        var (events, refused) = _count(record.Payload);
        var project = _projects.GetValueOrDefault(record.ProjectId) ?? new ProjectReport(record.ProjectId, 0, 0, 0);
        _projects[record.ProjectId] = project with
        {
            Records = project.Records + 1,
            Events = project.Events + events,
            Refused = project.Refused + refused,
        };
    }

    /// <summary>Up to which offset a segment was shipped.</summary>
    private long ShippedOf(ulong number) => _position is not { } position || number > position.Segment ? 0
        : number < position.Segment ? long.MaxValue
        : position.Offset;

    private List<FileReport> ListQuarantined()
    {
        string folder = Path.Combine(_directory, QuarantineFolder);
        try
        {
            return Files(folder, _disk.List(folder));
        }
        catch (DirectoryNotFoundException)
        {
            return [];
        }
    }

    private List<FileReport> Files(string folder, IEnumerable<string> names) =>
    [
        .. names.Order(StringComparer.Ordinal).Select(name =>
        {
            using var file = _disk.OpenToRead(Path.Combine(folder, name));
            return new FileReport(name, file.Length);
        }),
    ];

    private string PathOf(ulong number) => Path.Combine(_directory, Segment.NameOf(number));
}
