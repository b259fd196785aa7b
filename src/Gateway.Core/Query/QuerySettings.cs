using System.Globalization;

namespace Gateway.Core.Query;

/// <summary>
/// The ClickHouse settings of every statement. FINAL shows an event once however often its SDK sent it; the settings
/// keep FINAL exact: partitions are merged with one another (a retry may arrive in the next month), a skip index may
/// not hide the copy that wins, and no condition is applied before the copies are merged.
/// </summary>
public static class QuerySettings
{
    /// <summary>Known to recent servers only. Without it a skip index under FINAL could show the wrong copy.</summary>
    public const string ExactSkipIndexes = "use_skip_indexes_if_final_exact_mode";

    /// <summary>For a server that knows <see cref="ExactSkipIndexes"/>.</summary>
    public static readonly IReadOnlyDictionary<string, string> Recent = Make(knowsExactSkipIndexes: true);

    /// <summary>For one that does not: it uses no skip index under FINAL.</summary>
    public static readonly IReadOnlyDictionary<string, string> Older = Make(knowsExactSkipIndexes: false);

    private static Dictionary<string, string> Make(bool knowsExactSkipIndexes)
    {
        Dictionary<string, string> settings = new(StringComparer.Ordinal)
        {
            // 2, not 1: an account that is read-only already may not set 1, and may set the others only under 2.
            ["readonly"] = "2",
            ["do_not_merge_across_partitions_select_final"] = "0",
            ["optimize_move_to_prewhere_if_final"] = "0",
            ["use_skip_indexes_if_final"] = knowsExactSkipIndexes ? "1" : "0",
            ["max_execution_time"] = Text(QueryLimits.MaxSeconds),
            ["max_rows_to_read"] = Text(QueryLimits.MaxRowsToRead),
            ["max_bytes_to_read"] = Text(QueryLimits.MaxBytesToRead),
            ["max_memory_usage"] = Text(QueryLimits.MaxMemoryBytes),
            ["max_result_bytes"] = Text(QueryLimits.MaxResultBytes),

            // The engine may add its FORMAT to what the compiler let pass.
            ["max_query_size"] = Text(QueryLimits.MaxSqlBytes + 1024),
        };
        if (knowsExactSkipIndexes) settings[ExactSkipIndexes] = "1";
        return settings;
    }

    private static string Text(long value) => value.ToString(CultureInfo.InvariantCulture);
}
