namespace Gateway.Query;

internal static partial class QueryLog
{
    // The message of ClickHouse may repeat a client's values; its code says what is needed.
    [LoggerMessage(Level = LogLevel.Warning, Message = "Query {QueryId} failed in ClickHouse with code {Code}")]
    public static partial void Failed(ILogger logger, string queryId, int code);

    [LoggerMessage(Level = LogLevel.Warning, Message = "The answer to query {QueryId} was cut: {Reason}")]
    public static partial void AnswerCut(ILogger logger, string queryId, string reason);
}
