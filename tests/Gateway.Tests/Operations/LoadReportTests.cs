using Gateway.LoadTests;
using Gateway.LoadTests.Reports;

namespace Gateway.Tests.Operations;

/// <summary>What load tests tell of latencies is what was measured.</summary>
public sealed class LoadReportTests
{
    private static readonly double[] Shares = [0.001, 0.5, 0.9, 0.99, 0.999, 1];

    [Fact]
    public void A_percentile_is_never_too_small_and_by_a_64th_at_most_too_large()
    {
        var random = new Random(7);
        var histogram = new LatencyHistogram();

        // From a nanosecond to a quarter of an hour, all sizes alike.
        long[] sorted = [.. Enumerable.Range(0, 20_000).Select(_ => (long)Math.Pow(2, 40 * random.NextDouble()))];
        Array.Sort(sorted);
        foreach (long latency in sorted) histogram.Record(latency);

        foreach (double share in Shares)
        {
            long exact = sorted[(int)Math.Ceiling(share * sorted.Length) - 1];
            Assert.InRange(histogram.Nanoseconds(share), exact, exact + (exact / 64));
        }
    }

    [Fact]
    public void A_wait_counts_in_the_second_in_which_the_request_was_meant_to_start()
    {
        var measured = new Measurement();
        measured.Answered(TimeSpan.FromSeconds(0.9), TimeSpan.FromSeconds(5), new(IsGood: true));
        measured.Answered(TimeSpan.FromSeconds(5), TimeSpan.FromSeconds(5.001), new(IsGood: false, EventsAcked: 1));

        Assert.Equal([0, 5], measured.Seconds.Select(second => second.Second));
        Assert.InRange(measured.Seconds[0].Latency.Percentile(1).TotalSeconds, 4.1, 4.2);
        Assert.Equal((1, 1, 1), (measured.Good, measured.Failed, measured.EventsAcked));
    }

    [Fact]
    public void The_page_takes_no_text_for_markup_and_says_what_failed()
    {
        var measured = new Measurement();
        for (int i = 0; i < 2000; i++)
            measured.Answered(TimeSpan.FromMilliseconds(i), TimeSpan.FromMilliseconds(i + 2), new(IsGood: true));
        measured.NotAnswered();
        var report = new ScenarioReport(
            "<b>title", "about & <i>", [new("</svg><script>alert(1)</script>", Asked: 1000, measured)]);

        string page = Path.GetTempFileName();
        HtmlReport.Write(page, [report], ["here & <now>"]);
        string text = File.ReadAllText(page);
        File.Delete(page);

        Assert.DoesNotContain("<script", text);
        Assert.DoesNotContain("<b>", text);
        Assert.DoesNotContain("<now>", text);
        Assert.Contains("1 were not answered as they must be", text);

        // One by percentile, two second by second.
        Assert.Equal(3, text.Split("<polyline").Length - 1);
        Assert.Contains("2 ms</text>", text);
    }
}
