namespace Gateway.Core.Query;

/// <summary>Every bound on a query: what a request may hold, and what a statement may cost in ClickHouse.</summary>
public static class QueryLimits
{
    /// <summary>A request's body, in bytes.</summary>
    public const int MaxBodyBytes = 1 << 20;

    public const int DefaultRows = 100;

    /// <summary>
    /// Less than a block of ClickHouse (65 409 rows): the one block is made before it is sent, so that the time which
    /// a slow client takes to read does not count towards <see cref="MaxSeconds"/>.
    /// </summary>
    public const int MaxRows = 50_000;

    public const int MaxColumns = 50;

    /// <summary>Filters in one query, all groups together.</summary>
    public const int MaxFilters = 100;

    public const int MaxFilterDepth = 8;

    /// <summary>Values in the list of one filter.</summary>
    public const int MaxValues = 200;

    /// <summary>A property's key, an event's name, a distinct id, a filter's value: UTF-16 units.</summary>
    public const int MaxTextLength = 4_000;

    public const int MaxRegexLength = 1_000;

    /// <summary>All values of a query as a URL carries them; ClickHouse takes parameters nowhere else.</summary>
    public const int MaxParameterBytes = 48 * 1024;

    public const int MaxSeries = 26;
    public const int MaxBuckets = 10_000;
    public const int DefaultBreakdownValues = 25;
    public const int MaxBreakdownValues = 1_000;

    /// <summary>Series × breakdown values × buckets of one answer.</summary>
    public const int MaxPoints = 1_000_000;

    /// <summary>How long a statement may run in ClickHouse.</summary>
    public const int MaxSeconds = 30;

    public const long MaxRowsToRead = 5_000_000_000;
    public const long MaxBytesToRead = 500L << 30;
    public const long MaxMemoryBytes = 2L << 30;
    public const long MaxResultBytes = 1L << 30;

    /// <summary>The text of a statement, all ASCII: each series repeats the filters, a breakdown twice.</summary>
    public const int MaxSqlBytes = 1 << 20;
}
