using System.Globalization;

namespace Gateway.Core.Query;

/// <summary>
/// A TrendsQuery as SQL, one SELECT for each series. Each row of the result, in RowBinary: a mark (always 1, UInt8),
/// the series (UInt16), whether the breakdown value has its own line (UInt8), the value (String), the bucket's start in
/// seconds after the first (Int64) and the count (UInt64). Empty buckets have no row. The buckets' starts are thousands
/// of numbers at most, hence they are in the statement once, whatever the number of series.
/// </summary>
internal static class TrendsCompiler
{
    public static TrendsPlan Compile(TrendsQuery query, AuthorizedProject project, CompiledQuery.Builder builder)
    {
        var filters = new PropertyFilterSql(builder, project.TimeZone);
        string shared = $"{Window(query.Buckets!, builder)} AND {filters.Compile(query.Filter)}";

        string bucket = Bucket(query.Buckets!);
        List<string> selects = [];
        foreach (var series in query.Series)
        {
            string condition = $"{shared} AND {filters.Compile(series.Filter)}";
            if (series.Event is { } name) condition = $"event = {builder.Text(name)} AND {condition}";
            selects.Add(SelectSeries(selects.Count, series, query.Breakdown, condition, bucket, builder));
        }

        string sql = $"WITH [{Starts(query.Buckets!)}] AS starts {string.Join(" UNION ALL ", selects)}";
        return new TrendsPlan(builder.Build(sql), query);
    }

    private static string SelectSeries(
        int index,
        TrendsSeries series,
        TrendsBreakdown? breakdown,
        string condition,
        string bucket,
        CompiledQuery.Builder builder)
    {
        string count = series.Math == SeriesMath.UniqueUsers ? "uniqExact(distinct_id)" : "count()";
        string kept = "toUInt8(1)";
        string value = "''";
        if (breakdown is not null)
        {
            string text = PropertySql.BreakdownText(builder, breakdown.Property);
            kept = $"toUInt8({text} IN ({Greatest(text, count, breakdown.Limit, condition)}))";
            value = $"if(kept = 1, {text}, '')";
        }

        string number = index.ToString(CultureInfo.InvariantCulture);
        return CompiledQuery.Builder.Select(
            $"toUInt8(1) AS mark, toUInt16({number}) AS series, {kept} AS kept, {value} AS value, "
            + $"toInt64({bucket}) AS bucket, toUInt64({count}) AS amount",
            condition,
            "GROUP BY kept, value, bucket");
    }

    /// <summary>The values with the greatest counts over the whole range; by name where counts are equal.</summary>
    private static string Greatest(string text, string count, int limit, string condition) =>
        CompiledQuery.Builder.Select(
            $"{text} AS value",
            condition,
            $"GROUP BY value ORDER BY {count} DESC, value LIMIT {limit.ToString(CultureInfo.InvariantCulture)}");

    private static string Window(TrendsBuckets buckets, CompiledQuery.Builder builder) =>
        $"timestamp >= {builder.Moment(buckets.StartMicros)} "
        + $"AND timestamp < {builder.Moment(ProjectZone.ToMicros(buckets.EndUtc))}";

    private static string Bucket(TrendsBuckets buckets)
    {
        string start = buckets.StartMicros.ToString(CultureInfo.InvariantCulture);
        string seconds = $"intDiv(toUnixTimestamp64Micro(timestamp) - {start}, 1000000)";
        return $"roundDown({seconds}, starts)";
    }

    private static string Starts(TrendsBuckets buckets) => string.Join(
        ',', buckets.Offsets.Select(offset => offset.ToString(CultureInfo.InvariantCulture)));
}
