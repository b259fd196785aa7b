using System.Buffers.Binary;

namespace Gateway.Core.Events;

/// <summary>
/// A journal record's payload: the events of one request as the shipper needs them, parsed once at admission.
/// Little-endian:
/// <code>
/// version   u8     2
/// flags     u8     1 = historical migration
/// ip        u8 length + text    the client's address; zeros when the project keeps none
/// rows      u32    how many follow
/// refused   u32    how many of them were refused
/// row       u32 length of what follows, then
///   kind    u8     0 = event, 1 = refused
///   event:
///     flags       u8    1 = properties has its own $ip, 2 = the uuid is ours
///     day         u16   days since 1970-01-01: part of the row's identity
///     timestamp   i64   microseconds UTC, skew corrected
///     uuid        16 bytes, two u64 (high, low): ClickHouse's own layout
///     event       u16 length + UTF-8
///     distinct id u16 length + UTF-8
///     promoted    u8 count, then for each: u8 index, u16 length + UTF-8 (values longer than 65 535 bytes are left out)
///     properties  u32 length + UTF-8 JSON object
///   refused:
///     reason      u8    RejectionReason
///     index       u32   place in the request
///     detail      u16 length + UTF-8
///     raw         u32 length + the event's JSON as sent
/// </code>
/// </summary>
public static class EventPayload
{
    public const byte Version = 2;
    public const byte HistoricalFlag = 1;
    public const byte EventKind = 0;
    public const byte RefusedKind = 1;
    public const byte HasOwnIpFlag = 1;
    public const byte OwnUuidFlag = 2;

    /// <summary>Where <c>day</c> starts inside an event row, counted from its kind byte.</summary>
    public const int DayOffset = 2;

    /// <summary>Where <c>timestamp</c> starts inside an event row, counted from its kind byte.</summary>
    public const int TimestampOffset = 4;

    public const int UuidOffset = 12;
    public const int EventNameOffset = 28;

    /// <summary>From the end of the address to the first row.</summary>
    public const int CountBytes = 2 * sizeof(int);

    private const int IpOffset = 3;

    /// <summary>Where the counts stand.</summary>
    public static int CountsOffset(ReadOnlySpan<byte> payload) => IpOffset + payload[2];

    /// <summary>How many events a payload holds, and how many refused ones; it reads the head only.</summary>
    public static EventCounts Count(ReadOnlySpan<byte> payload)
    {
        // A record may be empty; it says nothing.
        if (payload.IsEmpty) return default;

        InsistOnVersion(payload);
        var counts = payload[CountsOffset(payload)..];
        int rows = BinaryPrimitives.ReadInt32LittleEndian(counts);
        int refused = BinaryPrimitives.ReadInt32LittleEndian(counts[sizeof(int)..]);
        return new EventCounts(rows - refused, refused);
    }

    /// <summary>The journal's CRC vouches for the bytes, so another version is another gateway's.</summary>
    /// <exception cref="InvalidDataException">It is not this one.</exception>
    internal static void InsistOnVersion(ReadOnlySpan<byte> payload)
    {
        if (payload[0] == Version) return;

        throw new InvalidDataException(
            $"The journal holds events in format {payload[0]}; this gateway knows {Version}. Let the gateway that "
            + "wrote them ship them first.");
    }

    /// <summary>A payload of one row, to send a row again that was taken out of another.</summary>
    public static byte[] OfRow(ReadOnlySpan<byte> ip, ReadOnlySpan<byte> row)
    {
        byte[] payload = new byte[IpOffset + ip.Length + CountBytes + sizeof(int) + row.Length];
        payload[0] = Version;
        payload[2] = checked((byte)ip.Length);
        ip.CopyTo(payload.AsSpan(IpOffset));

        var rest = payload.AsSpan(IpOffset + ip.Length);
        BinaryPrimitives.WriteInt32LittleEndian(rest, 1);
        BinaryPrimitives.WriteInt32LittleEndian(rest[4..], row[0] == RefusedKind ? 1 : 0);
        BinaryPrimitives.WriteInt32LittleEndian(rest[8..], row.Length);
        row.CopyTo(rest[12..]);
        return payload;
    }

    /// <summary>Takes every client's address out of a payload, in place.</summary>
    public static void EraseAddresses(Span<byte> payload) => ClientAddresses.Erase(payload);

    /// <summary>
    /// Gives the first row of a payload an identity of its own if its client gave it none: sent again, it is the same.
    /// </summary>
    public static void NameFirstRow(Span<byte> payload, Guid uuid)
    {
        var row = payload[(CountsOffset(payload) + CountBytes + sizeof(int))..];
        if (row[0] != EventKind || (row[1] & OwnUuidFlag) == 0) return;

        Span<byte> bytes = stackalloc byte[16];
        uuid.TryWriteBytes(bytes, bigEndian: true, out _);
        bytes[..8].Reverse();
        bytes[8..].Reverse();
        bytes.CopyTo(row[UuidOffset..]);
    }
}

