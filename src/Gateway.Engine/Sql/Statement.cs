namespace Gateway.Engine.Sql;

/// <summary>What a statement is, as far as it decides which of libchdb's calls runs it.</summary>
internal enum StatementKind
{
    /// <summary>Reads, and can be streamed: SELECT.</summary>
    Select,

    /// <summary>INSERT followed by data in a format.</summary>
    InsertData,

    /// <summary>Anything else: its result comes whole.</summary>
    Other,
}

/// <param name="Kind">How to run it.</param>
/// <param name="Format">The name after FORMAT, "Values" for VALUES, or null.</param>
/// <param name="Length">Of an INSERT with data: the bytes before FORMAT or VALUES.</param>
/// <param name="DataStart">Of an INSERT with data: where the data begins.</param>
/// <param name="WritesFile">It has INTO OUTFILE.</param>
internal readonly record struct Statement(
    StatementKind Kind, string? Format, int Length, int DataStart, bool WritesFile);
