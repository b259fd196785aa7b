namespace Gateway.LoadTests.Reports;

/// <summary>The two pictures of a scenario.</summary>
internal static class LatencyPlots
{
    private const double PercentileStep = 0.02;
    private const int MostSeconds = 10;

    private static readonly Tick[] Nines =
    [
        new(0, "0 %"), new(Math.Log10(2), "50 %"), new(1, "90 %"), new(2, "99 %"), new(3, "99.9 %"), new(4, "99.99 %"),
        new(5, "99.999 %"), new(6, "99.9999 %"),
    ];

    /// <summary>
    /// The share of requests that took no longer, on a scale of nines: the tail has as much room as the rest. Null when
    /// nothing was measured.
    /// </summary>
    public static LatencyPlot? ByPercentile(IReadOnlyList<ReportRow> rows)
    {
        double most = rows.Max(row => NinesOf(row.Measured));
        if (most == 0) return null;

        var plot = new LatencyPlot(
            "By percentile", "share of requests that took at most so long", Math.Max(1, most), Nines);
        for (int i = 0; i < rows.Count; i++)
        {
            if (rows[i].Measured is not { Latency.Count: > 0 } measured) continue;

            double end = NinesOf(measured);
            var shares = Enumerable.Range(0, (int)(end / PercentileStep)).Select(n => n * PercentileStep).Append(end);
            plot.Add(
                rows[i].Load,
                Style(i),
                shares.Select(nines => (nines, (double)measured.Latency.Nanoseconds(1 - Math.Pow(10, -nines)))),
                isMarked: false);
        }

        return plot;
    }

    /// <summary>Second by second, by when requests were meant to start; null when all of it was within one.</summary>
    public static LatencyPlot? ByTime(IReadOnlyList<ReportRow> rows)
    {
        int seconds = rows.Max(row => row.Measured?.Seconds is [.., var last] ? last.Second + 1 : 0);
        if (seconds < 2) return null;

        int step = (int)Math.Ceiling((double)seconds / MostSeconds);
        var ticks = Enumerable.Range(0, (seconds / step) + 1).Select(n => new Tick(n * step, $"{n * step} s"));
        var plot = new LatencyPlot("Second by second: p99, and p50 dashed", "time of the run", seconds, ticks);
        for (int i = 0; i < rows.Count; i++)
        {
            plot.Add($"p99 of {rows[i].Load}", Style(i), Points(rows[i], 0.99), isMarked: true);
            plot.Add($"p50 of {rows[i].Load}", $"{Style(i)} dashed", Points(rows[i], 0.5), isMarked: true);
        }

        return plot;
    }

    /// <summary>The class of a row's colour.</summary>
    public static string Style(int row) => $"c{row % 6}";

    /// <summary>The largest of a thousand is the 99.9th percentile: 3.</summary>
    private static double NinesOf(Measurement? measured) => Math.Log10(Math.Max(1, measured?.Latency.Count ?? 1));

    private static IEnumerable<(double X, double Nanoseconds)> Points(ReportRow row, double share) =>
        (row.Measured?.Seconds ?? [])
            .Select(item => (item.Second + 0.5, (double)item.Latency.Nanoseconds(share)));
}
