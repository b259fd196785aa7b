using System.Buffers.Text;
using System.Text;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// Finds ClickHouse's error in an answer's bytes. An answer that failed before its first byte is nothing but the error:
/// <code>
/// Code: 62. DB::Exception: Syntax error: …                                  today
/// Code: 62, e.displayText() = DB::Exception: Syntax error: …                until 2021
/// </code>
/// One that failed later has status 200 and ends with it:
/// <code>
/// since 25.11   …data \r\n__exception__\r\n {tag}\r\n {text}\r\n {length} {tag}\r\n __exception__\r\n, tag in a header
/// since 24.11   …data \r\n__exception__\r\n {text}
/// before        …data {text}
/// </code>
/// </summary>
internal static class ClickHouseErrorText
{
    /// <summary>How much of an answer's end must be kept to find an error in it.</summary>
    public const int TailBytes = 16 * 1024;

    private const int MaxMessageChars = 2000;

    private static ReadOnlySpan<byte> Marker => "__exception__\r\n"u8;
    private static ReadOnlySpan<byte> Prefix => "Code: "u8;
    private static ReadOnlySpan<byte> Sign => "DB::Exception"u8;

    /// <summary>The number behind the first <c>Code: </c>, or 0.</summary>
    public static int Code(ReadOnlySpan<byte> text)
    {
        int at = text.IndexOf(Prefix);
        return at >= 0 && Utf8Parser.TryParse(text[(at + Prefix.Length)..], out int code, out _) ? code : 0;
    }

    public static string Message(ReadOnlySpan<byte> text)
    {
        string message = Encoding.UTF8.GetString(text).Trim();
        return message.Length <= MaxMessageChars ? message : message[..MaxMessageChars] + "…";
    }

    /// <summary>The error with which an answer of status 200 ended, or an empty span.</summary>
    /// <param name="tail">The last bytes of the body.</param>
    /// <param name="tag">The header's tag, which no row can know; empty on a server without it.</param>
    /// <param name="format">ClickHouse's name of the result's format.</param>
    public static ReadOnlySpan<byte> FindInTail(ReadOnlySpan<byte> tail, ReadOnlySpan<byte> tag, string format)
    {
        if (!tag.IsEmpty) return Tagged(tail, tag);

        // Binary rows hold stored text as it is, which could imitate any error. Their reader sees what is no row.
        if (format is "RowBinary" or "Native") return default;

        // No tag: formats with escaped line breaks cannot imitate a marker or an error at the start of a line.
        int marker = tail.LastIndexOf(Marker);
        if (marker >= 0) return tail[(marker + Marker.Length)..];

        int code = tail.LastIndexOf(Prefix);
        bool startsLine = code == 0 || (code > 0 && tail[code - 1] == '\n');
        return startsLine && tail[code..].IndexOf(Sign) > 0 ? tail[code..] : default;
    }

    private static ReadOnlySpan<byte> Tagged(ReadOnlySpan<byte> tail, ReadOnlySpan<byte> tag)
    {
        int close = tail.LastIndexOf(tag);
        if (close < 0) return default;

        var before = tail[..close];
        int open = before.LastIndexOf(tag);

        // A text longer than the tail has lost its opening tag; what is left of it is still the error. A body cut
        // inside the text has lost the closing one.
        if (open < 0 && !tail[close..].EndsWith(Marker)) return tail[(close + tag.Length)..];
        var text = before[(open < 0 ? 0 : open + tag.Length)..];
        int lastLine = text.TrimEnd((byte)' ').LastIndexOf("\r\n"u8);
        return lastLine > 0 ? text[..lastLine] : text;
    }
}
