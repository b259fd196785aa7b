using System.Globalization;
using System.Text.Json;
using Microsoft.AspNetCore.Routing;

namespace Gateway.Tests.Tenancy;

/// <summary>
/// Every route of the management API and every caller, with the status that it is to have. A route that is not in the
/// table fails the test, and so does a line without its route.
/// </summary>
public abstract class AccessMatrix(HostedGateway gateway)
{
    // Columns: AccessWorld.Callers. The third one is the scope that the "key without the scope" has not.
    // Names are cut: each route begins with /api, {org} is {organization}, org: is organization:, prj: is project:.
    // Signing in, an invite's link and signing up are open to all: 400 asks for a password, 403 is the closed door.
    // The store of events is never there: 503 says that the caller was let in.
    private const string Table =
        """
        #                                                       nob unk tok str mem adm own les oth oth thi shu lea ses
        #                                                       ody now ken ang ber in  er  ser prj org prj out der sio
        POST   /login/                                user:read 400 400 400 400 400 400 400 400 400 400 400 400 400 400
        POST   /logout/                               user:read 401 401 401 401 401 401 401 401 401 401 401 401 401 204
        POST   /signup/                               user:read 403 403 403 403 403 403 403 403 403 403 403 403 403 403
        GET    /invites/{secret}/                     user:read 200 200 200 200 200 200 200 200 200 200 200 200 200 200
        POST   /invites/{secret}/                     user:read 400 400 400 400 400 400 400 400 400 400 400 400 400 400
        GET    /users/@me/                            user:read 401 401 401 200 200 200 200 403 200 200 200 200 200 200
        PATCH  /users/@me/                           user:write 401 401 401 200 200 200 200 403 200 200 200 200 200 200
        GET    /organizations/                         org:read 401 401 401 200 200 200 200 403 200 200 200 200 200 200
        POST   /organizations/                        org:write 401 401 401 201 201 201 201 403 403 403 403 201 201 201
        GET    /organizations/{org}/                   org:read 401 401 401 404 200 200 200 403 404 404 404 200 200 200
        PATCH  /organizations/{org}/                  org:write 401 401 401 404 403 200 200 403 404 404 404 403 403 200
        DELETE /organizations/{org}/                  org:write 401 401 401 404 403 403 204 403 404 404 404 403 403 204
        GET    /organizations/{org}/members/           org:read 401 401 401 404 200 200 200 403 404 404 404 200 200 200
        PATCH  /organizations/{org}/members/{user}/   org:write 401 401 401 404 403 200 200 403 404 404 404 403 403 200
        DELETE /organizations/{org}/members/{user}/   org:write 401 401 401 404 403 204 204 403 404 404 404 403 403 204
        GET    /organizations/{org}/invites/           org:read 401 401 401 404 403 200 200 403 404 404 404 403 403 200
        POST   /organizations/{org}/invites/          org:write 401 401 401 404 403 201 201 403 404 404 404 403 403 201
        DELETE /organizations/{org}/invites/{invite}/ org:write 401 401 401 404 403 204 204 403 404 404 404 403 403 204
        GET    /organizations/{org}/audit_log/         org:read 401 401 401 404 403 200 200 403 404 404 404 403 403 200
        GET    /organizations/{org}/audit_log/check/   org:read 401 401 401 404 403 200 200 403 404 404 404 403 403 200
        GET    /organizations/{org}/projects/          prj:read 401 401 401 404 200 200 200 403 404 404 404 200 200 200
        GET    /organizations/{org}/deleted_projects/  prj:read 401 401 401 404 403 200 200 403 404 404 404 403 403 200
        POST   /organizations/{org}/projects/         prj:write 401 401 401 404 403 201 201 403 404 404 404 403 403 201
        GET    /projects/                              prj:read 401 401 401 200 200 200 200 403 200 200 200 200 200 200
        GET    /projects/{id}/                         prj:read 401 401 401 404 200 200 200 403 404 404 200 404 200 200
        PATCH  /projects/{id}/                        prj:write 401 401 401 404 403 200 200 403 404 404 200 404 200 200
        DELETE /projects/{id}/                        prj:write 401 401 401 404 403 204 204 403 404 404 204 404 403 204
        PATCH  /projects/{id}/reset_token/            prj:write 401 401 401 404 403 200 200 403 404 404 200 404 200 200
        POST   /projects/{id}/reset_token/            prj:write 401 401 401 404 403 200 200 403 404 404 200 404 200 200
        POST   /projects/{id}/change_organization/    prj:write 401 401 401 404 403 200 200 403 404 404 400 404 403 200
        GET    /projects/{id}/members/                 prj:read 401 401 401 404 200 200 200 403 404 404 200 404 200 200
        PATCH  /projects/{id}/members/{user}/         prj:write 401 401 401 404 403 200 200 403 404 404 200 404 200 200
        DELETE /projects/{id}/members/{user}/         prj:write 401 401 401 404 403 204 204 403 404 404 204 404 204 204
        GET    /personal_api_keys/                            * 401 401 401 200 200 200 200 403 403 403 403 200 200 200
        POST   /personal_api_keys/                            * 401 401 401 201 201 201 201 403 403 403 403 201 201 201
        GET    /personal_api_keys/{key}/                      * 401 401 401 404 404 404 200 403 403 403 403 404 404 200
        PATCH  /personal_api_keys/{key}/                      * 401 401 401 404 404 404 200 403 403 403 403 404 404 200
        POST   /personal_api_keys/{key}/roll/                 * 401 401 401 404 404 404 200 403 403 403 403 404 404 200
        DELETE /personal_api_keys/{key}/                      * 401 401 401 404 404 404 204 403 403 403 403 404 404 204
        POST   /projects/{projectId}/query           query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{projectId}/events          query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{projectId}/events/{uuid}   query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{id}/ledger/                query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{id}/freshness/             query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{id}/health/                query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{id}/quarantine/            query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        GET    /projects/{id}/quarantine/{row}/      query:read 401 401 401 404 503 503 503 403 404 404 503 404 503 503
        DELETE /projects/{id}/quarantine/             prj:write 401 401 401 404 403 503 503 403 404 404 503 404 503 503
        DELETE /projects/{id}/quarantine/{row}/       prj:write 401 401 401 404 403 503 503 403 404 404 503 404 503 503
        POST   /projects/{id}/quarantine/replay/      prj:write 401 401 401 404 403 503 503 403 404 404 503 404 503 503
        POST   /projects/{id}/quarantine/{row}/replay/ prj:write 401 401 401 404 403 503 503 403 404 404 503 404 503 503
        """;

