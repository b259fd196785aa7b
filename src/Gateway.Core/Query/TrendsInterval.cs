using System.Globalization;

namespace Gateway.Core.Query;

internal enum IntervalUnit : byte
{
    Hour,
    Day,
    Week,
    Month,
}

/// <summary>The buckets' length in the project's calendar. Weeks start on Sunday, PostHog's default.</summary>
internal static class TrendsInterval
{
    public static DateTime StartOfWeek(DateTime local) => local.Date.AddDays(-(int)local.DayOfWeek);

    /// <summary>The begin of the bucket that holds this local time.</summary>
    public static DateTime StartOf(IntervalUnit unit, DateTime local) => unit switch
    {
        IntervalUnit.Hour => local.Date.AddHours(local.Hour),
        IntervalUnit.Day => local.Date,
        IntervalUnit.Week => StartOfWeek(local),
        _ => new DateTime(local.Year, local.Month, 1),
    };

    public static DateTime Next(IntervalUnit unit, DateTime start) => unit switch
    {
        IntervalUnit.Day => start.AddDays(1),
        IntervalUnit.Week => start.AddDays(7),
        _ => start.AddMonths(1),
    };

    /// <summary>PostHog's <c>days</c>: for programs.</summary>
    public static string Day(IntervalUnit unit, DateTime start) =>
        start.ToString(unit == IntervalUnit.Hour ? "yyyy-MM-dd HH:mm:ss" : "yyyy-MM-dd", CultureInfo.InvariantCulture);

    /// <summary>PostHog's <c>labels</c>: for people.</summary>
    public static string Label(IntervalUnit unit, DateTime start) =>
        start.ToString(unit == IntervalUnit.Hour ? "d-MMM-yyyy HH:mm" : "d-MMM-yyyy", CultureInfo.InvariantCulture);
}
