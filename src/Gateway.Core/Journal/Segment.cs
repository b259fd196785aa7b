using System.Globalization;

namespace Gateway.Core.Journal;

/// <summary>A segment as the running journal knows it. One thread appends to it; any may read up to its end.</summary>
internal sealed class Segment(string path, IDiskFile file, SegmentHeader header, long capacity) : IDisposable
{
    public const string Suffix = ".segment";

    private readonly Lock _damageLock = new();
    private readonly List<DamagedRange> _damage = [];
    private long _end = SegmentHeader.Bytes;

    public ulong Number => header.Number;

    public SegmentHeader Header => header;

    public SegmentKey Key { get; } = header.Key;

    public string Path => path;

    public IDiskFile File => file;

    /// <summary>Whether its header is lost: what it holds cannot be read, and is left for an operator to see.</summary>
    public bool IsUnreadable { get; init; }

    /// <summary>How far records may reach.</summary>
    public long Capacity => capacity;

    /// <summary>Where the durable records end. Only ever grows.</summary>
    public long End => Volatile.Read(ref _end);

    /// <summary>Of the last durable record; 0 while there is none.</summary>
    public uint LastChecksum { get; private set; }

    /// <summary>Of the record that would come next.</summary>
    public ulong NextSequence { get; private set; } = header.FirstSequence;

    public static string NameOf(ulong number) => number.ToString("D20", CultureInfo.InvariantCulture) + Suffix;

    public static bool TryParseName(string name, out ulong number)
    {
        number = 0;
        return name.EndsWith(Suffix, StringComparison.Ordinal)
            && ulong.TryParse(name[..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out number);
    }

    public void MoveEnd(in SegmentEnd end)
    {
        NextSequence = end.NextSequence;
        LastChecksum = end.LastChecksum;
        Volatile.Write(ref _end, end.Offset);
    }

    /// <summary>False when this damage is known already.</summary>
    public bool AddDamage(DamagedRange range)
    {
        lock (_damageLock)
        {
            if (_damage.Exists(known => known.From == range.From)) return false;
            _damage.Add(range);
            return true;
        }
    }

    /// <summary>The first offset from here on that is not known to be damaged.</summary>
    public long SkipDamage(long offset)
    {
        lock (_damageLock)
        {
            // Two ranges never touch, so one step is enough.
            foreach (var range in _damage)
            {
                if (offset >= range.From && offset < range.To) return range.To;
            }
        }

        return offset;
    }

    public void Dispose() => file.Dispose();
}

/// <summary>Where the records of a segment end.</summary>
/// <param name="Offset">Behind its last record.</param>
/// <param name="NextSequence">Of the record that would come next.</param>
/// <param name="LastChecksum">Of its last record; 0 when it has none.</param>
internal readonly record struct SegmentEnd(long Offset, ulong NextSequence, uint LastChecksum);

/// <summary>Bytes of a segment that hold no readable record though they were durable.</summary>
/// <param name="From">Offset of the first such byte.</param>
/// <param name="To">Offset behind the last one.</param>
/// <param name="FirstLost">Sequence of the first record that is gone.</param>
/// <param name="LastLost">Sequence of the last one.</param>
internal readonly record struct DamagedRange(long From, long To, ulong FirstLost, ulong LastLost)
{
    public long Records => (long)(LastLost - FirstLost + 1);
}
