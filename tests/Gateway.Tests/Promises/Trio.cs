using System.Net;
using System.Net.Http.Json;
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
        var trio = new Trio(engine, postgres ?? PostgresServer.Shared.NewDatabase(), redis, links);
        try
        {
            // The first makes the tables; then the others find them.
            for (int i = 0; i < Size; i++)
            {
                trio.Gateways.Add(await GatewayProcess.StartAsync(
                    testBuild: testBuild, settings: [.. trio.Settings(i), .. settings]));
            }
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

    /// <summary>One event with a token; what the gateway answers.</summary>
    public async Task<HttpStatusCode> PostAsync(int gateway, string token, Guid? uuid = null)
    {
        using var answer = await Gateways[gateway].Http.PostAsJsonAsync(
            "/e/", new { api_key = token, @event = "ping", distinct_id = "d", uuid = uuid ?? Guid.CreateVersion7() });
        return answer.StatusCode;
    }

    /// <summary>Regenerates the token of a project through a gateway, which must succeed; the new one.</summary>
    public async Task<string> RegenerateAsync(int gateway, string project = "@current")
    {
        using var owner = ApiUser.Owner(Gateways[gateway]);
        var (status, answer) = await owner.AskAsync(HttpMethod.Post, $"/api/projects/{project}/reset_token/");
        Assert.True(status == HttpStatusCode.OK, $"{(int)status}: {answer}");
        return answer.GetProperty("api_token").GetString()!;
    }

    /// <summary>How many rows the events have.</summary>
    public async Task<long> CountRowsAsync() =>
        long.Parse(await _clickHouse.QueryAsync($"SELECT count() FROM {Database}.events"));

    /// <summary>The id of every row, once for each.</summary>
    public async Task<List<Guid>> ReadRowsAsync()
    {
        string text = await _clickHouse.QueryAsync($"SELECT uuid FROM {Database}.events FORMAT TabSeparated");
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(Guid.Parse)];
    }

    public async ValueTask DisposeAsync()
    {
        // None may wait for another, or for a Redis that is stopped.
        Redis?.Thaw();
        foreach (var link in Links) link.Heal();
        foreach (var gateway in Gateways) gateway.Continue();
        foreach (var gateway in Gateways) await gateway.DisposeAsync();
        foreach (var link in Links) await link.DisposeAsync();
        _clickHouse.Dispose();
    }

    private string Database => ClickHouse.AbsolutePath[1..];
}
