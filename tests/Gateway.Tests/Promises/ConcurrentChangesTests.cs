using System.Collections.Concurrent;
using System.Globalization;
using System.Net;
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
        ApiUser[] callers = [owner, ownerThere, second, secondThere];
        await Task.WhenAll(Enumerable.Range(0, Clients).Select(client => Task.Run(async () =>
        {
            var random = new Random(client);
            for (int i = 0; i < ChangesEach; i++)
            {
                var (what, method, path, body) = world.Change(random);
                var caller = callers[(client + i) % callers.Length];
                statuses.Add((what, await PatientlyAsync(caller, method, path, body)));
            }
        })));

        var failures = statuses.Where(answer => (int)answer.Status >= 500).GroupBy(answer => answer).ToList();
        Assert.True(failures.Count == 0, string.Join(", ", failures.Select(group => $"{group.Key} {group.Count()} times")));
        foreach (var kind in statuses.GroupBy(answer => answer.What))
            Assert.Contains(kind, answer => (int)answer.Status < 300);

        await AssertAlikeAsync(owner, ownerThere, world);
        await AssertOneLiveTokenAsync(owner, [one, other]);
    }

    /// <summary>A database that is busy for longer than a caller is kept waiting says so, and is asked again.</summary>
    private static async Task<HttpStatusCode> PatientlyAsync(
        ApiUser caller, HttpMethod method, string path, object? body)
    {
        for (int attempt = 1; ; attempt++)
        {
            var status = await caller.StatusAsync(method, path, body);
            if (status != HttpStatusCode.ServiceUnavailable || attempt == 10) return status;
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

    private static async Task AssertOneLiveTokenAsync(ApiUser owner, GatewayProcess[] gateways)
    {
        foreach (var project in (await owner.GetAsync("/api/projects/")).GetProperty("results").EnumerateArray())
        {
            foreach (var gateway in gateways)
            {
                using var answer = await gateway.PostAsync("/e/", new
                {
                    api_key = project.GetProperty("api_token").GetString(),
                    @event = "after",
                    distinct_id = "d",
                });
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            }
        }
    }

    private sealed record World(string Here, string There, string[] Users, string Project, string Stays)
    {
        private static readonly int[] Levels = [1, 8, 15];
        private static readonly string[] Words = ["none", "member", "admin"];

        public (string What, HttpMethod Method, string Path, object? Body) Change(Random random) => random.Next(8) switch
        {
            0 => ("reset", HttpMethod.Post, $"{Project}/reset_token/", null),
            1 => ("rename", HttpMethod.Patch, $"{Project}/", new { name = $"Name {random.Next(100)}" }),
            2 => ("move", HttpMethod.Post, $"{Project}/change_organization/",
                new { organization_id = random.Next(2) == 0 ? Here : There }),
            3 => ("level", HttpMethod.Patch, $"/api/organizations/{Here}/members/{Users[2]}/",
                new { level = Levels[random.Next(3)] }),
            4 => ("access", HttpMethod.Patch, $"{Stays}/members/{Users[2]}/",
                new { level = Words[random.Next(3)] }),
            5 => ("settings", HttpMethod.Patch, $"{Project}/", new { anonymize_ips = random.Next(2) == 0 }),
            6 => ("create", HttpMethod.Post, $"/api/organizations/{Here}/projects/", new { name = "New" }),
            _ => ("invite", HttpMethod.Post, $"/api/organizations/{Here}/invites/",
                new { target_email = $"{random.Next(5).ToString(CultureInfo.InvariantCulture)}@example.com", level = 1 }),
        };
    }
}
