using System.Text.Json;

namespace Gateway.Core.Query;

/// <summary>A statement to run, with what is needed to write its answer.</summary>
/// <param name="Query">The statement.</param>
public abstract record QueryPlan(CompiledQuery Query);

/// <summary>
/// Compiles what a client asks into a statement for ClickHouse. There is no other way to one: whatever the kind of
/// query, it reads the rows of the authorized project only.
/// </summary>
public sealed class QueryCompiler(TimeProvider time)
{
    private static readonly string[] RequestFields = ["query"];

    // What PostHog's clients send beside the query.
    private static readonly string[] LeftAside =
    [
        "refresh", "client_query_id", "name", "async", "filters_override", "variables_override", "limit_context",
    ];

    private static readonly JsonDocumentOptions Json = new() { MaxDepth = 64, AllowDuplicateProperties = false };

    private delegate QueryPlan? Compilation(ProjectZone zone, CompiledQuery.Builder builder, QueryProblems problems);

    /// <summary>Compiles the body of a query request: <c>{"query": {"kind": …}}</c>.</summary>
    /// <returns>The plan, or what is wrong with the request.</returns>
    public (QueryPlan? Plan, QueryError? Error) Compile(AuthorizedProject project, ReadOnlyMemory<byte> body)
    {
        var (request, error) = Parse(body, attr: null);
        if (request is null) return (null, error);

        using (request)
        {
            return Compile(project, (zone, builder, problems) => Compile(request, project, zone, builder, problems));
        }
    }

    /// <summary>Compiles a request for the list of events; its fields are those of the URL.</summary>
    /// <returns>The plan, or what is wrong with the request.</returns>
    public (EventsPlan? Plan, QueryError? Error) CompileList(
        AuthorizedProject project, IReadOnlyList<KeyValuePair<string, string>> fields)
    {
        var (plan, error) = Compile(project, (zone, builder, problems) =>
        {
            var query = new EventListReader(zone, time.GetUtcNow().UtcDateTime, problems).Read(fields);
            return problems.First is null ? EventsCompiler.Compile(query, project, builder, problems, "cursor") : null;
        });
        return ((EventsPlan?)plan, error);
    }

    /// <summary>Compiles a request for one event.</summary>
    public static EventsPlan CompileSingle(AuthorizedProject project, Guid uuid)
    {
        var builder = new CompiledQuery.Builder(project);
        return EventsCompiler.CompileSingle(EventListReader.Columns, uuid, builder);
    }

    internal static (JsonDocument? Document, QueryError? Error) Parse(ReadOnlyMemory<byte> json, string? attr)
    {
        try
        {
            return (JsonDocument.Parse(json, Json), null);
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException)
        {
            // The latter for a lone surrogate in a field's name.
            return (null, new QueryError("parse_error", "Is not JSON, names a field twice, or nests too deep.", attr));
        }
    }

    private (QueryPlan? Plan, QueryError? Error) Compile(AuthorizedProject project, Compilation compilation)
    {
        if (ProjectZone.Find(project.TimeZone) is not { } zone)
            return (null, new QueryError("invalid_time_zone", "The project's time zone is not known.", "timezone"));

        QueryProblems problems = new();
        CompiledQuery.Builder builder = new(project);
        var plan = compilation(zone, builder, problems);
        if (builder.ParameterBytes > QueryLimits.MaxParameterBytes)
        {
            string detail = $"All values together may have at most {QueryLimits.MaxParameterBytes} bytes.";
            problems.Add("query", detail, QueryProblems.TooLarge);
        }

        if (plan?.Query.Sql.Length > QueryLimits.MaxSqlBytes)
            problems.Add("query", "Too many series, filters and values together.", QueryProblems.TooLarge);

        return problems.First is { } error ? (null, error) : (plan, null);
    }

    private QueryPlan? Compile(
        JsonDocument request,
        AuthorizedProject project,
        ProjectZone zone,
        CompiledQuery.Builder builder,
        QueryProblems problems)
    {
        var fields = QueryFields.Open(request.RootElement, "", problems);
        fields.AllowOnly(RequestFields, LeftAside);
        if (fields.Get("query") is not { } query)
        {
            problems.Add("query", "What is asked?", QueryProblems.Required);
            return null;
        }

        const string Path = "query";
        var now = time.GetUtcNow().UtcDateTime;
        switch (QueryFields.Open(query, Path, problems).Text("kind"))
        {
            case "EventsQuery":
                var events = new EventsQueryReader(zone, now, problems).Read(query, Path);
                return problems.First is null
                    ? EventsCompiler.Compile(events, project, builder, problems, "query.cursor") : null;

            case "TrendsQuery":
                var trends = new TrendsQueryReader(zone, now, problems).Read(query, Path);
                return problems.First is null ? TrendsCompiler.Compile(trends, project, builder) : null;

            default:
                problems.Add("query.kind", "Must be EventsQuery or TrendsQuery.");
                return null;
        }
    }
}
