using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>
/// Where the parts of one event stand in the body. Nothing is copied or checked until the event is whole.
/// </summary>
internal struct EventFields
{
    public JsonSlice Whole;
    public JsonSlice Name;
    public JsonSlice DistinctId;
    public JsonSlice Uuid;
    public JsonSlice Timestamp;
    public JsonSlice Offset;
    public JsonSlice Set;
    public JsonSlice SetOnce;
    public JsonSlice Token;

    /// <summary>Two token keys at the event's top level hold different values.</summary>
    public bool TokensDiffer;

    public PropertyFields Properties;

    public void KeepToken(JsonSlice token, ReadOnlySpan<byte> json)
    {
        if (token.IsMissing) return;

        if (!Token.IsMissing && !TokenText.AreEqual(Token, token, json)) TokensDiffer = true;
        Token = token;
    }

    /// <summary>The event's own token: at its top level, else among its properties.</summary>
    public readonly JsonSlice OwnToken
    {
        get
        {
            if (!Token.IsMissing) return Token;
            return Properties.Token.IsString ? Properties.Token : default;
        }
    }
}

/// <summary>What an event's properties hold that the gateway itself looks at.</summary>
internal struct PropertyFields
{
    public JsonSlice Whole;
    public JsonSlice DistinctId;
    public JsonSlice Token;
    public JsonSlice CookielessMode;
    public bool IgnoresSentAt;
    public bool HasSet;
    public bool HasSetOnce;

    /// <summary>A bit for each promoted property that was seen, whatever its value.</summary>
    public int PromotedSeen;

    public PromotedSlices Promoted;

    public readonly bool HasIp => (PromotedSeen & (1 << PromotedProperties.Ip)) != 0;

    /// <summary>Of duplicate keys the first counts. Only text, numbers and booleans have a column.</summary>
    public void KeepPromoted(int index, JsonSlice value)
    {
        int bit = 1 << index;
        if ((PromotedSeen & bit) != 0) return;

        PromotedSeen |= bit;
        if (value.Type is JsonTokenType.String or JsonTokenType.Number or JsonTokenType.True or JsonTokenType.False)
            Promoted[index] = value;
    }
}

/// <summary>One slice for each of <see cref="PromotedProperties.Names"/>.</summary>
[InlineArray(Count)]
internal struct PromotedSlices
{
    public const int Count = 10;

    private JsonSlice _first;
}
