using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class QuotaMeterTests
{
    private static readonly TimeSpan Start = TimeSpan.FromHours(7);

    [Fact]
    public void A_burst_of_some_seconds_is_taken_and_then_the_rate()
    {
        var meter = new QuotaMeter(new ProjectQuota(EventsPerSecond: 10, BytesPerSecond: 0));
        int taken = 0;
        while (meter.Take(1, 1_000_000, Start).Met == QuotaKind.None) taken++;
        Assert.Equal(10 * QuotaMeter.BurstSeconds, taken);

        var refused = meter.Take(1, 1, Start);
        Assert.Equal(QuotaKind.Events, refused.Met);
        Assert.InRange(refused.Wait.TotalSeconds, 0.09, 0.11);
        Assert.Equal(QuotaKind.Events, meter.Look(Start + TimeSpan.FromSeconds(0.09)).Met);
        Assert.Equal(QuotaKind.None, meter.Take(1, 1, Start + TimeSpan.FromSeconds(0.11)).Met);
    }

    [Fact]
    public void A_batch_larger_than_the_burst_is_taken_and_made_up_for()
    {
        var meter = new QuotaMeter(new ProjectQuota(0, BytesPerSecond: 100));
        Assert.Equal(QuotaKind.None, meter.Take(1, 10_000, Start).Met);

        var refused = meter.Take(1, 1, Start);
        Assert.Equal(QuotaKind.Bytes, refused.Met);
        Assert.InRange(refused.Wait.TotalSeconds, 94, 96);
        Assert.Equal(QuotaKind.None, meter.Take(1, 1, Start + refused.Wait + TimeSpan.FromMilliseconds(1)).Met);
    }

    [Fact]
    public void Over_a_long_time_no_more_than_the_rate_is_taken_whatever_the_batches()
    {
        var random = new Random(1);
        var meter = new QuotaMeter(new ProjectQuota(EventsPerSecond: 50, BytesPerSecond: 0));
        const int Seconds = 1000;
        long taken = 0;
        for (double at = 0; at < Seconds; at += random.NextDouble() * 0.2)
        {
            int events = random.Next(1, 30);
            if (meter.Take(events, 1, Start + TimeSpan.FromSeconds(at)).Met == QuotaKind.None) taken += events;
        }

        Assert.InRange(taken, 50 * Seconds * 0.95, (50 * (Seconds + QuotaMeter.BurstSeconds)) + 30);
    }

    [Fact]
    public void What_was_not_kept_is_given_back()
    {
        var meter = new QuotaMeter(new ProjectQuota(1, 1));
        Assert.Equal(QuotaKind.None, meter.Take(100, 100, Start).Met);
        Assert.NotEqual(QuotaKind.None, meter.Look(Start).Met);

        meter.GiveBack(100, 100);
        Assert.Equal(QuotaKind.None, meter.Look(Start).Met);
    }

    [Fact]
    public void A_clock_that_was_read_too_early_fills_nothing_twice()
    {
        var meter = new QuotaMeter(new ProjectQuota(10, 0));
        Assert.Equal(QuotaKind.None, meter.Take(50, 1, Start).Met);
        for (int i = 0; i < 100; i++)
        {
            meter.Look(Start - TimeSpan.FromSeconds(1));
            meter.Look(Start);
        }

        Assert.Equal(QuotaKind.Events, meter.Look(Start).Met);
    }
}
