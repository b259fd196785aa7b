using Gateway.Core.Ledger;

namespace Gateway.Core.Tests.Ledger;

public sealed class FreshnessTests
{
    private readonly ManualTime _time = new();

    [Fact]
    public void Quantiles_are_rounded_up_by_less_than_a_fifth()
    {
        var freshness = new Freshness(_time);
        foreach (int milliseconds in Enumerable.Range(1, 1000)) freshness.Add(7, 0, milliseconds * 1000L, 1);

        var figures = freshness.Read(7);
        Assert.Equal(1000, figures.Events);
        Assert.InRange(figures.P50!.Value.TotalMilliseconds, 500, 600);
        Assert.InRange(figures.P99!.Value.TotalMilliseconds, 990, 1188);
    }

    [Fact]
    public void Projects_are_told_apart_and_one_without_events_has_no_figures()
    {
        var freshness = new Freshness(_time);
        freshness.Add(7, 0, 10_000, 3);
        freshness.Add(8, 0, 5_000_000, 1);
        freshness.Add(9, 0, 5_000_000, 0);

        Assert.True(freshness.Read(7).P99 < TimeSpan.FromMilliseconds(13));
        Assert.True(freshness.Read(8).P50 >= TimeSpan.FromSeconds(5));
        Assert.Equal(new FreshnessFigures(0, null, null), freshness.Read(9));
    }

    [Fact]
    public void What_is_older_than_ten_minutes_counts_no_more_but_in_the_sum()
    {
        var freshness = new Freshness(_time);
        freshness.Add(7, 0, 10_000, 1);
        _time.Advance(TimeSpan.FromMinutes(6));
        freshness.Add(7, 0, 10_000, 1);
        Assert.Equal(2, freshness.Read(7).Events);
        _time.Advance(TimeSpan.FromMinutes(6));
        Assert.Equal(1, freshness.Read(7).Events);
        _time.Advance(TimeSpan.FromMinutes(20));
        Assert.Equal(0, freshness.Read(7).Events);

        Assert.Equal((null, 2L), freshness.Read().Buckets[^1]);
        Assert.Equal(0.02, freshness.Read().Seconds, 6);
    }

    [Fact]
    public void A_clock_that_went_back_and_an_age_beyond_all_bounds_are_counted_at_the_ends()
    {
        var freshness = new Freshness(_time);
        freshness.Add(7, 10, 0, 1);
        freshness.Add(7, 0, long.MaxValue, 1);

        Assert.Equal(2, freshness.Read(7).Events);
        Assert.True(freshness.Read(7).P99 > TimeSpan.FromHours(9));
    }

    [Fact]
    public void Only_the_first_record_of_a_project_and_minute_allocates()
    {
        var freshness = new Freshness(_time);
        for (ulong project = 0; project < 100; project++) freshness.Add(project, 0, 60_000_000, 1);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 10_000; i++) freshness.Add((ulong)(i % 100), 0, 60_000_000 + i, 1);
        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    [Fact]
    public void Minutes_that_nobody_takes_are_not_kept_for_ever()
    {
        var freshness = new Freshness(_time);
        for (int minute = 1; minute <= 100; minute++) freshness.Add(7, 0, minute * 60_000_000L, 1);

        Assert.Equal([97, 98, 99, 100], freshness.TakeMinutes().Select(minute => minute.Minute));
        Assert.Equal([], freshness.TakeMinutes().SelectMany(minute => minute.Projects));
    }

    private sealed class ManualTime : TimeProvider
    {
        private long _ticks;

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _ticks += by.Ticks;

        public override long GetTimestamp() => _ticks;
    }
}
