using System.Text.Json;

namespace Gateway.Core.Query;

/// <summary>
/// Reads a TrendsQuery. The range reaches from the begin of the bucket that holds <c>date_from</c> (default: -7d) to
/// the end of the day of <c>date_to</c>; with none, to the end of today, or of this hour. A <c>date_to</c> with a time
/// of day is taken as it is.
/// </summary>
internal sealed class TrendsQueryReader(ProjectZone zone, DateTime nowUtc, QueryProblems problems)
{
    private const string DefaultFrom = "-7d";

    private static readonly string[] Fields =
        ["kind", "series", "interval", "dateRange", "properties", "fixedProperties", "breakdownFilter"];

    // What PostHog's clients send and what changes nothing in the numbers.
    private static readonly string[] LeftAside =
    [
        "filterTestAccounts", "trendsFilter", "compareFilter", "modifiers", "response", "tags", "version",
        "samplingFactor", "aggregation_group_type_index", "dataColorTheme",
    ];

    private static readonly string[] ChangesNumbers =
        ["formula", "formulas", "formulaNodes", "smoothingIntervals", "aggregationAxisPostfix"];

    private static readonly string[] SeriesFields =
        ["kind", "event", "name", "custom_name", "math", "properties", "fixedProperties"];

    private static readonly string[] SeriesLeftAside =
    [
        "version", "orderBy", "limit", "response", "math_property", "math_property_type", "math_multiplier",
        "math_group_type_index", "math_hogql", "optionalInFunnel",
    ];

    private static readonly string[] DateFields = ["date_from", "date_to"];
    private static readonly string[] DateLeftAside = ["explicitDate"];

    private static readonly string[] BreakdownFields =
        ["breakdown", "breakdown_type", "breakdown_limit", "breakdown_hide_other_aggregation"];

    private static readonly string[] BreakdownLeftAside =
    [
        "breakdown_normalize_url", "breakdown_histogram_bin_count", "breakdown_group_type_index", "breakdowns",
    ];

    private readonly PropertyFilterReader _filters = new(zone, nowUtc, problems);

    public TrendsQuery Read(JsonElement query, string path)
    {
        var fields = QueryFields.Open(query, path, problems);
        fields.AllowOnly(Fields, LeftAside);
        RefuseWhatWouldChangeNumbers(fields);

        var series = ReadSeries(fields);
        var buckets = ReadBuckets(fields);
        var filter = _filters.Read(fields);
        var breakdown = ReadBreakdown(fields);

        long lines = series.Count * (breakdown is null ? 1L : breakdown.Limit + 1);
        if (lines * (buckets?.Count ?? 0) > QueryLimits.MaxPoints)
        {
            problems.Add(
                fields.PathOf("dateRange"),
                $"Series times breakdown values times buckets may be at most {QueryLimits.MaxPoints}.",
                QueryProblems.TooLarge);
        }

        return new TrendsQuery(series, buckets, filter, breakdown);
    }

    private void RefuseWhatWouldChangeNumbers(QueryFields fields)
    {
        if (fields.Get("trendsFilter") is { } display)
        {
            var inner = QueryFields.Open(display, fields.PathOf("trendsFilter"), problems);
            foreach (string name in ChangesNumbers)
            {
                if (inner.Get(name) is { } value && value.ToString() is not ("" or "[]" or "1"))
                    problems.Add(inner.PathOf(name), "This is not built here.", QueryProblems.UnknownField);
            }
        }

        if (fields.Get("compareFilter") is { } compare)
        {
            var inner = QueryFields.Open(compare, fields.PathOf("compareFilter"), problems);
            if (inner.Get("compare") is { ValueKind: JsonValueKind.True })
                problems.Add(inner.PathOf("compare"), "This is not built here.", QueryProblems.UnknownField);
        }
    }

    private List<TrendsSeries> ReadSeries(QueryFields fields)
    {
        string path = fields.PathOf("series");
        if (fields.Get("series") is not { ValueKind: JsonValueKind.Array } list
            || list.GetArrayLength() is 0 or > QueryLimits.MaxSeries)
        {
            problems.Add(path, $"Must be a list of 1 to {QueryLimits.MaxSeries} series.");
            return [];
        }

        List<TrendsSeries> series = [];
        foreach (var item in list.EnumerateArray()) series.Add(ReadSeries(item, $"{path}[{series.Count}]"));
        return series;
    }

