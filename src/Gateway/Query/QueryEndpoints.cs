using Gateway.Core.ClickHouse;
using Gateway.Core.Query;
using Gateway.Hosting;
using Microsoft.AspNetCore.Http.Extensions;

namespace Gateway.Query;

internal static class QueryRoutes
{
    /// <summary>Maps the routes; for each request <paramref name="authorize"/> is asked before anything else.</summary>
    public static void MapQuery(
        this IEndpointRouteBuilder routes, AuthorizeQuery authorize, ClickHouseClient client, TimeProvider time)
    {
        var logger = routes.ServiceProvider.GetRequiredService<ILogger<QueryEndpoints>>();
        new QueryEndpoints(authorize, new QueryStore(client), new QueryCompiler(time), time, logger).Map(routes);
    }
}

/// <summary>
/// Reading events back: <c>POST /api/projects/{id}/query/</c>, <c>GET /api/projects/{id}/events/</c> and
/// <c>GET /api/projects/{id}/events/{uuid}/</c>. The project in the route counts only after the control plane has said
/// that the caller's key may read it.
/// </summary>
internal sealed class QueryEndpoints(
    AuthorizeQuery authorize,
    QueryStore store,
    QueryCompiler compiler,
    TimeProvider time,
    ILogger<QueryEndpoints> logger)
{
    public const string Scope = "query:read";

    // ClickHouse's own limit of an error's text is less.
    private const int MaxErrorBytes = 256 * 1024;
    private static readonly TimeSpan ErrorWait = TimeSpan.FromSeconds(5);

    private delegate Task WriteAnswer(AnswerWriter writer, RowReader rows, CancellationToken cancellationToken);

    public void Map(IEndpointRouteBuilder routes)
    {
        // Kestrel's routing takes a last slash as it takes none.
        routes.MapPost("/api/projects/{projectId}/query", QueryAsync);
        routes.MapGet("/api/projects/{projectId}/events", ListAsync);
        routes.MapGet("/api/projects/{projectId}/events/{uuid:guid:length(36)}", GetAsync);
    }

    private async Task QueryAsync(HttpContext context, string projectId)
    {
        if (await AuthorizeAsync(context, projectId) is not { } project) return;
        if (await ReadBodyAsync(context) is not { } body) return;

        var (plan, error) = compiler.Compile(project, body);
        await (plan switch
        {
            EventsPlan events => RunAsync(
                context, events, (writer, rows, token) => new EventsAnswer(events, writer).WriteAsync(rows, token)),
            TrendsPlan trends => RunAsync(
                context, trends, (writer, rows, token) => new TrendsAnswer(trends, writer).WriteAsync(rows, token)),
            _ => RefuseAsync(context, error!),
        });
    }

    private async Task ListAsync(HttpContext context, string projectId)
    {
        if (await AuthorizeAsync(context, projectId) is not { } project) return;

        List<KeyValuePair<string, string>> fields =
        [
            .. context.Request.Query.Select(field => KeyValuePair.Create(field.Key, field.Value.LastOrDefault() ?? "")),
        ];
        var (plan, error) = compiler.CompileList(project, fields);
        if (plan is null)
        {
            await RefuseAsync(context, error!);
            return;
        }

        await RunAsync(context, plan, (writer, rows, token) =>
            new EventListAnswer(plan, writer, cursor => NextUrl(context.Request, cursor)).WriteAsync(rows, token));
    }

    private async Task GetAsync(HttpContext context, string projectId, Guid uuid)
    {
        if (await AuthorizeAsync(context, projectId) is not { } project) return;

        var plan = QueryCompiler.CompileSingle(project, uuid);
        await RunAsync(context, plan, async (writer, rows, token) =>
        {
            EventListAnswer answer = new(plan, writer, cursor => cursor);
            if (!await answer.WriteSingleAsync(rows, token)) await ApiError.NotFound().ExecuteAsync(context);
        });
    }

    /// <summary>The project that the caller may read; null when the refusal was written.</summary>
    private async ValueTask<AuthorizedProject?> AuthorizeAsync(HttpContext context, string projectId)
    {
        var access = await authorize(context, projectId, Scope);
        if (access.Refusal is { } refusal) await refusal.ExecuteAsync(context);
        return access.Refusal is null ? access.Project : null;
    }

    /// <summary>The whole body; null when it is too large, which was answered.</summary>
    private static async ValueTask<ReadOnlyMemory<byte>?> ReadBodyAsync(HttpContext context)
    {
        try
        {
            using MemoryStream body = new();
            byte[] buffer = new byte[16 * 1024];
            int read;
            while ((read = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0)
            {
                body.Write(buffer, 0, read);
                if (body.Length <= QueryLimits.MaxBodyBytes) continue;

                string detail = $"A query has at most {QueryLimits.MaxBodyBytes} bytes.";
                await ApiError.Validation(detail, code: "too_large").ExecuteAsync(context);
                return null;
            }

            await SocketThreads.LeaveAsync();
            return body.ToArray();
        }
        catch (BadHttpRequestException)
        {
            await ApiError.Validation("The body did not arrive whole.", code: "parse_error").ExecuteAsync(context);
            return null;
        }
    }

    private static Task RefuseAsync(HttpContext context, QueryError error) =>
        ApiError.Validation(error.Detail, error.Attr, error.Code).ExecuteAsync(context);

    private async Task RunAsync(HttpContext context, QueryPlan plan, WriteAnswer write)
    {
        string queryId = "gateway-" + Guid.NewGuid().ToString("N");
        var cancellationToken = context.RequestAborted;
        try
        {
            await using var result = await store.RunAsync(plan.Query, queryId, cancellationToken);
            using RowReader rows = new(result.Content);
            using AnswerWriter writer = new(context.Response);
            try
            {
                await write(writer, rows, cancellationToken);
            }
            catch (InvalidDataException)
            {
                await ReadToErrorAsync(result.Content, cancellationToken);
                throw;
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
            // The client went away: its query was cancelled in ClickHouse by closing the connection to it.
        }
        catch (Exception exception) when (exception is ClickHouseException or InvalidDataException)
        {
            await FailAsync(context, exception, queryId);
        }
    }

    /// <summary>
    /// What is no row is most often ClickHouse's error, which the result throws as such when its end is met.
    /// </summary>
    private async Task ReadToErrorAsync(Stream result, CancellationToken cancellationToken)
    {
        using CancellationTokenSource wait = new(ErrorWait, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, wait.Token);
        byte[] rest = new byte[16 * 1024];
        try
        {
            int read = 1;
            for (int total = 0; read > 0 && total < MaxErrorBytes; total += read)
            {
                read = await result.ReadAsync(rest, either.Token);
            }
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            // No error came; what is known already is told.
        }
    }

    /// <summary>
    /// An answer that has begun cannot become an error: it is cut, so that it never passes for whole.
    /// </summary>
    private async Task FailAsync(HttpContext context, Exception exception, string queryId)
    {
        var failure = exception as ClickHouseException ?? new ClickHouseException(exception.Message, exception);
        if (context.Response.HasStarted)
        {
            QueryLog.AnswerCut(logger, queryId, $"code {failure.Code}");
            context.Abort();
            return;
        }

        QueryLog.Failed(logger, queryId, failure.Code);
        await QueryFailure.ToError(failure).ExecuteAsync(context);
    }

    /// <summary>
    /// A path without scheme and host: behind a proxy both would be guesses, and a client that followed a guess of
    /// http would send its key in clear.
    /// </summary>
    private static string NextUrl(HttpRequest request, string cursor)
    {
        QueryBuilder query = new(request.Query
            .Where(field => field.Key != "cursor")
            .SelectMany(field => field.Value, (field, value) => KeyValuePair.Create(field.Key, value ?? "")))
        {
            { "cursor", cursor },
        };
        return UriHelper.BuildRelative(request.PathBase, request.Path, query.ToQueryString());
    }
}
