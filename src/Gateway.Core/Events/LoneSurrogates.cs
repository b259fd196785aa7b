using System.Buffers.Text;

namespace Gateway.Core.Events;

/// <summary>
/// JavaScript that cuts a text inside an emoji sends half of a surrogate pair as an escape, <c>"\ud83c"</c>. It is no
/// character, .NET's reader throws when asked for the text, and ClickHouse has crashed on one: it becomes
/// <c>\ufffd</c>, in place, since both are six bytes.
/// </summary>
internal static class LoneSurrogates
{
    private const int EscapeLength = 6;

    /// <summary>Quick, and true now and then where there is nothing to repair.</summary>
    public static bool MayOccurIn(ReadOnlySpan<byte> json) =>
        json.Contains((byte)'\\') && (json.IndexOf("\\ud"u8) >= 0 || json.IndexOf("\\uD"u8) >= 0);

    public static void Replace(Span<byte> json)
    {
        while (true)
        {
            int backslash = json.IndexOf((byte)'\\');
            if (backslash < 0 || backslash + 1 >= json.Length) return;

            json = json[backslash..];
            json = json[ReplaceAtStart(json)..];
        }
    }

    /// <summary>Looks at the escape that the text starts with; returns how many bytes are done.</summary>
    private static int ReplaceAtStart(Span<byte> json)
    {
        if (!TryReadUnit(json, out char unit)) return 2;
        if (!char.IsSurrogate(unit)) return EscapeLength;

        bool isPair = TryReadUnit(json[EscapeLength..], out char next) && char.IsSurrogatePair(unit, next);
        if (isPair) return 2 * EscapeLength;

        "\\ufffd"u8.CopyTo(json);
        return EscapeLength;
    }

    private static bool TryReadUnit(ReadOnlySpan<byte> json, out char unit)
    {
        unit = default;
        if (json.Length < EscapeLength || !json.StartsWith("\\u"u8)) return false;

        bool isHex = Utf8Parser.TryParse(json.Slice(2, 4), out ushort value, out int used, 'x') && used == 4;
        unit = (char)value;
        return isHex;
    }
}
