using Gateway.Core.ClickHouse;
using Gateway.Core.Query;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Query;

/// <summary>Whose fault a failed query is: the query's (400), the store's for now (503), or ours (500).</summary>
internal static class QueryFailure
{
    // ClickHouse's error codes.
    private const int UnknownTable = 60;
    private const int SyntaxError = 62;
    private const int TooManyRows = 158;
    private const int TimeoutExceeded = 159;
    private const int TooSlow = 160;
    private const int TooDeepAst = 167;
    private const int TooBigAst = 168;
    private const int SetSizeLimit = 191;
    private const int TooManyQueries = 202;
    private const int NetworkError = 210;
    private const int MemoryLimit = 241;
    private const int TableIsReadOnly = 242;
    private const int TooManyBytes = 307;
    private const int QueryCancelled = 394;
    private const int TooManyRowsOrBytes = 396;
    private const int BadRegex = 427;
    private const int AuthenticationFailed = 516;

    public static IResult ToError(ClickHouseException failure) => failure.Code switch
    {
        BadRegex => ApiError.Validation("A regular expression is not valid; the syntax is RE2's.", "query.properties"),
        TimeoutExceeded or TooSlow => TooExpensive($"The query took longer than {QueryLimits.MaxSeconds} seconds"),
        TooManyRows or TooManyBytes => TooExpensive("The query reads too many events"),
        TooManyRowsOrBytes or SetSizeLimit => TooExpensive("The query's result is too large"),
        MemoryLimit when !IsWholeServer(failure) => TooExpensive("The query needs too much memory"),
        _ when IsTooLarge(failure) => ApiError.Validation(
            "The query is too large: take fewer series, filters or values.", "query", "query_too_expensive"),
        _ when IsPassing(failure) => ApiError.Unavailable("The events cannot be read just now; nothing is lost."),
        _ => Ours(),
    };

    /// <summary>True when nothing is wrong but that ClickHouse is away, starting, busy, or cut the answer.</summary>
    private static bool IsPassing(ClickHouseException failure) =>
        failure.Status is null
        || failure.Code is 0 or UnknownTable or TooManyQueries or NetworkError or MemoryLimit or TableIsReadOnly
            or QueryCancelled or AuthenticationFailed;

    private static JsonHttpResult<ApiError> Ours() => TypedResults.Json(
        new ApiError("server_error", "query_failed", "The query failed for a reason that is ours."),
        ApiErrorJson.Default.ApiError,
        statusCode: StatusCodes.Status500InternalServerError);

    private static IResult TooExpensive(string what) =>
        ApiError.Validation($"{what}: narrow its range of time, or filter by event.", "query", "query_too_expensive");

    /// <summary>Within the gateway's limits, but its statement is beyond ClickHouse's.</summary>
    private static bool IsTooLarge(ClickHouseException failure) =>
        failure.Code is TooDeepAst or TooBigAst
        || (failure.Code == SyntaxError && failure.Message.Contains("Max query size", StringComparison.Ordinal));

    /// <summary>The limit of the whole server was met, to which others' queries add up.</summary>
    private static bool IsWholeServer(ClickHouseException failure) =>
        failure.Message.Contains("(total)", StringComparison.Ordinal)
        || failure.Message.Contains("User memory limit", StringComparison.Ordinal);
}