/// <param name="Events">Accepted ones.</param>
/// <param name="Refused">Those refused beside them.</param>
public readonly record struct EventCounts(int Events, int Refused);

/// <summary>
/// Reads a payload in place, row by row. The journal's CRC vouches for the bytes, so a bad one is ours.
/// </summary>
public ref struct EventPayloadReader
{
    private ReadOnlySpan<byte> _rest;

    public EventPayloadReader(ReadOnlySpan<byte> payload)
    {
        EventPayload.InsistOnVersion(payload);
        IsHistorical = (payload[1] & EventPayload.HistoricalFlag) != 0;
        int ipLength = payload[2];
        var ip = payload.Slice(3, ipLength);
        Ip = ip.Contains((byte)0) ? default : ip;
        RowCount = BinaryPrimitives.ReadInt32LittleEndian(payload[(3 + ipLength)..]);
        _rest = payload[(3 + ipLength + EventPayload.CountBytes)..];
    }

    public bool IsHistorical { get; }

    /// <summary>The client's address; empty when none is kept.</summary>
    public ReadOnlySpan<byte> Ip { get; }

    public int RowCount { get; }

    /// <summary>The next row from its kind byte on; false after the last.</summary>
    public bool TryReadRow(out ReadOnlySpan<byte> row)
    {
        row = default;
        if (_rest.IsEmpty) return false;

        int length = BinaryPrimitives.ReadInt32LittleEndian(_rest);
        row = _rest.Slice(4, length);
        _rest = _rest[(4 + length)..];
        return true;
    }
}

/// <summary>An event row, read in place. Shape and units: <see cref="EventPayload"/>.</summary>
public readonly ref struct EventRow
{
    public EventRow(ReadOnlySpan<byte> row)
    {
        Flags = row[1];
        Day = BinaryPrimitives.ReadUInt16LittleEndian(row[EventPayload.DayOffset..]);
        Timestamp = BinaryPrimitives.ReadInt64LittleEndian(row[EventPayload.TimestampOffset..]);
        Uuid = row.Slice(EventPayload.UuidOffset, 16);

        int at = EventPayload.EventNameOffset;
        Name = ReadShort(row, ref at);
        DistinctId = ReadShort(row, ref at);

        int promotedStart = at;
        int count = row[at++];
        for (int i = 0; i < count; i++)
        {
            at++;
            ReadShort(row, ref at);
        }

        Promoted = row[promotedStart..at];
        Properties = row.Slice(at + 4, BinaryPrimitives.ReadInt32LittleEndian(row[at..]));
    }

    public byte Flags { get; }

    /// <summary>Days since 1970-01-01.</summary>
    public ushort Day { get; }

    /// <summary>Microseconds since 1970-01-01 UTC.</summary>
    public long Timestamp { get; }

    /// <summary>16 bytes in ClickHouse's layout.</summary>
    public ReadOnlySpan<byte> Uuid { get; }

    public ReadOnlySpan<byte> Name { get; }

    public ReadOnlySpan<byte> DistinctId { get; }

    /// <summary>Count, then index and value of each promoted property, as on disk.</summary>
    public ReadOnlySpan<byte> Promoted { get; }

    /// <summary>A JSON object, UTF-8.</summary>
    public ReadOnlySpan<byte> Properties { get; }

    private static ReadOnlySpan<byte> ReadShort(ReadOnlySpan<byte> row, scoped ref int at)
    {
        int length = BinaryPrimitives.ReadUInt16LittleEndian(row[at..]);
        var value = row.Slice(at + 2, length);
        at += 2 + length;
        return value;
    }
}

/// <summary>A refused row, read in place. Shape: <see cref="EventPayload"/>.</summary>
public readonly ref struct RefusedRow
{
    public RefusedRow(ReadOnlySpan<byte> row)
    {
        Reason = (RejectionReason)row[1];
        Index = BinaryPrimitives.ReadInt32LittleEndian(row[2..]);
        int length = BinaryPrimitives.ReadUInt16LittleEndian(row[6..]);
        Detail = row.Slice(8, length);
        Raw = row.Slice(12 + length, BinaryPrimitives.ReadInt32LittleEndian(row[(8 + length)..]));
    }

    public RejectionReason Reason { get; }

    /// <summary>Its place in the request.</summary>
    public int Index { get; }

    /// <summary>Why, for people; UTF-8.</summary>
    public ReadOnlySpan<byte> Detail { get; }

    /// <summary>The event's JSON as it was sent.</summary>
    public ReadOnlySpan<byte> Raw { get; }
}
