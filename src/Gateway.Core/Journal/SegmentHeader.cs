using System.Buffers.Binary;
using System.Numerics;

namespace Gateway.Core.Journal;

/// <summary>
/// The first 8 KiB of a segment: the same header at 0 and at 4096, so that one bad sector does not cost the segment.
/// Little-endian:
/// <code>
/// magic           u32
/// version         u32
/// number          u64   as in the file's name
/// salt            u64   random; seeds the CRC and draws the magic of every record of this segment
/// first sequence  u64   of its first record, which is also the number of its first group
/// previous end    i64   where the segment before ended: what lies behind is discarded; 0 for the first segment
/// previous check  u32   the checksum of the last record of the segment before; 0 when it had none
/// checksum        u32   CRC-32C of the above
/// </code>
/// The salt is why neither what a recycled file held before nor a payload that imitates a record can pass for one.
/// A file gets its name after its header was synced, so a named file without a header is damaged, never unfinished.
/// </summary>
internal readonly record struct SegmentHeader(
    ulong Number, ulong Salt, ulong FirstSequence, long PreviousEnd, uint PreviousChecksum)
{
    /// <summary>Where the records begin.</summary>
    public const int Bytes = 8192;
    public const uint Version = 1;

    private const uint Magic = 0x4753_5747; // "GWSG"
    private const int SecondCopy = 4096;
    private const int ChecksumOffset = 44;
    private const int EncodedBytes = 48;

    public SegmentKey Key => new(Salt);

    public void Write(Span<byte> segmentStart)
    {
        segmentStart[..Bytes].Clear();
        WriteCopy(segmentStart);
        segmentStart[..EncodedBytes].CopyTo(segmentStart[SecondCopy..]);
    }

    /// <summary>Reads whichever copy is whole.</summary>
    /// <exception cref="JournalException">The segment is of a later format.</exception>
    public static bool TryRead(ReadOnlySpan<byte> segmentStart, out SegmentHeader header) =>
        TryReadCopy(segmentStart, out header)
        || (segmentStart.Length > SecondCopy && TryReadCopy(segmentStart[SecondCopy..], out header));

    /// <summary>How many of the two copies are whole.</summary>
    public static int CountCopies(ReadOnlySpan<byte> segmentStart) =>
        (TryReadCopy(segmentStart, out _) ? 1 : 0)
        + (segmentStart.Length > SecondCopy && TryReadCopy(segmentStart[SecondCopy..], out _) ? 1 : 0);

    private void WriteCopy(Span<byte> to)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(to, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(to[4..], Version);
        BinaryPrimitives.WriteUInt64LittleEndian(to[8..], Number);
        BinaryPrimitives.WriteUInt64LittleEndian(to[16..], Salt);
        BinaryPrimitives.WriteUInt64LittleEndian(to[24..], FirstSequence);
        BinaryPrimitives.WriteInt64LittleEndian(to[32..], PreviousEnd);
        BinaryPrimitives.WriteUInt32LittleEndian(to[40..], PreviousChecksum);
        BinaryPrimitives.WriteUInt32LittleEndian(to[ChecksumOffset..], Crc32C.Compute(Magic, to[..ChecksumOffset]));
    }

    private static bool TryReadCopy(ReadOnlySpan<byte> from, out SegmentHeader header)
    {
        header = default;
        if (from.Length < EncodedBytes) return false;
        if (BinaryPrimitives.ReadUInt32LittleEndian(from) != Magic) return false;

        uint checksum = BinaryPrimitives.ReadUInt32LittleEndian(from[ChecksumOffset..]);
        if (checksum != Crc32C.Compute(Magic, from[..ChecksumOffset])) return false;

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(from[4..]);
        if (version != Version)
            throw new JournalException($"The journal has format {version}; this gateway knows {Version}.");

        header = new SegmentHeader(
            BinaryPrimitives.ReadUInt64LittleEndian(from[8..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[16..]),
            BinaryPrimitives.ReadUInt64LittleEndian(from[24..]),
            BinaryPrimitives.ReadInt64LittleEndian(from[32..]),
            BinaryPrimitives.ReadUInt32LittleEndian(from[40..]));
        return true;
    }
}

/// <summary>What marks the records of one segment, and no other's.</summary>
internal readonly record struct SegmentKey(ulong Salt)
{
    // Never 0, so that the zeros of a fresh segment are told from a record at the first glance.
    public uint Magic => (uint)(Salt >> 32) | 1;

    public uint Seed(int length) => BitOperations.Crc32C((uint)Salt, (uint)length);
}
