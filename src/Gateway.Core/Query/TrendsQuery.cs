namespace Gateway.Core.Query;

public enum SeriesMath : byte
{
    /// <summary>Events.</summary>
    Total,

    /// <summary>Distinct distinct ids in each bucket: persons are not merged.</summary>
    UniqueUsers,
}

/// <summary>One line of a trend.</summary>
public sealed record TrendsSeries
{
    /// <summary>Events of this name; null: all.</summary>
    public string? Event { get; internal init; }

    public string? Name { get; internal init; }

    public string? CustomName { get; internal init; }

    public SeriesMath Math { get; internal init; }

    internal FilterGroup Filter { get; init; } = FilterGroup.Empty;

    /// <summary>What a chart's legend calls it.</summary>
    public string Label => CustomName ?? Name ?? Event ?? "All events";
}

/// <summary>A TrendsQuery as read.</summary>
/// <param name="Series">At least one.</param>
/// <param name="Buckets">All buckets; their span is the query's.</param>
/// <param name="Filter">Conditions on the events of every series.</param>
/// <param name="Breakdown">Or null.</param>
internal sealed record TrendsQuery(
    IReadOnlyList<TrendsSeries> Series, TrendsBuckets? Buckets, FilterGroup Filter, TrendsBreakdown? Breakdown);

/// <param name="Property">The event property whose values are told apart.</param>
/// <param name="Limit">So many values have a line each, the greatest first; the others share one.</param>
/// <param name="HideOther">Leave out that shared line.</param>
public sealed record TrendsBreakdown(string Property, int Limit, bool HideOther)
{
    /// <summary>PostHog's names for events that lack the property, and for the values beyond the limit.</summary>
    public const string MissingLabel = "$$_posthog_breakdown_null_$$";
    public const string OtherLabel = "$$_posthog_breakdown_other_$$";
}

/// <summary>A compiled TrendsQuery and what is needed to write its answer.</summary>
public sealed record TrendsPlan : QueryPlan
{
    internal TrendsPlan(CompiledQuery query, TrendsQuery source)
        : base(query)
    {
        Series = source.Series;
        Buckets = source.Buckets!;
        Breakdown = source.Breakdown;
    }

    public IReadOnlyList<TrendsSeries> Series { get; }

    public TrendsBuckets Buckets { get; }

    public TrendsBreakdown? Breakdown { get; }
}
