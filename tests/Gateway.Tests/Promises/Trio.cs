using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Core.Tests.Redis;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// Three gateways that are one installation: on one PostgreSQL, one ClickHouse and, if there is one, one Redis, which
/// each may reach over a link of its own.
/// </summary>
internal sealed class Trio : IAsyncDisposable
{
    public const int Size = 3;

    private readonly HttpClient _clickHouse;
    private readonly List<GatewayProcess> _former = [];
    private bool _isTestBuild;
    private (string Key, string Value)[] _settings = [];

    private Trio(EngineFixture engine, string postgres, RedisServer? redis, FaultyLink[] links)
    {
        _clickHouse = EngineFixture.NewClient(engine.Endpoint);
        ClickHouse = new UriBuilder(engine.ConnectionString) { Path = $"/trio_{Guid.NewGuid():N}" }.Uri;
        (Postgres, Redis, Links) = (postgres, redis, links);
    }

    public List<GatewayProcess> Gateways { get; } = [];

    public GatewayProcess this[int gateway] => Gateways[gateway];

    /// <summary>Each gateway's way to Redis; none when they go straight there.</summary>
    public FaultyLink[] Links { get; }

    public RedisServer? Redis { get; }

    /// <summary>The connection string of the accounts.</summary>
    public string Postgres { get; }

    /// <summary>The connection string of the events, in a database of their own.</summary>
    public Uri ClickHouse { get; }

    /// <summary>Starts all and waits until they are ready.</summary>
    /// <param name="engine">The engine that keeps the events.</param>
    /// <param name="redis">Asked whether anything changed; null: PostgreSQL is. The caller ends it.</param>
    /// <param name="linked">Whether each gateway gets a <see cref="FaultyLink"/> to Redis.</param>
    /// <param name="testBuild">Whether they can be stopped at points.</param>
    /// <param name="postgres">The accounts' database; null: a new one on the server that the tests share.</param>
    /// <param name="settings">More configuration of each, by key.</param>
    public static async Task<Trio> StartAsync(
        EngineFixture engine,
        RedisServer? redis = null,
        bool linked = false,
        bool testBuild = false,
        string? postgres = null,
        params (string Key, string Value)[] settings)
    {
        FaultyLink[] links =
            redis is null || !linked ? [] : [.. Enumerable.Range(0, Size).Select(_ => new FaultyLink(redis.Port))];
        var trio = new Trio(engine, postgres ?? PostgresServer.Shared.NewDatabase(), redis, links)
        {
            _isTestBuild = testBuild,
            _settings = settings,
        };
        try
        {
            // The first makes the tables; then the others find them.
            trio.Gateways.Add(await trio.StartAsync(0));
            trio.Gateways.AddRange(await Task.WhenAll(Enumerable.Range(1, Size - 1).Select(i => trio.StartAsync(i))));
        }
        catch
        {
            await trio.DisposeAsync();
            throw;
        }

        return trio;
    }

    /// <summary>What makes another gateway, or one that is started again, the one of that number.</summary>
    public (string Key, string Value)[] Settings(int gateway)
    {
        (string, string)[] stores =
            [("ConnectionStrings:Postgres", Postgres), ("ConnectionStrings:ClickHouse", ClickHouse.AbsoluteUri)];
        if (Redis is null) return stores;

        string redis = Links.Length > 0 ? Links[gateway].ConnectionString : Redis.ConnectionString;
        return [.. stores, ("ConnectionStrings:Redis", redis)];
    }

    /// <summary>Starts one that was killed again, at its address and with its data.</summary>
    public async Task RestartAsync(int gateway)
    {
        var old = Gateways[gateway];
        _former.Add(old);
        Gateways[gateway] = await StartAsync(gateway, old.Data, old.Address.Port);
    }

    /// <summary>One event with a token; what the gateway answers.</summary>
    public async Task<HttpStatusCode> PostAsync(int gateway, string token, Guid? uuid = null)
    {
        using var answer = await Gateways[gateway].Http.PostAsJsonAsync(
            "/e/", new { api_key = token, @event = "ping", distinct_id = "d", uuid = uuid ?? Guid.CreateVersion7() });
        return answer.StatusCode;
    }

    /// <summary>What every gateway answers to an event with this token.</summary>
    public async Task AssertAllAnswerAsync(HttpStatusCode expected, string token)
    {
        for (int i = 0; i < Gateways.Count; i++) Assert.Equal((i, expected), (i, await PostAsync(i, token)));
    }

    /// <summary>A new project, with a token of ours or an imported one.</summary>
    public async Task<TrioProject> CreateProjectAsync(
        int gateway = 0, string? token = null, string organization = "@current")
    {
        using var owner = ApiUser.Owner(Gateways[gateway]);
        object body = token is null ? new { name = "Promised" } : new { name = "Promised", api_token = token };
        var made = await owner.DoAsync(HttpMethod.Post, $"/api/organizations/{organization}/projects/", body);
        return new TrioProject(
            made.GetProperty("id").GetInt64().ToString(), made.GetProperty("api_token").GetString()!);
    }

