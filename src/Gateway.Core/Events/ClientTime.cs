using System.Buffers.Text;

namespace Gateway.Core.Events;

/// <summary>
/// Reads the timestamps that clients send, into microseconds since 1970-01-01 UTC: RFC 3339 and its looser relatives
/// (<c>+02</c>, a space for the T, slashes, only a date), RFC 2822, and unix time. Without a zone it is UTC.
/// </summary>
internal static class ClientTime
{
    private const int LongestText = 64;
    private const int UsualLength = 24;

    public static bool TryParse(ReadOnlySpan<byte> text, out long micros)
    {
        if (TryParseUsual(text, out micros)) return true;

        text = text.Trim(" \t"u8);
        if (text.Length is 0 or > LongestText) return false;

        return new ClientTimeReader(text).TryReadDate(out micros) || TryParseUnix(text, out micros);
    }

    /// <summary>Unix time as written by JSON or inside a string. The unit is told by the magnitude.</summary>
    public static bool TryParseUnix(ReadOnlySpan<byte> text, out long micros)
    {
        micros = 0;
        if (Utf8Parser.TryParse(text, out long whole, out int used) && used == text.Length)
            return TryScale(whole, out micros);

        if (!Utf8Parser.TryParse(text, out double number, out used) || used != text.Length) return false;
        if (!double.IsFinite(number) || Math.Abs(number) >= 1e20) return false;

        micros = Math.Abs(number) switch
        {
            < 1e11 => (long)Math.Round(number * 1e6),
            < 1e14 => (long)Math.Round(number * 1e3),
            < 1e17 => (long)number,
            _ => (long)(number / 1e3),
        };
        return true;
    }

    /// <summary>Exactly <c>2026-11-21T20:33:44.858Z</c>, as JavaScript writes it: nearly all that come.</summary>
    private static bool TryParseUsual(ReadOnlySpan<byte> text, out long micros)
    {
        micros = 0;
        if (text.Length != UsualLength) return false;
        if (text[4] != '-' || text[7] != '-' || text[10] != 'T' || text[13] != ':') return false;
        if (text[16] != ':' || text[19] != '.' || text[23] != 'Z') return false;

        uint worst = 0;
        int year = (Two(text, 0, ref worst) * 100) + Two(text, 2, ref worst);
        int month = Two(text, 5, ref worst);
        int day = Two(text, 8, ref worst);
        int hour = Two(text, 11, ref worst);
        int minute = Two(text, 14, ref worst);
        int second = Two(text, 17, ref worst);
        int millisecond = (Two(text, 20, ref worst) * 10) + (Two(text, 21, ref worst) % 10);
        if (worst > 9) return false;

        return CivilTime.TryToMicros(
            new CivilTime(year, month, day, hour, minute, second, millisecond * 1000), 0, out micros);
    }

    private static int Two(ReadOnlySpan<byte> text, int at, ref uint worst)
    {
        uint tens = (uint)(text[at] - '0');
        uint ones = (uint)(text[at + 1] - '0');
        worst = Math.Max(worst, Math.Max(tens, ones));
        return (int)((tens * 10) + ones);
    }

    private static bool TryScale(long value, out long micros)
    {
        // long.MinValue has no absolute value; as nanoseconds it is in 1677.
        ulong magnitude = value < 0 ? (ulong)-(value + 1) : (ulong)value;
        micros = magnitude switch
        {
            < 100_000_000_000 => value * 1_000_000,
            < 100_000_000_000_000 => value * 1_000,
            < 100_000_000_000_000_000 => value,
            _ => value / 1_000,
        };
        return true;
    }
}

/// <summary>A date and time of day, not yet checked.</summary>
internal readonly record struct CivilTime(
    int Year, int Month, int Day, int Hour = 0, int Minute = 0, int Second = 0, int Micros = 0)
{
    /// <summary>False when there is no such moment. A leap second counts as the first of the next minute.</summary>
    public static bool TryToMicros(CivilTime time, int offsetMinutes, out long micros)
    {
        micros = 0;
        if (time.Year is < 0 or > 9999 || time.Month is < 1 or > 12) return false;
        if (time.Day < 1 || time.Day > DaysIn(time.Year, time.Month)) return false;
        if (time.Hour > 23 || time.Minute > 59 || time.Second > 60) return false;

        long minutes = (DaysSince1970(time) * 1440) + (time.Hour * 60) + time.Minute - offsetMinutes;
        micros = (((minutes * 60) + time.Second) * EventTime.MicrosPerSecond) + time.Micros;
        return true;
    }

    private static int DaysIn(int year, int month) => month switch
    {
        2 => year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28,
        4 or 6 or 9 or 11 => 30,
        _ => 31,
    };

    /// <summary>Counts years from March, so that the leap day comes last and months have a regular length.</summary>
    private static long DaysSince1970(CivilTime time)
    {
        const int DaysToMarchOfYear0 = 719_468;
        int year = time.Month <= 2 ? time.Year - 1 : time.Year;
        int month = (time.Month + 9) % 12;
        int era = (year >= 0 ? year : year - 399) / 400;
        int yearOfEra = year - (era * 400);
        int dayOfYear = (((153 * month) + 2) / 5) + time.Day - 1;
        int dayOfEra = (yearOfEra * 365) + (yearOfEra / 4) - (yearOfEra / 100) + dayOfYear;
        return (era * 146_097L) + dayOfEra - DaysToMarchOfYear0;
    }
}