    /// <summary>Bodies of those that need one, good for whoever may.</summary>
    internal static readonly Dictionary<string, string> Bodies = new()
    {
        ["POST /api/login/"] = """{"email": "nobody@example.com"}""",
        ["POST /api/signup/"] = "{}",
        ["POST /api/invites/{secret}/"] = "{}",
        ["PATCH /api/users/@me/"] = """{"first_name": "Renamed"}""",
        ["POST /api/organizations/"] = """{"name": "Another"}""",
        ["PATCH /api/organizations/{organization}/"] = """{"name": "Renamed"}""",
        ["PATCH /api/organizations/{organization}/members/{user}/"] = """{"level": 8}""",
        ["POST /api/organizations/{organization}/invites/"] = """{"target_email": "new@example.com", "level": 1}""",
        ["POST /api/organizations/{organization}/projects/"] = """{"name": "Third"}""",
        ["PATCH /api/projects/{id}/"] = """{"name": "Renamed"}""",
        ["POST /api/projects/{id}/change_organization/"] = """{"organization_id": "<elsewhere>"}""",
        ["PATCH /api/projects/{id}/members/{user}/"] = """{"level": "member"}""",
        ["POST /api/personal_api_keys/"] = """{"label": "New", "scopes": ["query:read"]}""",
        ["PATCH /api/personal_api_keys/{key}/"] = """{"label": "Renamed"}""",
        ["POST /api/projects/{projectId}/query"] = """{"query": {"kind": "EventsQuery", "select": ["event"]}}""",
    };

    /// <summary>What is not the management API: SDKs, health and metrics, the answer of no route.</summary>
    private static readonly string[] NotInTheMatrix =
    [
        "GET /e", "POST /e", "GET /i/v0/e", "POST /i/v0/e", "GET /batch", "POST /batch", "GET /capture",
        "POST /capture", "GET /track", "POST /track", "GET /engage", "POST /engage", "POST /flags", "POST /decide",
        "POST /s", "GET /array/{token}/config", "GET /array/{token}/config.js", "GET /static/{name}",
        "GET /_liveness", "GET /_readiness", "GET /metrics", "GET /openapi/{documentName}.json", "* {*path}",
        .. Both("", "/sign-in", "/sign-up", "/invite/{secret}", "/project/{**page}", "/organization/{**page}"),
        .. Both("/account/{**page}", "/console/{**name}"),
    ];

    /// <summary>The console's, which holds nothing of anybody.</summary>
    private static IEnumerable<string> Both(params string[] paths) =>
        paths.SelectMany(path => (string[])[$"GET {path}", $"HEAD {path}"]);

