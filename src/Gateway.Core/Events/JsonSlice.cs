using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>
/// Where a JSON value stands in the body. A string's quotes are left out; an array or object is whole. The default is
/// a value that is not there.
/// </summary>
internal readonly record struct JsonSlice(int Start, int Length, JsonTokenType Type, bool IsEscaped)
{
    /// <summary>Absent, or null: the same to every field of an event.</summary>
    public bool IsMissing => Type is JsonTokenType.None or JsonTokenType.Null;

    public bool IsString => Type == JsonTokenType.String;

    /// <summary>The bytes as sent, escapes and all.</summary>
    public ReadOnlySpan<byte> Raw(ReadOnlySpan<byte> json) => json.Slice(Start, Length);

    /// <summary>
    /// Writes a string's text, or any other value's JSON, and returns its length. Text never takes more room than its
    /// escapes did.
    /// </summary>
    public int CopyText(ReadOnlySpan<byte> json, Span<byte> destination)
    {
        if (!IsEscaped)
        {
            Raw(json).CopyTo(destination);
            return Length;
        }

        var reader = new Utf8JsonReader(json.Slice(Start - 1, Length + 2));
        reader.Read();
        return reader.CopyString(destination);
    }
}
