using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Gateway.Core.Query;

/// <summary>
/// Where an answer ended, so that the next begins there: the order (time, uuid, hash of the event's name, day) is total
/// within a project, hence no row is skipped or shown twice however many share a time. The time is the one that the
/// query orders by: the event's own, or that of its receipt. A hash, since a name may be longer than a URL. The first
/// answer's time window is carried along; a relative one would move under the reader. Clients see base64url of,
/// little-endian:
/// <code>
/// version      u8    2
/// fingerprint  u64   of the filters and the order: a cursor continues only the query that gave it
/// after        i64   micros UTC; long.MinValue: unbounded
/// before       i64   micros UTC; long.MaxValue: unbounded
/// time         i64   micros UTC
/// day          u16   days since 1970-01-01
/// event hash   u64   ClickHouse's sipHash64 of the name
/// uuid         36 bytes, ASCII
/// </code>
/// A forged one moves its owner around in the owner's own project, and no further.
/// </summary>
internal sealed record EventsCursor(
    ulong Fingerprint, long After, long Before, long Time, ushort Day, ulong EventHash, string Uuid)
{
    private const byte Version = 2;
    private const int UuidOffset = 43;
    private const int Length = UuidOffset + 36;

    public string Encode()
    {
        byte[] bytes = new byte[Length];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), Fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(9), After);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(17), Before);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(25), Time);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(33), Day);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(35), EventHash);
        Encoding.ASCII.GetBytes(Uuid, bytes.AsSpan(UuidOffset));
        return Base64Url.EncodeToString(bytes);
    }

    public static EventsCursor? TryDecode(string text)
    {
        if (!Base64Url.IsValid(text, out int length) || length != Length) return null;

        byte[] bytes = Base64Url.DecodeFromChars(text);
        if (bytes[0] != Version) return null;

        string uuid = Encoding.ASCII.GetString(bytes.AsSpan(UuidOffset, 36));
        if (!ExactUuid.TryParse(uuid, out _)) return null;

        return new EventsCursor(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(1)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(9)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(17)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(25)),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(33)),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(35)),
            uuid);
    }
}
