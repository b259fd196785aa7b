namespace Gateway.Core.Query;

/// <summary>
/// The buckets of a trend: every one from the first to the last, so that the answer has no hole. They are made here
/// as moments, hence a day of 23 or 25 hours is one bucket, and an hour that the clock shows twice is two (with the
/// same label).
/// </summary>
public sealed class TrendsBuckets
{
    private readonly long[] _starts;

    private TrendsBuckets(long[] starts, DateTime endUtc, string[] days, string[] labels)
    {
        _starts = starts;
        EndUtc = endUtc;
        Days = days;
        Labels = labels;
    }

    public IReadOnlyList<string> Days { get; }

    public IReadOnlyList<string> Labels { get; }

    public int Count => _starts.Length;

    /// <summary>Where the last bucket ends (exclusive).</summary>
    internal DateTime EndUtc { get; }

    internal long StartMicros => _starts[0] * 1_000_000;

    /// <summary>The starts in seconds after the first.</summary>
    internal IEnumerable<long> Offsets => _starts.Select(start => start - _starts[0]);

    /// <summary>The bucket that starts so many seconds after the first; −1 when none does.</summary>
    public int IndexOf(long offset)
    {
        int index = Array.BinarySearch(_starts, _starts[0] + offset);
        return index >= 0 ? index : -1;
    }

    /// <summary>Null when there would be more than <see cref="QueryLimits.MaxBuckets"/>, or none.</summary>
    internal static TrendsBuckets? Make(IntervalUnit unit, DateTime fromLocal, DateTime endUtc, ProjectZone zone)
    {
        List<DateTime> starts = [];
        var local = TrendsInterval.StartOf(unit, fromLocal);
        for (var utc = zone.ToUtc(local); utc < endUtc; utc = Next(unit, utc, ref local, zone))
        {
            if (starts.Count == QueryLimits.MaxBuckets) return null;
            if (starts.Count == 0 || utc > starts[^1]) starts.Add(utc);
        }

        if (starts.Count == 0) return null;

        string[] days = [.. starts.Select(start => TrendsInterval.Day(unit, zone.ToLocal(start)))];
        string[] labels = [.. starts.Select(start => TrendsInterval.Label(unit, zone.ToLocal(start)))];
        long[] seconds = [.. starts.Select(start => ProjectZone.ToMicros(start) / 1_000_000)];
        return new TrendsBuckets(seconds, endUtc, days, labels);
    }

    private static DateTime Next(IntervalUnit unit, DateTime utc, ref DateTime local, ProjectZone zone)
    {
        if (unit == IntervalUnit.Hour) return NextHour(utc, zone);

        local = TrendsInterval.Next(unit, local);
        return zone.ToUtc(local);
    }

    /// <summary>
    /// Hours go by the moment, so that the hour which a clock shows twice is not lost. Where clocks jump by half an
    /// hour (Lord Howe Island) the hour of the jump is that much longer or shorter.
    /// </summary>
    private static DateTime NextHour(DateTime utc, ProjectZone zone)
    {
        var next = utc.AddHours(1);
        var local = zone.ToLocal(next);
        var hour = TrendsInterval.StartOf(IntervalUnit.Hour, local);
        if (local == hour) return next;

        var start = zone.ToUtc(hour);
        if (start <= utc) start = zone.ToUtc(hour.AddHours(1));
        return start > utc ? start : next;
    }
}
