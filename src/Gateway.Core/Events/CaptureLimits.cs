namespace Gateway.Core.Events;

/// <summary>How much of a capture request is taken. What is over a limit is refused by name; nothing is cut.</summary>
public sealed record CaptureLimits
{
    /// <summary>Bytes of one body, as sent and once more as inflated or decoded. Over it: 413.</summary>
    public int MaxBodyBytes { get; init; } = 20 * 1024 * 1024;

    /// <summary>Bytes of one event's JSON. A larger one is refused alone.</summary>
    public int MaxEventBytes { get; init; } = 1024 * 1024;

    /// <summary>Events in one request, refused ones included. Over it: 413.</summary>
    public int MaxEvents { get; init; } = 10_000;

    /// <summary>Unicode code points of an event's name.</summary>
    public int MaxEventNameLength { get; init; } = 200;

    /// <summary>Unicode code points of a distinct id.</summary>
    public int MaxDistinctIdLength { get; init; } = 200;

    /// <summary>Nested arrays and objects, counted from the top of the body.</summary>
    public int MaxDepth { get; init; } = 64;

    /// <summary>
    /// Inflated bytes for each byte sent, looked at once more than <see cref="RatioFreeBytes"/> came out: repetitive
    /// events compress well, and a small bomb is harmless.
    /// </summary>
    public int MaxInflateRatio { get; init; } = 500;

    /// <summary>Inflated bytes that are never held against <see cref="MaxInflateRatio"/>.</summary>
    public int RatioFreeBytes { get; init; } = 1024 * 1024;

    /// <summary>Refused events that an answer names; all of them are counted and kept.</summary>
    public int MaxListedRefusals { get; init; } = 100;

    /// <summary>Every mistake in these limits, empty when there is none.</summary>
    public IReadOnlyList<string> Errors()
    {
        // A name's and an id's UTF-8 length is 16 bits in the journal: four bytes a code point.
        const int LongestText = ushort.MaxValue / 4;
        const int LargestBody = 512 * 1024 * 1024;

        List<string> errors = [];
        Check(nameof(MaxBodyBytes), MaxBodyBytes, 1024, LargestBody);
        Check(nameof(MaxEventBytes), MaxEventBytes, 1024, LargestBody);
        Check(nameof(MaxEvents), MaxEvents, 1, 1_000_000);
        Check(nameof(MaxEventNameLength), MaxEventNameLength, 1, LongestText);
        Check(nameof(MaxDistinctIdLength), MaxDistinctIdLength, 1, LongestText);
        Check(nameof(MaxDepth), MaxDepth, 4, 512);
        Check(nameof(MaxInflateRatio), MaxInflateRatio, 1, int.MaxValue);
        Check(nameof(RatioFreeBytes), RatioFreeBytes, 0, int.MaxValue);
        Check(nameof(MaxListedRefusals), MaxListedRefusals, 0, 10_000);
        return errors;

        void Check(string name, int value, int least, int most)
        {
            if (value < least || value > most) errors.Add($"{name} is {value}; it must be {least} to {most}.");
        }
    }
}
