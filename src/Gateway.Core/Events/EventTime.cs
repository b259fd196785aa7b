namespace Gateway.Core.Events;

/// <summary>
/// When an event happened. Two answers, on purpose: <c>day</c> belongs to the row's identity and rests only on what
/// a retry repeats byte for byte; the timestamp that is shown is corrected with the clocks.
/// </summary>
internal static class EventTime
{
    public const long MicrosPerSecond = 1_000_000;
    public const long MicrosPerDay = 86_400 * MicrosPerSecond;

    /// <summary>An event may be this far ahead of us; beyond it, its time is the time of receipt.</summary>
    public const long MostAhead = 23 * 3600 * MicrosPerSecond;

    /// <summary>A client's clock is put right only when it is off by more: network delay is no skew.</summary>
    public const long LeastSkew = 60 * MicrosPerSecond;

    /// <summary>1900-01-01, the first moment of ClickHouse's DateTime64.</summary>
    public const long Earliest = -25_567 * MicrosPerDay;

    /// <summary>
    /// The row's day: of the client's own timestamp, else of its uuid if that tells one, else 1970-01-01.
    /// </summary>
    public static ushort IdentityDay(long? clientMicros, EventUuid? clientUuid)
    {
        if (clientMicros is { } micros) return Saturated((micros - ModDay(micros)) / MicrosPerDay);
        if (clientUuid is { IsVersion7: true } uuid) return Saturated(uuid.Version7Milliseconds / 86_400_000);
        return 0;
    }

    /// <summary>How far the client's clock is ahead of ours, or 0 when it is near enough.</summary>
    public static long Skew(long sentAtMicros, long nowMicros)
    {
        long skew = sentAtMicros - nowMicros;
        return Math.Abs(skew) > LeastSkew ? skew : 0;
    }

    /// <summary>The moment that is stored: never far in our future, never before ClickHouse's time.</summary>
    public static long Shown(long micros, long nowMicros) =>
        micros > nowMicros + MostAhead ? nowMicros : Math.Max(micros, Earliest);

    private static long ModDay(long micros)
    {
        long rest = micros % MicrosPerDay;
        return rest < 0 ? rest + MicrosPerDay : rest;
    }

    private static ushort Saturated(long day) => (ushort)Math.Clamp(day, 0, ushort.MaxValue);
}
