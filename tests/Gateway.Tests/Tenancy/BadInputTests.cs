using System.Net;
using System.Text.Json;

namespace Gateway.Tests.Tenancy;

/// <summary>
/// What no client means: each field of each body over-long, of a wrong type or with control characters is a 400 that
/// names it; each id of a path that is no id is a 404. Nothing of it is ever a 5xx, and nothing is changed.
/// </summary>
public sealed class BadInputTests(HostedGatewayOpenToAll gateway) : IClassFixture<HostedGatewayOpenToAll>
{
    private const string NoText =
        """123|1.5|{}|[]|true|["x"]|"\u0000"|"a\u0007b"|"a\nb"|"a\u009fb"|"\ud800"|"a\udc00"|"<long>" """;
    private const string NoShownText =
        """|"a\u202eb"|"a\u2067b"|"a\u2028b"|"a\u2029b" """;
    private const string NoWhole =
        """{}|"x"|"1"|[]|true|1.5|1e300|-1|0|99999999999999999999|"\u0000"|"<long>" """;
    private const string NoCount =
        """{}|"x"|"1"|[]|true|1.5|1e300|-1|1000000000001|99999999999999999999|"\u0000"|"<long>" """;
    private const string NoFlag =
        """1|0|"true"|{}|[]|"\u0000"|"<long>" """;
    private const string NoUuid =
        """1|{}|[]|true|"x"|"\u0000"|"\ud800"|"<long>"|"{00000000-0000-4000-8000-000000000000}" """;
    private const string NoTexts =
        """1|{}|"x"|true|[1]|[{}]|[null]|[[]]|["\u0000"]|["a\nb"]|["\ud800"]|["<long>"]|<many>""";
    private const string NoIds =
        """1|{}|"x"|true|["x"]|[1.5]|[-1]|[0]|[[1]]|[null]|["\u0000"]|[99999999999999999999]|<many>""";

    /// <summary>Every body: the route, then its fields, each with what it may be; ! must be there.</summary>
    private static readonly (string Route, string[] Fields)[] Bodies =
    [
        ("POST /api/login/", ["email! text", "password! secret"]),
        ("POST /api/signup/",
            ["email! text", "password! secret", "first_name! text", "last_name text", "organization_name text"]),
        ("POST /api/invites/{secret}/", ["password! secret", "first_name! text", "last_name text"]),
        ("PATCH /api/users/@me/",
            ["first_name text", "last_name text", "current_organization uuid", "current_project id",
            "password secret", "current_password secret"]),
        ("POST /api/organizations/", ["name! text"]),
        ("PATCH /api/organizations/{organization}/", ["name! text"]),
        ("PATCH /api/organizations/{organization}/members/{user}/", ["level! whole"]),
        ("POST /api/organizations/{organization}/invites/", ["target_email! text", "level whole"]),
        ("POST /api/organizations/{organization}/projects/",
            ["name! text", "api_token text", "timezone text", "anonymize_ips flag", "allowed_origins texts",
            "default_access text", "events_per_second count", "bytes_per_second count"]),
        ("PATCH /api/projects/{id}/",
            ["name text", "timezone text", "anonymize_ips flag", "allowed_origins texts", "default_access text",
            "events_per_second count", "bytes_per_second count"]),
        ("POST /api/projects/{id}/change_organization/", ["organization_id! uuid"]),
        ("PATCH /api/projects/{id}/members/{user}/", ["level! text"]),
        ("POST /api/personal_api_keys/",
            ["label! text", "scopes! texts", "scoped_organizations texts", "scoped_projects ids"]),
        ("PATCH /api/personal_api_keys/{key}/", ["label! text"]),
    ];

    /// <summary>Bodies that would make an account; the matrix has others, since there nobody may.</summary>
    private static readonly Dictionary<string, string> NewAccounts = new()
    {
        ["POST /api/signup/"] =
            """{"email": "new@example.com", "password": "a password for tests", "first_name": "New"}""",
        ["POST /api/invites/{secret}/"] = """{"password": "a password for tests", "first_name": "New"}""",
    };

    /// <summary>Writes without fields: nothing to say, or a query, whose grammar has its own tests.</summary>
    private static readonly string[] WithoutFields =
    [
        "PATCH /api/projects/{id}/reset_token/", "POST /api/projects/{id}/reset_token/",
        "POST /api/logout/", "POST /api/personal_api_keys/{key}/roll/", "POST /api/projects/{projectId}/query",
        "POST /api/projects/{id}/quarantine/replay/", "POST /api/projects/{id}/quarantine/{row}/replay/",
    ];

    private static readonly string[] NoIdsOfPaths =
    [
        "x'y", "-1", "0", "1e3", "+1", "%201", "1%20", "1;", "0x1", "%D9%A1", "99999999999999999999",
        "9223372036854775808", "%7B00000000-0000-4000-8000-000000000000%7D", "null", "%2e%2e%2f1", "1%00",
        new string('7', 300), new string('a', 300),
    ];

    public static TheoryData<string> RoutesWithFields() => new(Bodies.Select(body => body.Route));

    public static TheoryData<string, string> RoutesWithIds()
    {
        var routes = new TheoryData<string, string>();
        foreach (var line in AccessMatrix.Lines.Where(line => line.Route.Contains('{', StringComparison.Ordinal)))
        {
            // Whoever guesses at invites is answered 429 before long: SignInTests.
            if (!line.Route.Contains("{secret}", StringComparison.Ordinal)) routes.Add(line.Method, line.Route);
        }

        return routes;
    }

