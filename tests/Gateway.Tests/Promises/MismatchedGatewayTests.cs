using System.Net;
using Gateway.Core.Tests.Redis;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>A gateway that would not fence as the others do ends by itself and says why; the others go on.</summary>
[Collection(EngineCollection.Name)]
public sealed class MismatchedGatewayTests(EngineFixture engine)
{
    [Fact]
    public async Task One_without_Redis_or_on_another_refuses_and_says_which_and_the_others_go_on()
    {
        using var redis = RedisServer.Start();
        using var foreign = RedisServer.Start();
        var stores = NewStores();
        await using var first = await StartAsync(stores, redis);

        var without = await Assert.ThrowsAsync<InvalidOperationException>(
            () => GatewayProcess.StartAsync(settings: stores));
        Assert.Contains("'redis'", without.Message, StringComparison.Ordinal);
        Assert.Contains("'database'", without.Message, StringComparison.Ordinal);

        string said = await EndedAsync([.. stores, ("ConnectionStrings:Redis", foreign.ConnectionString)]);
        Assert.Contains("not on the same Redis", said, StringComparison.Ordinal);
        await AssertRegeneratesAsync(first);
    }

    /// <summary>It cannot be told from one that was put back; each finds what the other wrote and asks its database.</summary>
    [Fact]
    public async Task One_on_a_copy_of_the_accounts_takes_no_dead_token_and_makes_none_taken()
    {
        using var redis = RedisServer.Start();
        var stores = NewStores();
        await using var first = await StartAsync(stores, redis);
        (string, string)[] copied =
            [("ConnectionStrings:Postgres", PostgresBackup.Of(stores[0].Item2).ConnectionString), stores[1]];
        await using var second = await StartAsync(copied, redis);

        for (int i = 0; i < 10; i++)
        {
            await AssertRegeneratesAsync(first);
            await AssertRegeneratesAsync(second);
        }
    }

    private (string, string)[] NewStores() =>
    [
        ("ConnectionStrings:Postgres", PostgresServer.Shared.NewDatabase()),
        ("ConnectionStrings:ClickHouse",
            new UriBuilder(engine.ConnectionString) { Path = $"/one_{Guid.NewGuid():N}" }.Uri.AbsoluteUri),
    ];

    private static Task<GatewayProcess> StartAsync((string, string)[] stores, RedisServer redis) =>
        GatewayProcess.StartAsync(settings: [.. stores, ("ConnectionStrings:Redis", redis.ConnectionString)]);

    private static async Task AssertRegeneratesAsync(GatewayProcess gateway)
    {
        using var owner = ApiUser.Owner(gateway);
        string old = (await owner.GetAsync("/api/projects/@current/")).GetProperty("api_token").GetString()!;
        var answer = await owner.DoAsync(HttpMethod.Post, "/api/projects/@current/reset_token/");
        Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(gateway, old));
        Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, answer.GetProperty("api_token").GetString()!));
    }

    private static async Task<HttpStatusCode> PostAsync(GatewayProcess gateway, string token)
    {
        using var answer = await gateway.PostAsync(
            "/e/", new { api_key = token, @event = "ping", distinct_id = "d" });
        return answer.StatusCode;
    }

    /// <summary>What a gateway said that ended by itself. Until it does, it may not fence by its Redis.</summary>
    private static async Task<string> EndedAsync((string, string)[] settings)
    {
        var gateway = await GatewayProcess.StartAsync(waitUntilReady: false, settings: settings);
        Assert.Equal(1, await gateway.EndedAsync());
        string said = gateway.Output;
        await gateway.ForgetAsync();
        Assert.DoesNotContain("never-shown", said, StringComparison.Ordinal);
        return said;
    }
}
