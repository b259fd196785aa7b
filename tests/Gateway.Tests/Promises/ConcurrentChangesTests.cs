using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// Two gateways on one PostgreSQL: whatever people change at the same time at both ends in one state that both tell
/// alike, and nobody is answered with a failure of ours.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class ConcurrentChangesTests(EngineFixture engine)
{
    private const int Clients = 8;
    private const int ChangesEach = 25;

    [Fact]
    public async Task Changes_of_the_same_member_project_and_token_end_in_one_state()
    {
        string store = new UriBuilder(engine.ConnectionString) { Path = $"/concurrent_{Guid.NewGuid():N}" }.Uri.AbsoluteUri;
        (string, string)[] shared =
        [
            ("ConnectionStrings:Postgres", PostgresServer.Shared.NewDatabase()),
            ("ConnectionStrings:ClickHouse", store),
        ];
        await using var one = await GatewayProcess.StartAsync(settings: shared);
        await using var other = await GatewayProcess.StartAsync(settings: shared);

        using var owner = ApiUser.Owner(one);
        string here = (await owner.GetAsync("/api/organizations/@current/")).GetProperty("id").GetString()!;
        string there = (await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = "There" }))
            .GetProperty("id").GetString()!;
        var stays = await owner.DoAsync(
            HttpMethod.Post, $"/api/organizations/{here}/projects/", new { name = "Stays" });
        await owner.DoAsync(HttpMethod.Post, $"/api/organizations/{there}/projects/", new { name = "Stays too" });
        using var second = await owner.InviteAsync(here, "second@example.com", level: 15);
        using var third = await owner.InviteAsync(here, "third@example.com");
        using var ownerThere = owner.At(other);
        using var secondThere = second.At(other);
        var members = await owner.GetAsync($"/api/organizations/{here}/members/");
        string[] users = [.. members.GetProperty("results").EnumerateArray()
            .Select(member => member.GetProperty("user").GetProperty("uuid").GetString()!)];
        var world = new World(here, there, users, "/api/projects/1", $"/api/projects/{stays.GetProperty("id")}");

        var statuses = new ConcurrentBag<(string What, HttpStatusCode Status)>();
        var answered = new ConcurrentBag<(string What, string Asked, JsonElement Answer)>();
        ApiUser[] callers = [owner, ownerThere, second, secondThere];
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var random = new Random(client);
            for (int i = 0; i < ChangesEach; i++)
            {
                var (what, asked, method, path, body) = world.Change(random);
                var caller = callers[(client + i) % callers.Length];
                var (status, answer) = await PatientlyAsync(caller, method, path, body);
                statuses.Add((what, status));
                if ((int)status < 300) answered.Add((what, asked, answer));
            }
        })));

        var failures = statuses.Where(answer => (int)answer.Status >= 500).GroupBy(answer => answer).ToList();
        Assert.True(failures.Count == 0, string.Join(", ", failures.Select(group => $"{group.Key} {group.Count()} times")));
        foreach (var kind in statuses.GroupBy(answer => answer.What))
            Assert.Contains(kind, answer => (int)answer.Status < 300);

        await AssertAlikeAsync(owner, ownerThere, world);
        await AssertEndedAsOneAskedAsync(
            owner, world, answered.ToLookup(change => change.What, change => change.Asked));
        var tokens = answered.Where(change => change.What == "reset")
            .Select(change => change.Answer.GetProperty("api_token").GetString()!);
        await AssertOneLiveTokenAsync(owner, [one, other], [GatewayProcess.ProjectToken, .. tokens]);
    }

    /// <summary>A database that is busy for longer than a caller is kept waiting says so, and is asked again.</summary>
    private static async Task<(HttpStatusCode Status, JsonElement Answer)> PatientlyAsync(
        ApiUser caller, HttpMethod method, string path, object? body)
    {
        for (int attempt = 1; ; attempt++)
        {
            var answer = await caller.AskAsync(method, path, body);
            if (answer.Status != HttpStatusCode.ServiceUnavailable || attempt == 50) return answer;

            await Task.Delay(100);
        }
    }

    private static async Task AssertAlikeAsync(ApiUser one, ApiUser other, World world)
    {
        string[] paths =
        [
            "/api/projects/", $"/api/organizations/{world.Here}/members/", $"/api/organizations/{world.There}/members/",
            $"/api/organizations/{world.Here}/projects/", $"/api/organizations/{world.There}/projects/",
            $"/api/organizations/{world.Here}/audit_log/?limit=1000",
            $"/api/organizations/{world.There}/audit_log/?limit=1000",
        ];
        foreach (string path in paths)
            Assert.Equal((await one.GetAsync(path)).ToString(), (await other.GetAsync(path)).ToString());

        foreach (string organization in (string[])[world.Here, world.There])
        {
            var check = await other.GetAsync($"/api/organizations/{organization}/audit_log/check/");
            Assert.True(check.GetProperty("intact").GetBoolean(), check.ToString());
            var members = await one.GetAsync($"/api/organizations/{organization}/members/");
            Assert.Contains(members.GetProperty("results").EnumerateArray(), member => member.GetProperty("level").GetInt32() == 15);
        }
    }

    /// <summary>The last of several changes holds, whichever it was: no half of one and half of another.</summary>
    private static async Task AssertEndedAsOneAskedAsync(ApiUser owner, World world, ILookup<string, string> asked)
    {
        var members = await owner.GetAsync($"/api/organizations/{world.Here}/members/");
        var member = members.GetProperty("results").EnumerateArray()
            .Single(one => one.GetProperty("user").GetProperty("uuid").GetString() == world.Users[2]);
        Assert.Contains(member.GetProperty("level").ToString(), asked["level"]);

        var entries = await owner.GetAsync($"{world.Stays}/members/");
        var entry = entries.GetProperty("results").EnumerateArray()
            .Single(one => one.GetProperty("user").GetString() == world.Users[2]);
        Assert.Contains(entry.GetProperty("own_level").GetString(), asked["access"]);
    }

    /// <summary>Of all tokens that were ever answered, each project's listed one is good, and no other.</summary>
    private static async Task AssertOneLiveTokenAsync(
        ApiUser owner, GatewayProcess[] gateways, IReadOnlyCollection<string> given)
    {
        var listed = (await owner.GetAsync("/api/projects/")).GetProperty("results").EnumerateArray()
            .Select(project => project.GetProperty("api_token").GetString()!)
            .ToHashSet();
        Assert.Single(given, listed.Contains);
        foreach (string token in listed.Union(given))
        {
            foreach (var gateway in gateways)
            {
                using var answer = await gateway.PostAsync(
                    "/e/", new { api_key = token, @event = "after", distinct_id = "d" });
                var expected = listed.Contains(token) ? HttpStatusCode.OK : HttpStatusCode.Unauthorized;
                Assert.Equal((token, expected), (token, answer.StatusCode));
            }
        }
    }

    private sealed record World(string Here, string There, string[] Users, string Project, string Stays)
    {
        private static readonly int[] Levels = [1, 8, 15];
        private static readonly string[] Words = ["none", "member", "admin"];

        public (string What, string Asked, HttpMethod Method, string Path, object? Body) Change(Random random)
        {
            int level = Levels[random.Next(3)];
            string word = Words[random.Next(3)];
            return random.Next(8) switch
            {
                0 => ("reset", "", HttpMethod.Post, $"{Project}/reset_token/", null),
                1 => ("rename", "", HttpMethod.Patch, $"{Project}/", new { name = $"Name {random.Next(100)}" }),
                2 => ("move", "", HttpMethod.Post, $"{Project}/change_organization/",
                    new { organization_id = random.Next(2) == 0 ? Here : There }),
                3 => ("level", level.ToString(CultureInfo.InvariantCulture), HttpMethod.Patch,
                    $"/api/organizations/{Here}/members/{Users[2]}/", new { level }),
                4 => ("access", word, HttpMethod.Patch, $"{Stays}/members/{Users[2]}/", new { level = word }),
                5 => ("settings", "", HttpMethod.Patch, $"{Project}/", new { anonymize_ips = random.Next(2) == 0 }),
                6 => ("create", "", HttpMethod.Post, $"/api/organizations/{Here}/projects/", new { name = "New" }),
                _ => ("invite", "", HttpMethod.Post, $"/api/organizations/{Here}/invites/",
                    new { target_email = $"invited-{random.Next(5)}@example.com", level = 1 }),
            };
        }
    }
}
