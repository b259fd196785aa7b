using System.Text;

namespace Gateway.Engine.Sql;

/// <summary>
/// Walks over a statement's words and brackets, past white space, comments and whatever is quoted. It knows no
/// grammar: ClickHouse's own parser judges the statement later.
/// </summary>
internal ref struct SqlScanner(ReadOnlySpan<byte> text)
{
    private readonly ReadOnlySpan<byte> _text = text;
    private int _start;

    /// <summary>The brackets that are open around the token.</summary>
    public int Depth { get; private set; }

    /// <summary>Where the token ends in the text.</summary>
    public int End { get; private set; }

    public readonly int Start => _start;

    public readonly bool IsWord => _start < End && IsWordByte(_text[_start]);

    public readonly string Word => Encoding.UTF8.GetString(_text[_start..End]);

    /// <summary>Goes to the next token; false at the end of the text.</summary>
    public bool Next()
    {
        _start = SkipBlanks(End);
        if (_start >= _text.Length) return false;

        byte first = _text[_start];
        End = first switch
        {
            (byte)'\'' or (byte)'"' or (byte)'`' => EndOfQuoted(_start),
            (byte)'$' => EndOfHeredoc(_start),
            _ when IsWordByte(first) => EndOfWord(_start),
            _ => _start + 1,
        };
        if (first is (byte)'(' or (byte)'[' or (byte)'{') Depth++;
        if (first is (byte)')' or (byte)']' or (byte)'}') Depth--;
        return true;
    }

    public readonly bool Is(ReadOnlySpan<byte> keyword) => Ascii.EqualsIgnoreCase(_text[_start..End], keyword);

    private static bool IsWordByte(byte value) => char.IsAsciiLetterOrDigit((char)value) || value is (byte)'_' or > 127;

    private readonly int SkipBlanks(int at)
    {
        while (at < _text.Length)
        {
            var rest = _text[at..];
            if (rest[0] <= ' ') at++;
            else if (IsLineComment(rest)) at += Until(rest, "\n"u8);
            else if (rest.StartsWith("/*"u8)) at += Until(rest, "*/"u8);
            else break;
        }

        return at;
    }

    private static bool IsLineComment(ReadOnlySpan<byte> rest) =>
        rest.StartsWith("--"u8) || rest.StartsWith("# "u8) || rest.StartsWith("#!"u8);

    private readonly int EndOfQuoted(int at)
    {
        byte quote = _text[at];
        for (int i = at + 1; i < _text.Length; i++)
        {
            if (_text[i] == '\\') i++;
            else if (_text[i] == quote) return i + 1;
        }

        return _text.Length;
    }

    /// <summary>$tag$ … $tag$, or a lone dollar.</summary>
    private readonly int EndOfHeredoc(int at)
    {
        int tagEnd = EndOfWord(at + 1);
        if (tagEnd >= _text.Length || _text[tagEnd] != '$') return at + 1;

        var tag = _text[at..(tagEnd + 1)];
        int close = _text[(tagEnd + 1)..].IndexOf(tag);
        return close < 0 ? _text.Length : tagEnd + 1 + close + tag.Length;
    }

    private readonly int EndOfWord(int at)
    {
        while (at < _text.Length && IsWordByte(_text[at])) at++;
        return at;
    }

    private static int Until(ReadOnlySpan<byte> rest, ReadOnlySpan<byte> end)
    {
        int found = rest.IndexOf(end);
        return found < 0 ? rest.Length : found + end.Length;
    }
}
