using System.Buffers.Text;
using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>Reads the values of an event's fields that are no plain text.</summary>
internal static class EventValues
{
    /// <summary>Longer texts are no time and no uuid, even with each character escaped.</summary>
    private const int LongestText = 6 * 64;

    /// <summary>Microseconds UTC; null when absent or unreadable.</summary>
    public static long? ReadTime(ReadOnlySpan<byte> json, JsonSlice value)
    {
        if (value.Type == JsonTokenType.Number)
            return ClientTime.TryParseUnix(value.Raw(json), out long unix) ? unix : null;

        if (!value.IsString || value.Length > LongestText) return null;

        Span<byte> unescaped = stackalloc byte[value.IsEscaped ? LongestText : 0];
        var text = value.IsEscaped ? unescaped[..value.CopyText(json, unescaped)] : value.Raw(json);
        return ClientTime.TryParse(text, out long micros) ? micros : null;
    }

    /// <summary>How long ago, in microseconds, from JSON's milliseconds; null when absent or no number.</summary>
    public static long? ReadOffset(ReadOnlySpan<byte> json, JsonSlice value)
    {
        // A thousand years: enough to be clamped, and far from overflowing.
        const double MostMilliseconds = 1000.0 * 366 * 86_400_000;

        if (value.Type != JsonTokenType.Number) return null;
        if (!Utf8Parser.TryParse(value.Raw(json), out double milliseconds, out int used)) return null;
        if (used != value.Length || double.IsNaN(milliseconds)) return null;

        return (long)(Math.Clamp(milliseconds, -MostMilliseconds, MostMilliseconds) * 1000);
    }

    /// <summary>False when there is a uuid that is none. An empty one counts as absent, and gives null.</summary>
    public static bool TryReadUuid(ReadOnlySpan<byte> json, JsonSlice value, out EventUuid? uuid)
    {
        uuid = null;
        if (value.IsMissing || value.Length == 0) return true;
        if (value.Length > LongestText) return false;

        Span<byte> unescaped = stackalloc byte[value.IsEscaped ? LongestText : 0];
        var text = value.IsEscaped ? unescaped[..value.CopyText(json, unescaped)] : value.Raw(json);
        if (!EventUuid.TryParse(text, out var parsed)) return false;

        uuid = parsed;
        return true;
    }
}
