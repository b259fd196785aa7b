using System.Buffers.Binary;
using System.Diagnostics;
using System.Runtime.CompilerServices;

namespace Gateway.Core.Journal;

/// <summary>
/// One record: one request, all of it or nothing. On disk, little-endian, at a multiple of 8:
/// <code>
/// magic      u32   the segment's own, drawn from its salt
/// length     u32   bytes of payload; 0 is legal
/// checksum   u32   CRC-32C of all that follows, padding included, seeded with the segment's salt and the length
/// flags      u32   0 for now
/// sequence   u64   from 1 on, without a gap
/// group      u64   the sequence of the first record of its group
/// epoch      i64   what the fence showed for the group
/// project    u64
/// received   i64   microseconds since 1970 UTC
/// payload    length bytes, then zeros up to a multiple of 8
/// </code>
/// Naming a group by its first sequence lets recovery tell which group a hole belonged to: a record behind the hole
/// whose group began after it proves that the hole had been synced.
/// </summary>
internal static class JournalRecord
{
    public const int HeaderBytes = 56;
    public const int Alignment = 8;
    private const int ChecksumStart = 12;

    /// <summary>What a record of this payload takes on disk.</summary>
    public static long SizeOf(long payloadLength) => HeaderBytes + PaddedLength(payloadLength);

    public static int PaddingOf(int payloadLength) => -payloadLength & (Alignment - 1);

    /// <summary>Writes all but the payload and its padding, and returns the checksum.</summary>
    public static uint WriteHeader(
        Span<byte> header, SegmentKey key, in JournalRecordFields fields, ReadOnlySpan<byte> payload)
    {
        Debug.Assert(header.Length == HeaderBytes);

        BinaryPrimitives.WriteUInt32LittleEndian(header, key.Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], (uint)payload.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(header[12..], fields.Flags);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], fields.Sequence);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], fields.Group);
        BinaryPrimitives.WriteInt64LittleEndian(header[32..], fields.Epoch);
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], fields.ProjectId);
        BinaryPrimitives.WriteInt64LittleEndian(header[48..], fields.ReceivedAtMicros);

        uint checksum = Crc32C.Compute(key.Seed(payload.Length), header[ChecksumStart..]);
        checksum = Crc32C.Compute(checksum, payload);
        checksum = Crc32C.Compute(checksum, Zeros[..PaddingOf(payload.Length)]);
        BinaryPrimitives.WriteUInt32LittleEndian(header[8..], checksum);
        return checksum;
    }

    /// <summary>
    /// Reads the record at the start of <paramref name="buffer"/>, in place. <paramref name="size"/> is what it takes
    /// on disk, and of an incomplete record what it claims to take.
    /// </summary>
    public static RecordStatus Read(
        ReadOnlySpan<byte> buffer, SegmentKey key, out JournalRecordView record, out long size)
    {
        record = default;
        size = HeaderBytes;
        if (buffer.Length < HeaderBytes) return RecordStatus.Incomplete;
        if (BinaryPrimitives.ReadUInt32LittleEndian(buffer) != key.Magic) return RecordStatus.Corrupt;

        // First the range: a length that cannot be is damage, and must not pass for a record still to come.
        uint length = BinaryPrimitives.ReadUInt32LittleEndian(buffer[4..]);
        if (length > JournalOptions.LargestSegment) return RecordStatus.Corrupt;

        size = SizeOf(length);
        if (size > buffer.Length) return RecordStatus.Incomplete;

        uint checksum = Crc32C.Compute(key.Seed((int)length), buffer[ChecksumStart..(int)size]);
        if (checksum != BinaryPrimitives.ReadUInt32LittleEndian(buffer[8..])) return RecordStatus.Corrupt;

        record = new JournalRecordView(buffer[..(int)size], (int)length);
        return RecordStatus.Complete;
    }

    /// <summary>A record that was read before, from bytes that are known to be whole.</summary>
    public static JournalRecordView ReadTrusted(ReadOnlySpan<byte> buffer, out int size)
    {
        int length = BinaryPrimitives.ReadInt32LittleEndian(buffer[4..]);
        size = (int)SizeOf(length);
        return new JournalRecordView(buffer[..size], length);
    }

    /// <summary>The time of receipt from a header alone, unverified; null when this is none.</summary>
    public static long? PeekReceivedAt(ReadOnlySpan<byte> header, SegmentKey key) =>
        BinaryPrimitives.ReadUInt32LittleEndian(header) == key.Magic
            ? BinaryPrimitives.ReadInt64LittleEndian(header[48..])
            : null;

    public static ReadOnlySpan<byte> Zeros => [0, 0, 0, 0, 0, 0, 0, 0];

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private static long PaddedLength(long length) => (length + Alignment - 1) & -Alignment;
}

/// <summary>How reading a record ended.</summary>
internal enum RecordStatus : byte
{
    Complete,

    /// <summary>The bytes end before the record does.</summary>
    Incomplete,

    /// <summary>These bytes are no record of this segment.</summary>
    Corrupt,
}

/// <summary>What a record says beside its payload. Units: <see cref="JournalRecord"/>.</summary>
internal readonly record struct JournalRecordFields(
    ulong Sequence, ulong Group, long Epoch, ulong ProjectId, long ReceivedAtMicros, uint Flags = 0);

/// <summary>A durable record, read in place; valid as long as the batch that it came from.</summary>
public readonly ref struct JournalRecordView
{
    private readonly ReadOnlySpan<byte> _record;
    private readonly int _length;

    internal JournalRecordView(ReadOnlySpan<byte> record, int length)
    {
        _record = record;
        _length = length;
    }

    public uint Flags => BinaryPrimitives.ReadUInt32LittleEndian(_record[12..]);

    /// <summary>From 1 on, without a gap but for records that were lost to damage.</summary>
    public ulong Sequence => BinaryPrimitives.ReadUInt64LittleEndian(_record[16..]);

    /// <summary>The sequence of the first record that became durable by the same sync.</summary>
    public ulong Group => BinaryPrimitives.ReadUInt64LittleEndian(_record[24..]);

    /// <summary>What the fence showed for the group.</summary>
    public long Epoch => BinaryPrimitives.ReadInt64LittleEndian(_record[32..]);

    public ulong ProjectId => BinaryPrimitives.ReadUInt64LittleEndian(_record[40..]);

    /// <summary>Microseconds since 1970 UTC.</summary>
    public long ReceivedAtMicros => BinaryPrimitives.ReadInt64LittleEndian(_record[48..]);

    public ReadOnlySpan<byte> Payload => _record.Slice(JournalRecord.HeaderBytes, _length);

    internal uint Checksum => BinaryPrimitives.ReadUInt32LittleEndian(_record[8..]);
}
