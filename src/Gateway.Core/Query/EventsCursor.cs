using System.Buffers.Binary;
using System.Buffers.Text;
using System.Text;

namespace Gateway.Core.Query;

/// <summary>
/// Where an answer ended, so that the next begins there: the order (timestamp, uuid, event, day) is total within a
/// project, hence no row is skipped or shown twice however many share a timestamp. The first answer's time window is
/// carried along; a relative one would move under the reader. Clients see base64url of, little-endian:
/// <code>
/// version      u8    1
/// fingerprint  u64   of the filters and the order: a cursor continues only the query that gave it
/// after        i64   micros UTC; long.MinValue: unbounded
/// before       i64   micros UTC; long.MaxValue: unbounded
/// timestamp    i64   micros UTC
/// day          u16   days since 1970-01-01
/// uuid         36 bytes, ASCII
/// event        the rest, UTF-8
/// </code>
/// A forged one moves its owner around in the owner's own project, and no further.
/// </summary>
internal sealed record EventsCursor(
    ulong Fingerprint, long After, long Before, long Timestamp, ushort Day, string Uuid, string Event)
{
    private const byte Version = 1;
    private const int UuidOffset = 35;
    private const int EventOffset = UuidOffset + 36;

    /// <summary>Longer than any that we give: an event's name has at most 200 code points.</summary>
    public const int MaxLength = 2048;

    public string Encode()
    {
        byte[] bytes = new byte[EventOffset + Encoding.UTF8.GetByteCount(Event)];
        bytes[0] = Version;
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(1), Fingerprint);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(9), After);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(17), Before);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(25), Timestamp);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(33), Day);
        Encoding.ASCII.GetBytes(Uuid, bytes.AsSpan(UuidOffset));
        Encoding.UTF8.GetBytes(Event, bytes.AsSpan(EventOffset));
        return Base64Url.EncodeToString(bytes);
    }

    public static EventsCursor? TryDecode(string text)
    {
        if (text.Length > MaxLength || !Base64Url.IsValid(text, out int length) || length < EventOffset) return null;

        byte[] bytes = Base64Url.DecodeFromChars(text);
        if (bytes[0] != Version) return null;

        string uuid = Encoding.ASCII.GetString(bytes.AsSpan(UuidOffset, 36));
        if (!Guid.TryParseExact(uuid, "D", out _)) return null;
        if (!System.Text.Unicode.Utf8.IsValid(bytes.AsSpan(EventOffset))) return null;

        return new EventsCursor(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes.AsSpan(1)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(9)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(17)),
            BinaryPrimitives.ReadInt64LittleEndian(bytes.AsSpan(25)),
            BinaryPrimitives.ReadUInt16LittleEndian(bytes.AsSpan(33)),
            uuid,
            Encoding.UTF8.GetString(bytes.AsSpan(EventOffset)));
    }
}