    /// <summary>
    /// Regenerates the token of a project through a gateway, which must succeed, if need be when it is asked again; the
    /// new one.
    /// </summary>
    public async Task<string> RegenerateAsync(int gateway, string project = "@current")
    {
        using var owner = ApiUser.Owner(Gateways[gateway]);
        var answer = await owner.DoAsync(HttpMethod.Post, $"/api/projects/{project}/reset_token/");
        return answer.GetProperty("api_token").GetString()!;
    }

    /// <summary>The same, once: whatever comes of it.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> TryRegenerateAsync(int gateway, string project)
    {
        using var owner = ApiUser.Owner(Gateways[gateway]);
        return await owner.AskAsync(HttpMethod.Post, $"/api/projects/{project}/reset_token/");
    }

    /// <summary>The token that a project has according to a gateway.</summary>
    public async Task<string> ReadTokenAsync(int gateway, string project)
    {
        using var owner = ApiUser.Owner(Gateways[gateway]);
        return (await owner.GetAsync($"/api/projects/{project}/")).GetProperty("api_token").GetString()!;
    }

    /// <summary>Waits until every gateway's fence is answered by Redis, or whoever it is to be.</summary>
    public async Task WaitUntilFencedByAsync(string authority = "redis")
    {
        string[] seen = new string[Gateways.Count];
        await Eventually.HoldsAsync(
            async () =>
            {
                for (int i = 0; i < seen.Length; i++) seen[i] = await AuthorityOfAsync(i);
                return seen.All(one => one == authority);
            },
            TimeSpan.FromSeconds(20),
            () => $"all fence by {authority}, they do by {string.Join(", ", seen)}");
    }

    /// <summary>A counter of a gateway's page of metrics.</summary>
    public async Task<long> ReadMetricAsync(int gateway, string name)
    {
        string page = await Gateways[gateway].Http.GetStringAsync("/metrics");
        string line = page.Split('\n').First(line => line.StartsWith(name + " ", StringComparison.Ordinal));
        return long.Parse(line[(name.Length + 1)..], CultureInfo.InvariantCulture);
    }

    /// <summary>After a test that failed halfway: everybody goes on, Redis too.</summary>
    public void Calm()
    {
        Redis?.EnsureRunning();
        Redis?.RestoreHints();
        foreach (var link in Links) link.Heal();
        foreach (var gateway in Gateways) gateway.Recover();
    }

    /// <summary>How many rows the events of that name have.</summary>
    public async Task<long> CountRowsAsync(string name) =>
        long.Parse(await _clickHouse.QueryAsync($"SELECT count() FROM {Database}.events FINAL WHERE event = '{name}'"));

    /// <summary>What is stored twice stays so, until merges begin again: no merge hides what queries have to.</summary>
    public Task StopMergesAsync() => _clickHouse.QueryAsync($"SYSTEM STOP MERGES {Database}.events");

    public Task StartMergesAsync() => _clickHouse.QueryAsync($"SYSTEM START MERGES {Database}.events");

    /// <summary>
    /// The id of every event of that name, once for each time that queries show it. A block whose gateway died before it
    /// noted that it was stored lies there twice until a merge; that is no double.
    /// </summary>
    public async Task<List<Guid>> ReadRowsAsync(string name)
    {
        string text = await _clickHouse.QueryAsync(
            $"SELECT uuid FROM {Database}.events FINAL WHERE event = '{name}' FORMAT TabSeparated");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Guid.Parse)];
    }

    public async ValueTask DisposeAsync()
    {
        // None may wait for another, or for a Redis that is stopped.
        Redis?.EnsureRunning();
        foreach (var link in Links) link.Heal();
        foreach (var gateway in Gateways) gateway.Recover();
        foreach (var gateway in Gateways) await gateway.DisposeAsync();
        foreach (var gateway in _former) await gateway.ForgetAsync();
        foreach (var link in Links) await link.DisposeAsync();
        _clickHouse.Dispose();
    }

    private Task<GatewayProcess> StartAsync(int gateway, string? data = null, int port = 0) =>
        GatewayProcess.StartAsync(data, port, testBuild: _isTestBuild, settings: [.. Settings(gateway), .. _settings]);

    /// <summary>A refusal too is given behind a fence, and tells nobody's events from others.</summary>
    private async Task<string> AuthorityOfAsync(int gateway)
    {
        await PostAsync(gateway, "phc_nobodys");
        using var answer = await Gateways[gateway].Http.GetAsync("/_readiness");
        var health = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        return health.TryGetProperty("fence", out var fence) ? fence.GetProperty("authority").GetString()! : "nobody";
    }

    private string Database => ClickHouse.AbsolutePath[1..];
}

/// <param name="Id">As paths name it.</param>
/// <param name="Token">The first one.</param>
internal sealed record TrioProject(string Id, string Token);
