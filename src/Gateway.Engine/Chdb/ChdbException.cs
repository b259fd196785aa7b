using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.RegularExpressions;

namespace Gateway.Engine.Chdb;

/// <summary>An error of ClickHouse: its number, and its text without the number.</summary>
internal sealed partial class ChdbException : Exception
{
    public ChdbException(int code, string message)
        : base(message) => Code = code;

    public int Code { get; }

    /// <summary>Reads <c>Code: 60. DB::Exception: …</c>, which libchdb sometimes wraps into others like it.</summary>
    public static ChdbException Parse(string text)
    {
        var match = Prefix().Match(text);
        if (!match.Success) return new ChdbException(ErrorCode.Unknown, text);

        int code = int.Parse(match.Groups["code"].ValueSpan, CultureInfo.InvariantCulture);
        string message = Versions().Replace(text[match.Length..], "").TrimEnd();
        return new ChdbException(code, message);
    }

    public static unsafe ChdbException Parse(byte* text) =>
        Parse(Encoding.UTF8.GetString(MemoryMarshal.CreateReadOnlySpanFromNullTerminated(text)));

    /// <summary>The text as ClickHouse's HTTP interface words it.</summary>
    public string ToText(string version) =>
        string.Create(CultureInfo.InvariantCulture, $"Code: {Code}. DB::Exception: {Message} (version {version})\n");

    [GeneratedRegex(@"\A(Code: (?<code>\d+)\. DB::Exception: )+")]
    private static partial Regex Prefix();

    // The version is written once, by ToText; what a wrapping repeats after it goes too.
    [GeneratedRegex(@" \(version [^()]*\).*\z", RegexOptions.Singleline)]
    private static partial Regex Versions();
}
