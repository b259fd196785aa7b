using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.Core.Tests.Events;

/// <summary>Clients' times read by patterns and the framework's calendar: what the parser's own reader is compared with.</summary>
internal static partial class ReferenceTime
{
    private const string Months = "jan feb mar apr may jun jul aug sep oct nov dec";

    /// <summary>Microseconds since 1970-01-01 UTC; null when it is no time.</summary>
    public static long? Read(string text)
    {
        // Beyond this, even written as escapes, nobody means a time.
        text = text.Trim(' ', '\t');
        if (text.Length is 0 or > 64) return null;

        foreach (var form in (Regex[])[YearFirst(), YearLast(), Mail()])
        {
            if (form.Match(text) is not { Success: true } match) continue;
            return ReadDate(match) ?? ReadUnix(text);
        }

        return ReadUnix(text);
    }

    /// <summary>Unix time: seconds, milli-, micro- or nanoseconds by its size.</summary>
    public static long? ReadUnix(string text)
    {
        const NumberStyles Fraction = NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (long.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out long whole))
        {
            return Math.Abs((decimal)whole) switch
            {
                < 100_000_000_000 => whole * 1_000_000,
                < 100_000_000_000_000 => whole * 1_000,
                < 100_000_000_000_000_000 => whole,
                _ => whole / 1_000,
            };
        }

        if (!double.TryParse(text, Fraction, CultureInfo.InvariantCulture, out double number)) return null;
        return Math.Abs(number) switch
        {
            < 1e11 => (long)Math.Round(number * 1e6),
            < 1e14 => (long)Math.Round(number * 1e3),
            < 1e17 => (long)number,
            < 1e20 => (long)(number / 1e3),
            _ => null,
        };
    }

    private static long? ReadDate(Match match)
    {
        int year = Number(match, "year");
        int month = match.Groups["name"].Success
            ? (Months.IndexOf(match.Groups["name"].Value.ToLowerInvariant(), StringComparison.Ordinal) / 4) + 1
            : Number(match, "month");
        int day = Number(match, "day");
        int hour = Number(match, "hour"), minute = Number(match, "minute"), second = Number(match, "second");
        if (hour > 23 || minute > 59 || second > 60 || month is < 1 or > 12) return null;

        // The framework knows no year 0; it is four years before one of the same kind.
        int known = year == 0 ? 4 : year;
        if (day < 1 || day > DateTime.DaysInMonth(known, month)) return null;
        var date = new DateTime(known, month, day, 0, 0, 0, DateTimeKind.Utc);
        long ticks = date.Ticks - (year == 0 ? 1461 * TimeSpan.TicksPerDay : 0);

        int zone = Zone(match, out bool isZone);
        if (!isZone) return null;
        ticks += new TimeSpan(hour, minute, 0).Ticks + (second * TimeSpan.TicksPerSecond) - (zone * TimeSpan.TicksPerMinute);
        long fraction = long.Parse((match.Groups["fraction"].Value + "000000")[..6], CultureInfo.InvariantCulture);
        return ((ticks - DateTime.UnixEpoch.Ticks) / 10) + fraction;
    }

    private static int Zone(Match match, out bool isZone)
    {
        int hours = Number(match, "hours"), minutes = Number(match, "minutes");
        isZone = hours < 24 && minutes < 60;
        int sign = match.Groups["sign"].Value == "-" ? -1 : 1;
        string name = match.Groups["american"].Value;
        if (name.Length == 0) return sign * ((hours * 60) + minutes);
        return -60 * ("ECMP".IndexOf(name[0], StringComparison.Ordinal) + (name[1] == 'S' ? 5 : 4));
    }

    private static int Number(Match match, string group) =>
        match.Groups[group] is { Success: true } found ? int.Parse(found.Value, CultureInfo.InvariantCulture) : 0;

    private const string Clock =
        @"(?<hour>[0-9]{2}):(?<minute>[0-9]{2})(?::(?<second>[0-9]{2}))?(?:[.,](?<fraction>[0-9]+))?\ *";

    private const string Universal = @"(?<sign>[-+])(?<hours>[0-9]{2}):?(?<minutes>[0-9]{2})?|Z|z|UTC|GMT|UT";

    [GeneratedRegex(@"\A(?<year>[0-9]{4})(?:-(?<month>[0-9]{1,2})-|/(?<month>[0-9]{1,2})/)(?<day>[0-9]{1,2})(?:[Tt ]" + Clock + "(?:" + Universal + @")?)?\z")]
    private static partial Regex YearFirst();

    [GeneratedRegex(@"\A(?<month>[0-9]{1,2})/(?<day>[0-9]{1,2})/(?<year>[0-9]{4})(?:[Tt ]" + Clock + "(?:" + Universal + @")?)?\z")]
    private static partial Regex YearLast();

    [GeneratedRegex(
        @"\A(?:[^,]{3},)?\ *(?<day>[0-9]{1,2})\ (?<name>[Jj][Aa][Nn]|[Ff][Ee][Bb]|[Mm][Aa][Rr]|[Aa][Pp][Rr]|[Mm][Aa][Yy]|[Jj][Uu][Nn]|[Jj][Uu][Ll]|[Aa][Uu][Gg]|[Ss][Ee][Pp]|[Oo][Cc][Tt]|[Nn][Oo][Vv]|[Dd][Ee][Cc])\ (?<year>[0-9]{4})(?:[Tt ]"
        + Clock + "(?:" + Universal + @"|(?<american>[ECMP][SD]T))?)?\z")]
    private static partial Regex Mail();
}