    [Theory]
    [MemberData(nameof(RoutesWithFields))]
    public async Task A_field_that_is_not_as_it_should_be_is_named(string route)
    {
        var world = await AccessWorld.BuildAsync(gateway, "*");
        string[] words = route.Split(' ');
        string good = world.Fill(NewAccounts.GetValueOrDefault(route) ?? AccessMatrix.Bodies[route]);
        var wrong = new List<string>();
        foreach (string field in Bodies.Single(body => body.Route == route).Fields)
        {
            string name = field.Split(' ')[0].TrimEnd('!');
            foreach (string value in BadValues(field))
            {
                string body = With(good, name, value);
                var answer = await gateway.SendAsync(words[0], world.Fill(words[1]), world.KeyOf("owner"), body);
                if (answer.Status != HttpStatusCode.BadRequest || Attr(answer) != name)
                    wrong.Add($"{name} = {value[..Math.Min(40, value.Length)]}: {answer}");
                else
                    AccessMatrix.CheckShape(answer);
            }
        }

        Assert.Empty(wrong);
    }

    [Theory]
    [InlineData("")]
    [InlineData("[]")]
    [InlineData("1")]
    [InlineData("null")]
    [InlineData("\"name\"")]
    [InlineData("{")]
    [InlineData("""{"name": "a", "name": "b"}""")]
    [InlineData("""{"name": "a"} x""")]
    [InlineData("""{"\ud800": 1}""")]
    public async Task A_body_that_is_no_object_is_refused_whole(string body)
    {
        var world = await AccessWorld.BuildAsync(gateway, "*");
        foreach (var (route, _) in Bodies)
        {
            string[] words = route.Split(' ');
            var answer = await gateway.SendAsync(words[0], world.Fill(words[1]), world.KeyOf("owner"), body);
            Assert.Equal((route, HttpStatusCode.BadRequest), (route, answer.Status));
            AccessMatrix.CheckShape(answer);
        }
    }

    [Theory]
    [MemberData(nameof(RoutesWithIds))]
    public async Task An_id_that_is_none_is_not_found(string method, string route)
    {
        var world = await AccessWorld.BuildAsync(gateway, "*");
        string? body = AccessMatrix.Bodies.TryGetValue($"{method} {route}", out string? text)
            ? world.Fill(text)
            : null;
        string[] parts = route.Split('/');
        var wrong = new List<string>();
        foreach (int part in Enumerable.Range(0, parts.Length).Where(i => parts[i].StartsWith('{')))
        {
            foreach (string id in NoIdsOfPaths)
            {
                string path = world.Fill(string.Join('/', parts.Select((own, i) => i == part ? id : own)));
                var answer = await gateway.SendAsync(method, path, world.KeyOf("owner"), body);

                // Kestrel itself refuses a path with a zero byte.
                bool isFine = answer.Status == HttpStatusCode.NotFound
                    || (answer.Status == HttpStatusCode.BadRequest && id.Contains("%00", StringComparison.Ordinal));
                if (!isFine) wrong.Add($"{path}: {answer}");
            }
        }

        Assert.Empty(wrong);
    }

    [Fact]
    public void Every_write_of_the_gateway_is_listed_with_its_fields()
    {
        var writes = gateway.Endpoints
            .Where(endpoint => AccessMatrix.Pattern(endpoint).StartsWith("/api/", StringComparison.Ordinal))
            .SelectMany(endpoint => AccessMatrix.Methods(endpoint)
                .Where(method => method is "POST" or "PATCH" or "PUT")
                .Select(method => $"{method} {AccessMatrix.Pattern(endpoint)}"));

        Assert.Equal(
            Bodies.Select(body => body.Route).Concat(WithoutFields)
                .Select(route => route.TrimEnd('/')).Order(StringComparer.Ordinal),
            writes.Order(StringComparer.Ordinal));
    }

    private static IEnumerable<string> BadValues(string field)
    {
        string[] words = field.Split(' ');
        string all = words[1] switch
        {
            "text" => NoText + NoShownText,
            "whole" => NoWhole,
            "id" => NoWhole,
            "count" => NoCount,
            "secret" => NoText,
            "flag" => NoFlag,
            "uuid" => NoUuid,
            "texts" => NoTexts,
            _ => NoIds,
        };
        if (words[0].EndsWith('!')) all += words[1] == "text" ? "|null|\"\"|\"  \"|\"\u200b\"" : "|null";
        return all.Split('|').Select(value => value.Trim()
            .Replace("<long>", new string('x', 5000), StringComparison.Ordinal)
            .Replace("<many>", $"[{string.Join(',', Enumerable.Range(1, 2000))}]", StringComparison.Ordinal));
    }

    /// <summary>The body with one field set, its raw text as given: no serializer would write some of these.</summary>
    private static string With(string body, string name, string value)
    {
        var fields = JsonElement.Parse(body).EnumerateObject()
            .Where(field => field.Name != name)
            .Select(field => $"\"{field.Name}\": {field.Value.GetRawText()}")
            .Append($"\"{name}\": {value}");
        return $"{{{string.Join(", ", fields)}}}";
    }

    private static string? Attr(Answer answer) => JsonElement.Parse(answer.Body).GetProperty("attr").GetString();
}
