namespace Gateway.Engine.Http;

/// <summary>The content type of a result, by the name of its ClickHouse format.</summary>
internal static class FormatContentType
{
    public static string Of(string format) => format switch
    {
        "Native" or "RowBinary" or "Parquet" or "Arrow" or "ArrowStream" or "Avro" or "ORC" or "MsgPack" =>
            "application/octet-stream",
        _ when IsRows(format) => "application/x-ndjson; charset=UTF-8",
        _ when format.StartsWith("JSON", StringComparison.Ordinal) => "application/json; charset=UTF-8",
        _ when format.StartsWith("CSV", StringComparison.Ordinal) => "text/csv; charset=UTF-8; header=absent",
        _ when format.StartsWith("TabSeparated", StringComparison.Ordinal)
            || format.StartsWith("TSV", StringComparison.Ordinal) => "text/tab-separated-values; charset=UTF-8",
        "XML" => "application/xml; charset=UTF-8",
        _ => "text/plain; charset=UTF-8",
    };

    private static bool IsRows(string format) =>
        format.StartsWith("JSON", StringComparison.Ordinal) && format.Contains("EachRow", StringComparison.Ordinal);
}
