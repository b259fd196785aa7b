using System.Buffers.Binary;

namespace Gateway.Core.Journal;

/// <summary>
/// What the bytes of a segment hold. Where the next segment's header says how far this one was durable, everything
/// unreadable before that is damage. Of the last segment nobody says, and an unreadable record is damage only when
/// something of a later group lies behind it; else the group was never synced, and the tail is torn.
/// </summary>
internal sealed class SegmentScan
{
    private SegmentScan(SegmentHeader header) => NextSequence = header.FirstSequence;

    /// <summary>Where the records that count end.</summary>
    public long End { get; private set; } = SegmentHeader.Bytes;

    public ulong NextSequence { get; private set; }

    public uint LastChecksum { get; private set; }

    /// <summary>Whether something that could not be read was left out behind the end.</summary>
    public bool HasTornTail { get; private set; }

    public List<DamagedRange> Damage { get; } = [];

    /// <param name="segment">The file from its start.</param>
    /// <param name="header">The header, which may have been read from its second copy.</param>
    /// <param name="known">How far the segment is known to have been durable; null when nobody says.</param>
    /// <param name="shipped">Up to here it was durable in any case, for it was shipped.</param>
    /// <param name="below">
    /// A later segment began with this sequence: records from it on, which may lie behind the end, were given up when a
    /// sync failed, and their sequences were given again.
    /// </param>
    public static SegmentScan Run(
        ReadOnlySpan<byte> segment,
        SegmentHeader header,
        SegmentEnd? known,
        long shipped = 0,
        ulong below = ulong.MaxValue)
    {
        var scan = new SegmentScan(header);
        int limit = known is null ? segment.Length : (int)Math.Min(known.Value.Offset, segment.Length);
        segment = segment[..limit];

        int at = SegmentHeader.Bytes;
        while (at < limit && scan.NextSequence < below)
        {
            if (scan.TryTake(segment, header.Key, ref at)) continue;

            var hole = new Hole(at, scan.NextSequence, below);
            int behind = FindNext(segment, at, header.Key, hole);
            if (known is null && at >= shipped && !HasLaterGroup(segment, behind, header.Key, hole))
            {
                scan.HasTornTail = behind >= 0 || IsBegun(segment[at..], header.Key);
                break;
            }

            if (behind < 0) break;
            scan.AddDamage(at, behind, SequenceAt(segment, behind, header.Key));
            at = behind;
        }

        scan.End = at;
        if (known is { } end) scan.ReachFor(end, at);
        else if (at < shipped) scan.Pass(at, shipped);
        return scan;
    }

    /// <summary>
    /// The next readable record at or behind <paramref name="from"/> that may follow the hole; -1 when there is none.
    /// </summary>
    private static int FindNext(ReadOnlySpan<byte> segment, int from, SegmentKey key, Hole hole)
    {
        Span<byte> magic = stackalloc byte[sizeof(uint)];
        BinaryPrimitives.WriteUInt32LittleEndian(magic, key.Magic);

        int at = Math.Min(from, segment.Length);
        for (int found; (found = segment[at..].IndexOf(magic)) >= 0; at++)
        {
            at += found;
            if (at % JournalRecord.Alignment != 0) continue;
            if (JournalRecord.Read(segment[at..], key, out var record, out _) != RecordStatus.Complete) continue;

            ulong mostBetween = (ulong)(at - hole.At) / JournalRecord.HeaderBytes;
            if (record.Sequence <= hole.Sequence || record.Sequence >= hole.Below) continue;
            if (record.Sequence - hole.Sequence <= mostBetween) return at;
        }

        return -1;
    }

    private static bool HasLaterGroup(ReadOnlySpan<byte> segment, int from, SegmentKey key, Hole hole)
    {
        int at = from;
        while (at >= 0 && at < segment.Length)
        {
            var status = JournalRecord.Read(segment[at..], key, out var record, out long size);
            bool counts = status == RecordStatus.Complete && record.Sequence < hole.Below;
            if (counts && record.Group > hole.Sequence) return true;

            at = status == RecordStatus.Complete
                ? at + (int)size
                : FindNext(segment, at + JournalRecord.Alignment, key, hole);
        }

        return false;
    }

    private static bool IsBegun(ReadOnlySpan<byte> bytes, SegmentKey key) =>
        bytes.Length >= JournalRecord.HeaderBytes && BinaryPrimitives.ReadUInt32LittleEndian(bytes) == key.Magic;

    private static ulong SequenceAt(ReadOnlySpan<byte> segment, int at, SegmentKey key)
    {
        JournalRecord.Read(segment[at..], key, out var record, out _);
        return record.Sequence;
    }

    private bool TryTake(ReadOnlySpan<byte> segment, SegmentKey key, ref int at)
    {
        var status = JournalRecord.Read(segment[at..], key, out var record, out long size);
        if (status != RecordStatus.Complete || record.Sequence != NextSequence) return false;

        NextSequence++;
        LastChecksum = record.Checksum;
        at += (int)size;
        return true;
    }

    private void AddDamage(long from, long to, ulong nextSequence)
    {
        Damage.Add(new DamagedRange(from, to, NextSequence, nextSequence - 1));
        NextSequence = nextSequence;
    }

    /// <summary>Nothing is readable from here on. How much was shipped is not known: its sequences stay used.</summary>
    private void Pass(int at, long shipped)
    {
        End = shipped;
        AddDamage(at, shipped, NextSequence + ((ulong)(shipped - at) / JournalRecord.HeaderBytes));
    }

    /// <summary>What is missing up to the known end is damage too.</summary>
    private void ReachFor(SegmentEnd known, int at)
    {
        End = Math.Max(End, known.Offset);
        if (NextSequence < known.NextSequence) AddDamage(at, End, known.NextSequence);
        else if (at < End) Damage.Add(new DamagedRange(at, End, NextSequence, NextSequence - 1));
    }

    /// <summary>Where reading stopped.</summary>
    /// <param name="At">The first byte that is no record.</param>
    /// <param name="Sequence">Of the record that should be there.</param>
    /// <param name="Below">No record that counts has this sequence or a higher one.</param>
    private readonly record struct Hole(int At, ulong Sequence, ulong Below);
}
