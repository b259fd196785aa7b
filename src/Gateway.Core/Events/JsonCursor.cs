using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using System.Numerics;
using System.Runtime.Intrinsics;
using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>
/// Reads a JSON document in place, forward only, value by value. It takes exactly what <see cref="Utf8JsonReader"/>
/// takes by default (RFC 8259, no comments, no trailing commas) and throws <see cref="JsonException"/> for the rest.
/// It is here because parsing is most of what a batch costs: that reader can be stopped anywhere and be fed in pieces,
/// and keeps what that takes with each token; this one has the whole text and keeps a position.
/// </summary>
/// <remarks>The text is valid UTF-8: who calls has checked that, as it is quicker for all of it at once.</remarks>
internal ref struct JsonCursor(ReadOnlySpan<byte> json, int maxDepth)
{
    private const byte FirstPrintable = 0x20;

    private static readonly SearchValues<byte> StringStops =
        SearchValues.Create([.. "\"\\"u8, .. Enumerable.Range(0, FirstPrintable).Select(value => (byte)value)]);

    private readonly ReadOnlySpan<byte> _json = json;
    private int _depth;

    // Whether the innermost object or array has shown none of its members yet.
    private bool _isFirst;

    /// <summary>Of the byte that is read next. After <see cref="PeekType"/>: where the value starts.</summary>
    public int Position { get; private set; }

    /// <summary>What comes next, told by its first byte; it is not read yet.</summary>
    public JsonTokenType PeekType() => Peek() switch
    {
        (byte)'{' => JsonTokenType.StartObject,
        (byte)'[' => JsonTokenType.StartArray,
        (byte)'"' => JsonTokenType.String,
        (byte)'t' => JsonTokenType.True,
        (byte)'f' => JsonTokenType.False,
        (byte)'n' => JsonTokenType.Null,
        _ => JsonTokenType.Number,
    };

    /// <summary>Goes into the object or array that comes next; its members are read one by one.</summary>
    public void Enter()
    {
        if (_depth == maxDepth) Fail();

        Position++;
        _depth++;
        _isFirst = true;
    }

    /// <summary>Reads the name of the object's next member. False behind its last one: the object is left.</summary>
    public bool ReadKey(out JsonSlice key)
    {
        byte next = Peek();
        if (next == '}') return Leave(out key);

        if (!_isFirst)
        {
            if (next != ',') Fail();
            Position++;
            next = Peek();
        }

        if (next != '"') Fail();
        key = ReadString();
        if (Peek() != ':') Fail();
        Position++;
        _isFirst = false;
        return true;
    }

    /// <summary>Goes to the array's next element. False behind its last one: the array is left.</summary>
    public bool ReadElement()
    {
        byte next = Peek();
        if (next == ']') return Leave(out _);

        if (!_isFirst)
        {
            if (next != ',') Fail();
            Position++;
        }

        _isFirst = false;
        return true;
    }

    /// <summary>Reads the next value to its end, with all that is in it.</summary>
    public JsonSlice ReadValue()
    {
        byte first = Peek();
        int start = Position;
        switch (first)
        {
            case (byte)'"':
                return ReadString();
            case (byte)'{':
                Enter();
                while (ReadKey(out _)) ReadValue();
                return From(start, JsonTokenType.StartObject);
            case (byte)'[':
                Enter();
                while (ReadElement()) ReadValue();
                return From(start, JsonTokenType.StartArray);
            case (byte)'t':
                return ReadWord("true"u8, JsonTokenType.True);
            case (byte)'f':
                return ReadWord("false"u8, JsonTokenType.False);
            case (byte)'n':
                return ReadWord("null"u8, JsonTokenType.Null);
            default:
                return ReadNumber();
        }
    }

    /// <summary>From where a value started to where it has just ended.</summary>
    public readonly JsonSlice From(int start, JsonTokenType type) => new(start, Position - start, type, false);

    /// <summary>Nothing but white space follows.</summary>
    public void ReadEnd()
    {
        Peek();
        if (Position != _json.Length) Fail();
    }

    [DoesNotReturn]
    private static void Fail() => throw new JsonException();

    private static bool IsWhiteSpace(byte value) => value is (byte)' ' or (byte)'\n' or (byte)'\r' or (byte)'\t';

    /// <summary>The byte at the position, which is no white space; 0 at the end, which begins nothing either.</summary>
    private byte Peek()
    {
        while (Position < _json.Length)
        {
            byte next = _json[Position];
            if (next > FirstPrintable || !IsWhiteSpace(next)) return next;
            Position++;
        }

        return 0;
    }

    private readonly byte Current() => Position < _json.Length ? _json[Position] : (byte)0;

    private bool Leave(out JsonSlice key)
    {
        Position++;
        _depth--;
        _isFirst = false;
        key = default;
        return false;
    }

    /// <summary>Its quotes are not part of it; its escapes are left as they are.</summary>
    private JsonSlice ReadString()
    {
        int start = ++Position;
        bool isEscaped = false;
        while (true)
        {
            int length = FindStringStop(_json[Position..]);
            if (length < 0) Fail();

            Position += length;
            byte stop = _json[Position];
            if (stop == '"') return new JsonSlice(start, Position++ - start, JsonTokenType.String, isEscaped);
            if (stop != '\\') Fail();

            isEscaped = true;
            SkipEscape();
        }
    }

    /// <summary>Where a quote, a backslash or a control character stands; most texts end at the first look.</summary>
    private static int FindStringStop(ReadOnlySpan<byte> text)
    {
        if (!Vector256.IsHardwareAccelerated || text.Length < Vector256<byte>.Count)
            return text.IndexOfAny(StringStops);

        var bytes = Vector256.Create(text);
        var stops = Vector256.Equals(bytes, Vector256.Create((byte)'"'))
            | Vector256.Equals(bytes, Vector256.Create((byte)'\\'))
            | Vector256.LessThan(bytes, Vector256.Create(FirstPrintable));
        uint mask = stops.ExtractMostSignificantBits();
        if (mask != 0) return BitOperations.TrailingZeroCount(mask);

        int further = text[Vector256<byte>.Count..].IndexOfAny(StringStops);
        return further < 0 ? further : further + Vector256<byte>.Count;
    }

    private void SkipEscape()
    {
        const int UnicodeLength = 6;

        Position++;
        switch (Current())
        {
            case (byte)'"' or (byte)'\\' or (byte)'/' or (byte)'b' or (byte)'f' or (byte)'n' or (byte)'r' or (byte)'t':
                Position++;
                break;
            case (byte)'u' when Position + UnicodeLength - 1 <= _json.Length
                && IsHex(_json.Slice(Position + 1, UnicodeLength - 2)):
                Position += UnicodeLength - 1;
                break;
            default:
                Fail();
                break;
        }
    }

    private static bool IsHex(ReadOnlySpan<byte> digits)
    {
        foreach (byte digit in digits)
        {
            if (!char.IsAsciiHexDigit((char)digit)) return false;
        }

        return true;
    }

    private JsonSlice ReadWord(ReadOnlySpan<byte> word, JsonTokenType type)
    {
        if (!_json[Position..].StartsWith(word)) Fail();

        int start = Position;
        Position += word.Length;
        return From(start, type);
    }

    private JsonSlice ReadNumber()
    {
        int start = Position;
        if (Current() == '-') Position++;
        if (Current() == '0') Position++;
        else SkipDigits();

        if (Current() == '.')
        {
            Position++;
            SkipDigits();
        }

        if (Current() is (byte)'e' or (byte)'E')
        {
            Position++;
            if (Current() is (byte)'+' or (byte)'-') Position++;
            SkipDigits();
        }

        return From(start, JsonTokenType.Number);
    }

    private void SkipDigits()
    {
        if (!char.IsAsciiDigit((char)Current())) Fail();
        while (char.IsAsciiDigit((char)Current())) Position++;
    }
}
