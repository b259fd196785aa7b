using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Core.Query;

/// <summary>How exact a date was given: what it stands for as the end of a range depends on it.</summary>
internal enum DateUnit : byte
{
    Moment,
    Hour,
    Day,
}

/// <summary>
/// A date as PostHog's clients write it:
/// <code>
/// 2026-03-01                    that day in the project's time zone
/// 2026-03-01T10:00:00           in the project's time zone; also with a blank for the T, and with up to 7 decimals
/// 2026-03-01T10:00:00Z, +02:00  a moment
/// -7d -24h -1w -3m -1q -1y      so long ago, in the project's calendar; also -90M (minutes), -30s
/// dStart -1mStart -1mEnd        the begin or the end of that hour, day, week, month, quarter or year
/// now
/// </code>
/// </summary>
/// <param name="Local">In the project's time zone, for rounding; its kind is unspecified.</param>
/// <param name="Utc">The moment itself.</param>
/// <param name="Unit">How exact it was given.</param>
internal readonly partial record struct QueryDate(DateTime Local, DateTime Utc, DateUnit Unit)
{
    private const int MaxYearsAway = 300;

    private static readonly CultureInfo Invariant = CultureInfo.InvariantCulture;

    private static readonly string[] LocalFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFF", "yyyy-MM-dd HH:mm:ss.FFFFFFF", "yyyy-MM-dd'T'HH:mm", "yyyy-MM-dd HH:mm",
    ];

    private static readonly string[] MomentFormats =
    [
        "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFzzz", "yyyy-MM-dd HH:mm:ss.FFFFFFFzzz",
        "yyyy-MM-dd'T'HH:mmzzz", "yyyy-MM-dd HH:mmzzz",
    ];

    public static bool TryParse(string text, ProjectZone zone, DateTime nowUtc, out QueryDate date)
    {
        if (text == "now") return FromUtc(nowUtc, zone, DateUnit.Moment, out date);
        if (TryParseExact(text, "yyyy-MM-dd", out var day)) return FromLocal(day, zone, DateUnit.Day, out date);
        if (DateTime.TryParseExact(text, LocalFormats, Invariant, DateTimeStyles.None, out var local))
            return FromLocal(local, zone, DateUnit.Moment, out date);

        string offset = text.EndsWith('Z') ? text[..^1] + "+00:00" : text;
        if (DateTimeOffset.TryParseExact(offset, MomentFormats, Invariant, DateTimeStyles.None, out var moment))
            return FromUtc(ProjectZone.Clamp(moment.UtcDateTime), zone, DateUnit.Moment, out date);
        return TryParseRelative(text, zone, nowUtc, out date);
    }

    /// <summary>Where the range that starts with this date begins.</summary>
    public DateTime BeginOfUnit() => Unit switch
    {
        DateUnit.Hour => Local.Date.AddHours(Local.Hour),
        DateUnit.Day => Local.Date,
        _ => Local,
    };

    /// <summary>Where the range that ends with this date ends (exclusive): the last day of a range is whole.</summary>
    public DateTime EndOfUnit(ProjectZone zone) => Unit switch
    {
        DateUnit.Hour => zone.ToUtc(BeginOfUnit().AddHours(1)),
        DateUnit.Day => zone.ToUtc(Local.Date.AddDays(1)),
        _ => Utc,
    };

    private static bool TryParseRelative(string text, ProjectZone zone, DateTime nowUtc, out QueryDate date)
    {
        date = default;
        var match = Relative().Match(text);
        if (!match.Success) return false;

        var digits = match.Groups["number"].ValueSpan;
        int number = digits.IsEmpty ? 0 : int.Parse(digits, Invariant);
        if (match.Groups["sign"].Value != "+") number = -number;
        char unit = match.Groups["unit"].Value[0];
        if (YearsIn(number, unit) > MaxYearsAway) return false;

        // Shorter units are lengths of time, whatever the clocks do in between; longer ones follow the calendar.
        if (unit is 's' or 'M' or 'h')
        {
            var utc = nowUtc.AddSeconds(number * (unit == 's' ? 1.0 : unit == 'M' ? 60 : 3600));
            FromUtc(utc, zone, unit == 'h' ? DateUnit.Hour : DateUnit.Moment, out date);
        }
        else
        {
            FromLocal(Shift(zone.ToLocal(nowUtc), number, unit), zone, DateUnit.Day, out date);
        }

        string position = match.Groups["position"].Value;
        if (position.Length > 0) date = date.At(position, unit, zone);
        return true;
    }

    private static double YearsIn(int number, char unit) => Math.Abs((double)number) / unit switch
    {
        's' => 31_536_000,
        'M' => 525_600,
        'h' => 8_760,
        'd' => 365,
        'w' => 52,
        'm' => 12,
        'q' => 4,
        _ => 1,
    };

    private static DateTime Shift(DateTime local, int number, char unit) => unit switch
    {
        'd' => local.AddDays(number),
        'w' => local.AddDays(7 * number),
        'm' => local.AddMonths(number),
        'q' => local.AddMonths(3 * number),
        _ => local.AddYears(number),
    };

    private QueryDate At(string position, char unit, ProjectZone zone)
    {
        var begin = unit switch
        {
            'h' => Local.Date.AddHours(Local.Hour),
            'w' => TrendsInterval.StartOfWeek(Local),
            'm' => new DateTime(Local.Year, Local.Month, 1),
            'q' => new DateTime(Local.Year, Local.Month - (Local.Month - 1) % 3, 1),
            'y' => new DateTime(Local.Year, 1, 1),
            _ => Local.Date,
        };

        // The end of a day is that day: as the end of a range it is whole.
        if (position == "End") begin = unit == 'h' ? begin : Shift(begin, 1, unit).AddDays(-1);
        FromLocal(begin, zone, unit == 'h' ? DateUnit.Hour : DateUnit.Day, out var date);
        return date;
    }

    private static bool TryParseExact(string text, string format, out DateTime value) =>
        DateTime.TryParseExact(text, format, Invariant, DateTimeStyles.None, out value);

    private static bool FromLocal(DateTime local, ProjectZone zone, DateUnit unit, out QueryDate date)
    {
        var utc = zone.ToUtc(local);
        date = new(zone.ToLocal(utc), utc, unit);
        return true;
    }

    private static bool FromUtc(DateTime utc, ProjectZone zone, DateUnit unit, out QueryDate date)
    {
        date = new(zone.ToLocal(utc), utc, unit);
        return true;
    }

    [GeneratedRegex(@"\A(?<sign>[-+])?(?<number>[0-9]{1,6})?(?<unit>[sMhdwmqy])(?<position>Start|End)?\z")]
    private static partial Regex Relative();
}
