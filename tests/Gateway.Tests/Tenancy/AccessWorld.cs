using System.Globalization;
using System.Text.Json;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Tests.Tenancy;

/// <summary>
/// Two organizations that know nothing of each other, a third one that all of the first belong to, and everybody who
/// may knock. Many worlds fit into one database.
/// </summary>
internal sealed class AccessWorld
{
    /// <summary>The owner signed in, by cookie and anti-forgery token.</summary>
    public const string Session = "the owner's session";

    /// <summary>The columns of the matrix, in their order.</summary>
    public static readonly string[] Callers =
    [
        "nobody", "unknown key", "project token", "stranger", "member", "admin", "owner", "key without the scope",
        "key of another project", "key of another organization", "key of this project", "shut out", "project admin",
        Session,
    ];

    private static readonly string[] People = ["owner", "admin", "member", "shut", "lead", "stranger", "target"];

    private readonly HostedGateway _gateway;
    private readonly string _mark = Guid.NewGuid().ToString("N")[..12];
    private readonly Dictionary<string, string?> _keys = [];
    private readonly Dictionary<string, string> _ids = [];

    private AccessWorld(HostedGateway gateway) => _gateway = gateway;

    /// <summary>What the owner's cookie holds, sealed.</summary>
    public string SessionOfOwner { get; } = Guid.NewGuid().ToString("N");

    /// <summary>What a refusal must never hold: names, addresses, tokens and keys.</summary>
    public List<string> Secrets { get; } = [];

    public static async Task<AccessWorld> BuildAsync(HostedGateway gateway, string scope)
    {
        var world = new AccessWorld(gateway);
        await world.AddPeopleAsync(scope);
        await world.AddOrganizationsAsync();
        await world.AddKeysAsync();
        return world;
    }

    /// <summary>The personal API key or other text that a caller brings; null: none.</summary>
    public string? KeyOf(string caller) => _keys[caller];

    /// <summary>The route with this world's ids.</summary>
    public string Fill(string text) => _ids.Aggregate(text, (path, id) => path.Replace(id.Key, id.Value));

    /// <summary>The same with ids that nothing has.</summary>
    public static string FillWithNothing(string route) => route
        .Replace("{organization}", "00000000-0000-4000-8000-000000000000")
        .Replace("{id}", "987654321")
        .Replace("{projectId}", "987654321")
        .Replace("{key}", "987654321");

    private async Task AddPeopleAsync(string scope)
    {
        foreach (string name in People)
        {
            string uuid = Guid.NewGuid().ToString();
            string email = $"{name}-{_mark}@example.com";
            await _gateway.SqlAsync(
                $"""
                INSERT INTO users (uuid, email, first_name, last_name, created_at)
                VALUES ('{uuid}', '{email}', '{name}', '', 0)
                """);
            _ids[$"<{name}>"] = uuid;
            _keys[name] = await AddKeyAsync(name, name, "*");
            Secrets.Add(email);
        }

        await _gateway.SqlAsync(
            $"""
            INSERT INTO sessions (sha256, user_id, created_at, expires_at)
            SELECT '{TokenFormat.Sha256Of(SessionOfOwner)}', id, 0, {long.MaxValue}
            FROM users WHERE uuid = '{_ids["<owner>"]}'
            """);
        var others = Scopes.Known.Where(other => other != "*" && !Scopes.Hold(other, scope));
        _keys["key without the scope"] = await AddKeyAsync("owner", "lesser", string.Join(' ', others));
        await AddKeyAsync("owner", "spare", "*");
        _keys["shut out"] = _keys["shut"];
        _keys["project admin"] = _keys["lead"];
        _keys["nobody"] = null;
        _keys["unknown key"] = "phx_nobody_ever_made_this_one_0123456789";
        _ids["{user}"] = _ids["<target>"];
        _ids["{uuid}"] = Guid.NewGuid().ToString();
    }