    internal static IReadOnlyList<Line> Lines { get; } =
    [
        .. Table.Split('\n').Where(line => line[0] != '#').Select(line =>
        {
            string[] words = line
                .Replace(" /", " /api/", StringComparison.Ordinal)
                .Replace("{org}", "{organization}", StringComparison.Ordinal)
                .Replace(" org:", " organization:", StringComparison.Ordinal)
                .Replace(" prj:", " project:", StringComparison.Ordinal)
                .Split(' ', StringSplitOptions.RemoveEmptyEntries);
            return new Line(
                words[0], words[1], words[2],
                [.. words[3..].Select(word => int.Parse(word, CultureInfo.InvariantCulture))]);
        }),
    ];

    public static TheoryData<string, string> Routes()
    {
        var routes = new TheoryData<string, string>();
        foreach (var line in Lines) routes.Add(line.Method, line.Route);
        return routes;
    }

    [Theory]
    [MemberData(nameof(Routes))]
    public async Task A_route_answers_each_caller_as_the_matrix_says(string method, string route)
    {
        var line = Lines.Single(line => line.Method == method && line.Route == route);
        var world = await AccessWorld.BuildAsync(gateway, line.Scope);
        var wrong = new List<string>();
        foreach (var (caller, expected) in AccessWorld.Callers.Zip(line.Expected))
        {
            var answer = await SendAsync(world, line, caller, world.Fill(line.Route));
            if ((int)answer.Status != expected) wrong.Add($"{caller}: {expected} expected, was {answer}");
            if (!answer.IsSuccess) CheckRefusal(world, answer);
            if ((int)answer.Status == 404)
            {
                // Not the caller's is as if it were not there, to the byte.
                string elsewhere = world.Fill(AccessWorld.FillWithNothing(line.Route));
                var nothing = await SendAsync(world, line, caller, elsewhere);
                Assert.Equal(nothing, answer);
            }

            // What was changed must not be in the way of the next one.
            if (answer.IsSuccess && method != "GET") world = await AccessWorld.BuildAsync(gateway, line.Scope);
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_route_of_the_gateway_is_in_the_matrix()
    {
        var routes = gateway.Endpoints
            .SelectMany(endpoint => Methods(endpoint).Select(method => $"{method} {Pattern(endpoint)}"))
            .Where(route => !route.StartsWith("OPTIONS ", StringComparison.Ordinal))
            .Except(NotInTheMatrix)
            .Distinct();

        Assert.Equal(
            Lines.Select(line => $"{line.Method} {line.Route.TrimEnd('/')}").Order(StringComparer.Ordinal),
            routes.Order(StringComparer.Ordinal));
    }

    internal static string Pattern(RouteEndpoint endpoint) =>
        endpoint.RoutePattern.RawText!.Replace(":guid:length(36)", "", StringComparison.Ordinal).TrimEnd('/');

    internal static IEnumerable<string> Methods(RouteEndpoint endpoint) =>
        endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods is { Count: > 0 } methods ? methods : ["*"];

    internal static void CheckShape(Answer answer)
    {
        var error = JsonElement.Parse(answer.Body);
        Assert.Equal(["type", "code", "detail", "attr"], error.EnumerateObject().Select(field => field.Name));
        foreach (string name in new[] { "type", "code", "detail" })
            Assert.NotEqual("", error.GetProperty(name).GetString());
    }

    private static void CheckRefusal(AccessWorld world, Answer answer)
    {
        CheckShape(answer);
        Assert.All(
            world.Secrets, secret => Assert.DoesNotContain(secret, answer.Body, StringComparison.OrdinalIgnoreCase));
    }

    private Task<Answer> SendAsync(AccessWorld world, Line line, string caller, string path)
    {
        string? body = Bodies.TryGetValue($"{line.Method} {line.Route}", out string? text) ? world.Fill(text) : null;
        return caller == AccessWorld.Session
            ? gateway.SendAsSessionAsync(line.Method, path, world.SessionOfOwner, body)
            : gateway.SendAsync(line.Method, path, world.KeyOf(caller), body);
    }

    /// <summary>One line of the matrix.</summary>
    internal sealed record Line(string Method, string Route, string Scope, int[] Expected);
}

public sealed class AccessMatrixOnSqliteTests(HostedGateway gateway)
    : AccessMatrix(gateway), IClassFixture<HostedGateway>;

public sealed class AccessMatrixOnPostgresTests(HostedGatewayOnPostgres gateway)
    : AccessMatrix(gateway), IClassFixture<HostedGatewayOnPostgres>;
