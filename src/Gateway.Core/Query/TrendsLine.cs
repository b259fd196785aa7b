namespace Gateway.Core.Query;

/// <summary>One line of a trend's answer: a series, or one of its breakdown values.</summary>
/// <param name="Series">Its place in the query.</param>
/// <param name="BreakdownValue">Null without a breakdown.</param>
/// <param name="Data">One count for each bucket, empty buckets included.</param>
public sealed record TrendsLine(int Series, string? BreakdownValue, long[] Data)
{
    /// <summary>The sum of the buckets: someone seen in two buckets counts twice, as in PostHog.</summary>
    public long Count { get; } = Data.Sum();

    /// <summary>
    /// Reads a trend's result. Without a breakdown every series has its line even when it counted nothing; with one,
    /// a series' lines are ordered by count, the missing value and the others last.
    /// </summary>
    /// <exception cref="InvalidDataException">The result is not what was asked for, or broke off.</exception>
    public static async Task<IReadOnlyList<TrendsLine>> ReadAsync(
        TrendsPlan plan, RowReader rows, CancellationToken cancellationToken)
    {
        Dictionary<(int Series, string? Value), long[]> lines = [];
        if (plan.Breakdown is null)
        {
            for (int series = 0; series < plan.Series.Count; series++) Line((series, null));
        }

        while (await rows.FillAsync(cancellationToken))
        {
            while (TryReadRow(plan, rows, Line))
            {
            }
        }

        return [.. lines
            .Select(line => new TrendsLine(line.Key.Series, line.Key.Value, line.Value))
            .OrderBy(line => line.Series)
            .ThenBy(line => Rank(line.BreakdownValue))
            .ThenByDescending(line => line.Count)
            .ThenBy(line => line.BreakdownValue, StringComparer.Ordinal)];

        long[] Line((int Series, string? Value) key)
        {
            if (!lines.TryGetValue(key, out long[]? data)) lines[key] = data = new long[plan.Buckets.Count];
            return data;
        }
    }

    private static bool TryReadRow(TrendsPlan plan, RowReader rows, Func<(int Series, string? Value), long[]> line)
    {
        if (!rows.HasBytes) return false;

        var row = rows.Begin();
        int series = row.NextShort();
        bool kept = row.NextByte() != 0;
        string text = row.NextText();
        long offset = row.NextLong();
        long count = row.NextLong();
        if (!rows.Complete(row)) return false;

        int bucket = plan.Buckets.IndexOf(offset);
        if (bucket < 0 || series >= plan.Series.Count)
            throw new InvalidDataException("The result counts in a bucket or a series that was not asked for.");

        if (!kept && plan.Breakdown is { HideOther: true }) return true;

        string? value = plan.Breakdown is null ? null
            : !kept ? TrendsBreakdown.OtherLabel
            : text.Length == 0 ? TrendsBreakdown.MissingLabel
            : text;
        line((series, value))[bucket] += count;
        return true;
    }

    private static int Rank(string? value) => value switch
    {
        TrendsBreakdown.OtherLabel => 2,
        TrendsBreakdown.MissingLabel => 1,
        _ => 0,
    };
}
