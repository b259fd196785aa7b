using System.Net;
using Gateway.Core.Tests.Redis;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Npgsql;

namespace Gateway.Tests.Promises;

/// <summary>A gateway that would not fence as the others do ends by itself and says why; the others go on.</summary>
[Collection(EngineCollection.Name)]
public sealed class MismatchedGatewayTests(EngineFixture engine)
{
    [Fact]
    public async Task One_without_Redis_or_on_another_or_on_a_copy_of_the_accounts_refuses_and_says_which()
    {
        using var redis = RedisServer.Start();
        using var foreign = RedisServer.Start();
        string postgres = PostgresServer.Shared.NewDatabase();
        string clickHouse = new UriBuilder(engine.ConnectionString) { Path = $"/one_{Guid.NewGuid():N}" }.Uri.AbsoluteUri;
        (string, string)[] stores =
            [("ConnectionStrings:Postgres", postgres), ("ConnectionStrings:ClickHouse", clickHouse)];
        await using var first = await GatewayProcess.StartAsync(
            settings: [.. stores, ("ConnectionStrings:Redis", redis.ConnectionString)]);

        var without = await Assert.ThrowsAsync<InvalidOperationException>(
            () => GatewayProcess.StartAsync(settings: stores));
        Assert.Contains("'redis'", without.Message, StringComparison.Ordinal);
        Assert.Contains("'database'", without.Message, StringComparison.Ordinal);

        string copy = PostgresBackup.Of(postgres).ConnectionString;
        ForgetGateways(copy);
        string[] said = await Task.WhenAll(
            EndedAsync([.. stores, ("ConnectionStrings:Redis", foreign.ConnectionString)]),
            EndedAsync(
            [
                ("ConnectionStrings:Postgres", copy),
                ("ConnectionStrings:ClickHouse", clickHouse),
                ("ConnectionStrings:Redis", redis.ConnectionString),
            ]));
        Assert.Contains("not on the same Redis", said[0], StringComparison.Ordinal);
        Assert.Contains("one of the databases is a copy", said[1], StringComparison.Ordinal);

        using var answer = await first.PostAsync(
            "/e/", new { api_key = GatewayProcess.ProjectToken, @event = "ping", distinct_id = "d" });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
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

    /// <summary>As if the copy were older than a minute.</summary>
    private static void ForgetGateways(string postgres)
    {
        using var connection = new NpgsqlConnection(postgres + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand("UPDATE gateways SET seen_at = 0", connection);
        command.ExecuteNonQuery();
    }
}