    private async Task AddOrganizationsAsync()
    {
        string home = await AddOrganizationAsync("owner", "Homely");
        string elsewhere = await AddOrganizationAsync("owner", "Elsewhere");
        await AddOrganizationAsync("stranger", "Secretive");
        await JoinAsync(home, "admin", 8);
        foreach (string name in new[] { "member", "shut", "lead", "target" }) await JoinAsync(home, name, 1);
        foreach (string name in new[] { "admin", "member", "shut", "lead" }) await JoinAsync(elsewhere, name, 1);

        var first = await OwnerAsync("GET", $"/api/organizations/{home}/projects/", null);
        _ids["<first project>"] = Text(first.GetProperty("results")[0].GetProperty("id"));
        var project = await OwnerAsync(
            "POST", $"/api/organizations/{home}/projects/", $$"""{"name": "Secondly {{_mark}}"}""");
        string id = Text(project.GetProperty("id"));
        await OwnerAsync("PATCH", Fill($"/api/projects/{id}/members/<shut>/"), """{"level": "none"}""");
        await OwnerAsync("PATCH", Fill($"/api/projects/{id}/members/<lead>/"), """{"level": "admin"}""");
        var invite = await OwnerAsync(
            "POST", $"/api/organizations/{home}/invites/", $$"""{"target_email": "invited-{{_mark}}@example.com"}""");

        _ids["{organization}"] = home;
        _ids["<elsewhere>"] = elsewhere;
        _ids["{id}"] = id;
        _ids["{projectId}"] = id;
        _ids["{row}"] = "1";
        _ids["{invite}"] = Text(invite.GetProperty("id"));
        _ids["{secret}"] = Text(invite.GetProperty("link")).Split('/', StringSplitOptions.RemoveEmptyEntries)[^1];
        _keys["project token"] = Text(project.GetProperty("api_token"));
        Secrets.AddRange(
        [
            $"Homely {_mark}", $"Elsewhere {_mark}", $"Secretive {_mark}", $"Secondly {_mark}",
            $"invited-{_mark}", _keys["project token"]!,
        ]);
    }

    private async Task AddKeysAsync()
    {
        _keys["key of another project"] = await AddBoundKeyAsync("\"scoped_projects\": [<first project>]");
        _keys["key of another organization"] = await AddBoundKeyAsync("\"scoped_organizations\": [\"<elsewhere>\"]");
        _keys["key of this project"] = await AddBoundKeyAsync("\"scoped_projects\": [{id}]");
        var list = await OwnerAsync("GET", "/api/personal_api_keys/", null);
        _ids["{key}"] = Text(list.GetProperty("results").EnumerateArray()
            .Single(key => key.GetProperty("label").GetString() == "spare").GetProperty("id"));
        Secrets.AddRange(_keys.Values.OfType<string>());
    }

    private async Task<string> AddOrganizationAsync(string owner, string name)
    {
        var answer = await _gateway.SendAsync(
            "POST", "/api/organizations/", _keys[owner], $$"""{"name": "{{name}} {{_mark}}"}""");
        return Text(Read(answer).GetProperty("id"));
    }

    private Task JoinAsync(string organization, string name, int level) => _gateway.SqlAsync(
        $"""
        INSERT INTO memberships (organization_id, user_id, level, joined_at)
        SELECT o.id, u.id, {level}, 0 FROM organizations o, users u
        WHERE o.uuid = '{organization}' AND u.uuid = '{_ids[$"<{name}>"]}'
        """);

    private async Task<string> AddKeyAsync(string owner, string label, string scopes)
    {
        string key = $"phx_{label}_{_mark}_0123456789abcdef";
        await _gateway.SqlAsync(
            $"""
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
            SELECT id, '{TokenFormat.Sha256Of(key)}', 'phx_...', '{label}', '{scopes}', 0
            FROM users WHERE uuid = '{_ids[$"<{owner}>"]}'
            """);
        return key;
    }

    private async Task<string> AddBoundKeyAsync(string binding) => Text((await OwnerAsync(
        "POST", "/api/personal_api_keys/", Fill($$"""{"label": "bound", "scopes": ["*"], {{binding}}}""")))
        .GetProperty("value"));

    private async Task<JsonElement> OwnerAsync(string method, string path, string? body) =>
        Read(await _gateway.SendAsync(method, path, _keys["owner"], body));

    private static JsonElement Read(Answer answer)
    {
        Assert.True(answer.IsSuccess, $"The world cannot be built: {answer}");
        return JsonElement.Parse(answer.Body);
    }

    private static string Text(JsonElement value) => value.ValueKind == JsonValueKind.Number
        ? value.GetInt64().ToString(CultureInfo.InvariantCulture)
        : value.GetString()!;
}
