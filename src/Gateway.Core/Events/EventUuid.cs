using System.Buffers;
using System.Buffers.Binary;
using System.Buffers.Text;

namespace Gateway.Core.Events;

/// <summary>An event's uuid, as the two numbers that ClickHouse keeps of it.</summary>
internal readonly record struct EventUuid(ulong High, ulong Low)
{
    public const int Bytes = 16;

    private const int HyphenatedLength = 36;

    public bool IsVersion7 => ((High >> 12) & 0xf) == 7 && Low >> 62 == 0b10;

    /// <summary>Milliseconds since 1970-01-01 UTC; meaningful only for a version 7.</summary>
    public long Version7Milliseconds => (long)(High >> 16);

    /// <summary>Version 7, RFC 9562: 48 bits of time, then 74 random ones.</summary>
    public static EventUuid Version7(long milliseconds, ulong randomHigh, ulong randomLow) => new(
        ((ulong)milliseconds << 16) | 0x7000 | (randomHigh & 0xfff),
        (0b10UL << 62) | (randomLow >> 2));

    /// <summary>Takes what common UUID parsers take: with hyphens or without, in braces, as a URN.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out EventUuid uuid)
    {
        uuid = default;
        if (text.StartsWith("urn:uuid:"u8)) text = text["urn:uuid:"u8.Length..];
        if (TryParseHyphenated(text, out uuid)) return true;
        if (text.Length == HyphenatedLength + 2 && text[0] == '{' && text[^1] == '}') text = text[1..^1];

        char format = text.Length == HyphenatedLength ? 'D' : 'N';
        if (!Utf8Parser.TryParse(text, out Guid guid, out int used, format) || used != text.Length) return false;

        Span<byte> bytes = stackalloc byte[Bytes];
        guid.TryWriteBytes(bytes, bigEndian: true, out _);
        uuid = Read(bytes);
        return true;
    }

    public void Write(Span<byte> destination)
    {
        BinaryPrimitives.WriteUInt64LittleEndian(destination, High);
        BinaryPrimitives.WriteUInt64LittleEndian(destination[8..], Low);
    }

    /// <summary>As nearly all SDKs write it, and in half of the time that the general parser takes.</summary>
    private static bool TryParseHyphenated(ReadOnlySpan<byte> text, out EventUuid uuid)
    {
        uuid = default;
        if (text.Length != HyphenatedLength) return false;
        if (text[8] != '-' || text[13] != '-' || text[18] != '-' || text[23] != '-') return false;

        Span<byte> digits = stackalloc byte[2 * Bytes];
        text[..8].CopyTo(digits);
        text[9..13].CopyTo(digits[8..]);
        text[14..18].CopyTo(digits[12..]);
        text[19..23].CopyTo(digits[16..]);
        text[24..].CopyTo(digits[20..]);

        Span<byte> bytes = stackalloc byte[Bytes];
        if (Convert.FromHexString(digits, bytes, out _, out _) != OperationStatus.Done) return false;

        uuid = Read(bytes);
        return true;
    }

    private static EventUuid Read(ReadOnlySpan<byte> bytes) =>
        new(BinaryPrimitives.ReadUInt64BigEndian(bytes), BinaryPrimitives.ReadUInt64BigEndian(bytes[8..]));
}
