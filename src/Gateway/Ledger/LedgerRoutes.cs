using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Ledger;
using Gateway.Core.Tokens;
using Gateway.Query;
using Gateway.Tenancy;

namespace Gateway.Ledger;

internal static class LedgerRoutes
{
    /// <summary>Maps the ledger, freshness, health and quarantine of each project.</summary>
    public static void MapLedger(
        this IEndpointRouteBuilder routes,
        Func<LedgerBooks?> books,
        ClickHouseClient client,
        TokenCheck tokens,
        CaptureLimits limits,
        TimeProvider time)
    {
        var api = routes.MapGroup("/api")
            .AddEndpointFilter(TenancyRoutes.AnswerUnavailableAsync)
            .AddEndpointFilter(AnswerUnreadableAsync);
        new LedgerEndpoints(books, new QueryStore(client), time).Map(api);
        new ProjectHealthEndpoints(books, time).Map(api);
        new QuarantineEndpoints(books, new QuarantineReplay(tokens, limits, time)).Map(api);
    }

    private static async ValueTask<object?> AnswerUnreadableAsync(
        EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        try
        {
            return await next(context);
        }
        catch (LedgerException)
        {
            return ApiError.Unavailable("The ledger cannot be read or written just now. Nothing was done for sure.");
        }
    }
}
