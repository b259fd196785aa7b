namespace Gateway.Core.Query;

/// <summary>
/// A project's time zone: where its hours, days, weeks and months begin. All arithmetic with local time is here, and
/// ClickHouse is only ever given moments: there is one time zone database in play, not two that may disagree.
/// </summary>
internal sealed class ProjectZone
{
    // What DateTime64(6) holds; a bound beyond it bounds nothing.
    private static readonly DateTime Earliest = new(1900, 1, 1, 0, 0, 0, DateTimeKind.Utc);
    private static readonly DateTime Latest = new(2299, 1, 1, 0, 0, 0, DateTimeKind.Utc);

    private readonly TimeZoneInfo _zone;

    private ProjectZone(TimeZoneInfo zone) => _zone = zone;

    public static ProjectZone? Find(string ianaName) =>
        TimeZoneInfo.TryFindSystemTimeZoneById(ianaName, out var zone) ? new ProjectZone(zone) : null;

    public DateTime ToLocal(DateTime utc) => TimeZoneInfo.ConvertTimeFromUtc(utc, _zone);

    /// <summary>
    /// The moment at which a clock on the wall first shows this time. One that a jump forward leaves out is the
    /// moment of the jump; of two that a jump back gives, the first.
    /// </summary>
    public DateTime ToUtc(DateTime local)
    {
        local = DateTime.SpecifyKind(local, DateTimeKind.Unspecified);
        if (local < Earliest) return Earliest;
        if (local > Latest) return Latest;

        if (_zone.IsInvalidTime(local)) return EndOfGap(local);
        if (!_zone.IsAmbiguousTime(local)) return TimeZoneInfo.ConvertTimeToUtc(local, _zone);

        var offset = _zone.GetAmbiguousTimeOffsets(local).Max();
        return DateTime.SpecifyKind(local - offset, DateTimeKind.Utc);
    }

    public static long ToMicros(DateTime utc) => (utc - DateTime.UnixEpoch).Ticks / TimeSpan.TicksPerMicrosecond;

    public static DateTime Clamp(DateTime utc) => utc < Earliest ? Earliest : utc > Latest ? Latest : utc;

    private DateTime EndOfGap(DateTime local)
    {
        // A gap begins and ends on a whole minute, and the longest one known was a day (Samoa, 2011).
        var minute = local.AddTicks(-(local.Ticks % TimeSpan.TicksPerMinute));
        do minute = minute.AddMinutes(1);
        while (_zone.IsInvalidTime(minute));
        return TimeZoneInfo.ConvertTimeToUtc(minute, _zone);
    }
}
