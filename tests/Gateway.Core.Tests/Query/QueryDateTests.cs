using System.Globalization;
using Gateway.Core.Query;

namespace Gateway.Core.Tests.Query;

public sealed class QueryDateTests
{
    // A Wednesday, 14:30 in Berlin (+2).
    private static readonly DateTime Now = new(2026, 4, 1, 12, 30, 0, DateTimeKind.Utc);

    [Theory]
    [InlineData("2026-03-10", "2026-03-09T23:00:00")]
    [InlineData("2026-03-10T10:00:00", "2026-03-10T09:00:00")]
    [InlineData("2026-03-10 10:00:00.5", "2026-03-10T09:00:00.5")]
    [InlineData("2026-03-10T10:00:00Z", "2026-03-10T10:00:00")]
    [InlineData("2026-03-10T10:00:00.123456+05:30", "2026-03-10T04:30:00.123456")]
    [InlineData("now", "2026-04-01T12:30:00")]
    [InlineData("-24h", "2026-03-31T12:30:00")]
    [InlineData("-90M", "2026-04-01T11:00:00")]
    [InlineData("-7d", "2026-03-25T13:30:00")]
    [InlineData("7d", "2026-03-25T13:30:00")]
    [InlineData("+1d", "2026-04-02T12:30:00")]
    [InlineData("-1w", "2026-03-25T13:30:00")]
    [InlineData("-1m", "2026-03-01T13:30:00")]
    [InlineData("-1y", "2025-04-01T12:30:00")]
    [InlineData("dStart", "2026-03-31T22:00:00")]
    [InlineData("wStart", "2026-03-28T23:00:00")]
    [InlineData("mStart", "2026-03-31T22:00:00")]
    [InlineData("-1mStart", "2026-02-28T23:00:00")]
    [InlineData("-1mEnd", "2026-03-30T22:00:00")]
    [InlineData("yStart", "2025-12-31T23:00:00")]
    [InlineData("2026-03-29T02:30:00", "2026-03-29T01:00:00")]
    [InlineData("2025-10-26T02:30:00", "2025-10-26T00:30:00")]
    public void A_date_is_a_moment_in_the_projects_zone(string text, string expected)
    {
        Assert.True(QueryDate.TryParse(text, ProjectZone.Find("Europe/Berlin")!, Now, out var date));
        Assert.Equal(DateTime.Parse(expected, CultureInfo.InvariantCulture), date.Utc);
    }

    [Theory]
    [InlineData("")]
    [InlineData("tomorrow")]
    [InlineData("2026-02-30")]
    [InlineData("2026-13-01")]
    [InlineData("2026-03-10T25:00:00Z")]
    [InlineData("-7")]
    [InlineData("-999999y")]
    [InlineData("-1000000d")]
    [InlineData("-7d\n")]
    [InlineData("-7d; DROP TABLE events")]
    [InlineData("1773100000")]
    public void What_is_no_date_is_refused(string text) =>
        Assert.False(QueryDate.TryParse(text, ProjectZone.Find("Europe/Berlin")!, Now, out _));

    [Theory]
    [InlineData("America/Havana", "2026-10-31", "2026-11-02", 2)]
    [InlineData("Africa/Cairo", "2026-04-23", "2026-04-26", 3)]
    [InlineData("UTC", "2026-02-27", "2026-03-02", 3)]
    public void Days_follow_one_another_without_hole_or_overlap(string zoneName, string from, string end, int expected)
    {
        var zone = ProjectZone.Find(zoneName)!;
        var endUtc = zone.ToUtc(DateTime.Parse(end, CultureInfo.InvariantCulture));
        var buckets = TrendsBuckets.Make(
            IntervalUnit.Day, DateTime.Parse(from, CultureInfo.InvariantCulture), endUtc, zone)!;

        Assert.Equal(expected, buckets.Count);
        Assert.Equal(buckets.Count, buckets.Days.Distinct().Count());
        long[] offsets = [.. buckets.Offsets];
        Assert.Equal(offsets.Order().Distinct(), offsets);
        for (int i = 0; i < offsets.Length; i++) Assert.Equal(i, buckets.IndexOf(offsets[i]));
    }

    [Theory]
    [InlineData("Australia/Lord_Howe", "2026-04-05", 24)]
    [InlineData("Asia/Kolkata", "2026-04-05", 24)]
    [InlineData("Europe/Berlin", "2026-03-29", 23)]
    [InlineData("Europe/Berlin", "2025-10-26", 25)]
    public void Hours_begin_at_full_hours_on_the_wall(string zoneName, string day, int expected)
    {
        var zone = ProjectZone.Find(zoneName)!;
        var local = DateTime.Parse(day, CultureInfo.InvariantCulture);
        var buckets = TrendsBuckets.Make(IntervalUnit.Hour, local, zone.ToUtc(local.AddDays(1)), zone)!;
        Assert.Equal(expected, buckets.Count);
        Assert.All(buckets.Days, text => Assert.EndsWith(":00:00", text, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Mars/Olympus")]
    [InlineData("")]
    [InlineData("../../etc/passwd")]
    public void A_zone_that_is_none_is_not_found(string name) => Assert.Null(ProjectZone.Find(name));
}
