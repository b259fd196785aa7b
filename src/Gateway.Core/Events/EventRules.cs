using System.Text;
using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>What an event must be to be taken. Returns the reason why it is not, or None.</summary>
internal static class EventRules
{
    /// <summary>What can be said from the kinds of values alone, before any text is looked at.</summary>
    public static RejectionReason CheckShape(in EventFields fields, CaptureLimits limits)
    {
        if (fields.Whole.Length > limits.MaxEventBytes) return RejectionReason.EventTooLarge;
        if (!IsObjectOrMissing(fields.Properties.Whole)) return RejectionReason.BadProperties;
        if (!IsObjectOrMissing(fields.Set) || !IsObjectOrMissing(fields.SetOnce)) return RejectionReason.BadProperties;
        if (fields.Uuid is { IsMissing: false, IsString: false }) return RejectionReason.BadUuid;
        if (fields.Name is { IsMissing: false, IsString: false }) return RejectionReason.BadEventName;
        return RejectionReason.None;
    }

    public static RejectionReason CheckName(ReadOnlySpan<byte> name, CaptureLimits limits)
    {
        if (name.IsEmpty) return RejectionReason.MissingEventName;
        if (name.Contains((byte)0)) return RejectionReason.BadEventName;
        return IsLonger(name, limits.MaxEventNameLength) ? RejectionReason.EventNameTooLong : RejectionReason.None;
    }

    public static RejectionReason CheckDistinctId(ReadOnlySpan<byte> id, CaptureLimits limits)
    {
        if (IsBlank(id)) return RejectionReason.MissingDistinctId;
        if (id.Contains((byte)0)) return RejectionReason.BadDistinctId;
        return IsLonger(id, limits.MaxDistinctIdLength) ? RejectionReason.DistinctIdTooLong : RejectionReason.None;
    }

    public static RejectionReason CheckCookieless(JsonSlice mode) =>
        mode.Type is JsonTokenType.None or JsonTokenType.True or JsonTokenType.False
            ? RejectionReason.None
            : RejectionReason.BadCookielessFlag;

    private static bool IsObjectOrMissing(JsonSlice slice) =>
        slice.IsMissing || slice.Type == JsonTokenType.StartObject;

    private static bool IsLonger(ReadOnlySpan<byte> text, int codePoints)
    {
        if (text.Length <= codePoints) return false;

        // Each code point has one byte that is no continuation.
        int count = 0;
        foreach (byte unit in text)
        {
            if ((unit & 0xc0) != 0x80) count++;
        }

        return count > codePoints;
    }

    private static bool IsBlank(ReadOnlySpan<byte> text)
    {
        while (!text.IsEmpty)
        {
            Rune.DecodeFromUtf8(text, out var rune, out int used);
            if (!Rune.IsWhiteSpace(rune)) return false;
            text = text[used..];
        }

        return true;
    }
}