    private TrendsSeries ReadSeries(JsonElement item, string path)
    {
        var fields = QueryFields.Open(item, path, problems);
        fields.AllowOnly(SeriesFields, SeriesLeftAside);
        if ((fields.Text("kind") ?? "EventsNode") != "EventsNode")
            problems.Add(fields.PathOf("kind"), "Must be EventsNode.");

        string math = fields.Text("math") ?? "total";
        if (math is not ("total" or "dau")) problems.Add(fields.PathOf("math"), "Must be total or dau.");

        return new TrendsSeries
        {
            Event = fields.Text("event") is { Length: > 0 } name ? name : null,
            Name = fields.Text("name"),
            CustomName = fields.Text("custom_name"),
            Math = math == "dau" ? SeriesMath.UniqueUsers : SeriesMath.Total,
            Filter = _filters.Read(fields),
        };
    }

    private TrendsBuckets? ReadBuckets(QueryFields fields)
    {
        var unit = ReadInterval(fields);
        string path = fields.PathOf("dateRange");
        QueryFields? range = fields.Get("dateRange") is { } given ? QueryFields.Open(given, path, problems) : null;
        range?.AllowOnly(DateFields, DateLeftAside);

        if (!TryReadDate(range, "date_from", path, DefaultFrom, out var from)) return null;
        if (!TryReadDate(range, "date_to", path, "now", out var to)) return null;

        var end = string.IsNullOrEmpty(range?.Text("date_to"))
            ? zone.ToUtc(EndOfNow(unit, to.Local))
            : to.EndOfUnit(zone);
        if (end <= from.Utc)
        {
            problems.Add(path, "date_from must be before date_to.");
            return null;
        }

        var buckets = TrendsBuckets.Make(unit, from.BeginOfUnit(), end, zone);
        if (buckets is null)
        {
            string detail = $"At most {QueryLimits.MaxBuckets} intervals; take a longer interval or a shorter range.";
            problems.Add(path, detail, QueryProblems.TooLarge);
        }

        return buckets;
    }

    private static DateTime EndOfNow(IntervalUnit unit, DateTime local) =>
        unit == IntervalUnit.Hour
            ? TrendsInterval.StartOf(unit, local).AddHours(1)
            : local.Date.AddDays(1);

    private bool TryReadDate(QueryFields? range, string name, string path, string otherwise, out QueryDate date)
    {
        string? text = range?.Text(name);
        if (QueryDate.TryParse(string.IsNullOrEmpty(text) ? otherwise : text, zone, nowUtc, out date)) return true;

        problems.Add($"{path}.{name}", "Must be a date such as 2026-03-01, 2026-03-01T10:00:00Z, -7d or -24h.");
        return false;
    }

    private IntervalUnit ReadInterval(QueryFields fields)
    {
        switch (fields.Text("interval"))
        {
            case null or "day": return IntervalUnit.Day;
            case "hour": return IntervalUnit.Hour;
            case "week": return IntervalUnit.Week;
            case "month": return IntervalUnit.Month;
            default:
                problems.Add(fields.PathOf("interval"), "Must be hour, day, week or month.");
                return IntervalUnit.Day;
        }
    }

    private TrendsBreakdown? ReadBreakdown(QueryFields fields)
    {
        if (fields.Get("breakdownFilter") is not { } given) return null;

        var breakdown = QueryFields.Open(given, fields.PathOf("breakdownFilter"), problems);
        breakdown.AllowOnly(BreakdownFields, BreakdownLeftAside);
        if (breakdown.Get("breakdowns") is { ValueKind: JsonValueKind.Array } several && several.GetArrayLength() > 0)
            problems.Add(breakdown.PathOf("breakdowns"), "Give one property as breakdown.", QueryProblems.UnknownField);
        if ((breakdown.Text("breakdown_type") ?? "event") != "event")
            problems.Add(breakdown.PathOf("breakdown_type"), "Only event properties break down: must be event.");

        int limit = breakdown.Integer(
            "breakdown_limit", QueryLimits.DefaultBreakdownValues, 1, QueryLimits.MaxBreakdownValues);
        bool hideOther = breakdown.Get("breakdown_hide_other_aggregation") is { ValueKind: JsonValueKind.True };
        return breakdown.Text("breakdown") is { Length: > 0 } property
            ? new TrendsBreakdown(property, limit, hideOther)
            : null;
    }
}
