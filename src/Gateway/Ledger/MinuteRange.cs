using System.Globalization;

namespace Gateway.Ledger;

/// <summary>The minutes that a request asks for by <c>from</c> and <c>to</c>, both included, since 1970 UTC.</summary>
internal readonly record struct MinuteRange(int From, int To)
{
    private const int MostMinutes = 24 * 60;
    private const int StandardMinutes = 60;

    public DateTimeOffset Beginning => TimeOf(From);

    public DateTimeOffset End => TimeOf(To + 1);

    /// <summary>A day at most; the last hour where nothing is said. What is wrong with it, or null.</summary>
    public static IResult? Read(HttpContext context, TimeProvider time, out MinuteRange range)
    {
        range = default;
        int to = MinuteOf(time.GetUtcNow());
        if (ReadMinute(context, "to", ref to) is { } wrongTo) return wrongTo;

        int from = to - StandardMinutes + 1;
        if (ReadMinute(context, "from", ref from) is { } wrongFrom) return wrongFrom;
        if (from > to) return ApiError.Validation("from must not be after to.", "from");
        if (to - from >= MostMinutes) return ApiError.Validation("At most a day at once.", "from");

        range = new MinuteRange(from, to);
        return null;
    }

    public static DateTimeOffset TimeOf(int minute) => DateTimeOffset.FromUnixTimeSeconds(minute * 60L);

    private static IResult? ReadMinute(HttpContext context, string name, ref int minute)
    {
        if (context.Request.Query[name].LastOrDefault() is not { } text) return null;
        if (DateTimeOffset.TryParse(
            text, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            && at >= DateTimeOffset.UnixEpoch && at.Year < 2200)
        {
            minute = MinuteOf(at);
            return null;
        }

        return ApiError.Validation($"{name} must be a time such as 2026-01-31T12:00:00Z.", name);
    }

    private static int MinuteOf(DateTimeOffset at) => (int)(at.ToUnixTimeSeconds() / 60);
}
