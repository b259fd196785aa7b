using System.Net;
using System.Net.Http.Json;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>kill -9: what passed its fence before is stored once, and what was changed before is in force.</summary>
[Collection(EngineCollection.Name)]
public sealed class KilledGatewayTests(EngineFixture engine, ITestOutputHelper output)
{
    [Fact]
    public async Task One_of_three_killed_under_load_ships_what_it_acked_once_it_is_back_and_nothing_twice()
    {
        var trio = await engine.ByRedis.CalmAsync();
        await trio.StopMergesAsync();
        try
        {
            var storm = new Storm(trio, isCalm: true);
            output.WriteLine(await storm.RageThroughAsync(() => KillAsync(trio, storm)));
        }
        finally
        {
            await trio.StartMergesAsync();
        }
    }

    [Fact]
    public async Task A_change_whose_process_died_with_it_is_in_force_when_the_only_gateway_is_back()
    {
        var clickHouse = new UriBuilder(engine.ConnectionString) { Path = $"/alone_{Guid.NewGuid():N}" }.Uri;
        (string, string)[] settings = [("ConnectionStrings:ClickHouse", clickHouse.AbsoluteUri)];
        string data = Directory.CreateTempSubdirectory("gateway-test-").FullName;
        try
        {
            var first = await GatewayProcess.StartAsync(data, testBuild: true, settings: settings);
            using var owner = ApiUser.Owner(first);
            var before = await owner.GetAsync("/api/projects/@current/");
            first.Arm("committed", StopPoints.Exit);
            await Assert.ThrowsAnyAsync<HttpRequestException>(
                () => owner.AskAsync(HttpMethod.Post, "/api/projects/@current/reset_token/"));
            await first.WaitUntilStoppedAsync("committed");
            await first.ForgetAsync();

            await using var second = await GatewayProcess.StartAsync(data, settings: settings);
            string old = before.GetProperty("api_token").GetString()!;
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(second, old));
            using var ownerAgain = ApiUser.Owner(second);
            var after = await ownerAgain.GetAsync("/api/projects/@current/");
            Assert.Equal(HttpStatusCode.OK, await PostAsync(second, after.GetProperty("api_token").GetString()!));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static async Task KillAsync(Trio trio, Storm storm)
    {
        foreach (string? point in (string?[])[null, "before-write", "group-closed", "stored"])
        {
            if (point is not null)
            {
                trio[0].Arm(point, StopPoints.Exit);
                await trio[0].WaitUntilStoppedAsync(point);
            }

            await trio[0].KillAsync();
            await storm.WaitForAcksAsync(1, 2);
            await trio.RestartAsync(0);
            await storm.WaitForProgressAsync();
            await trio.WaitUntilFencedByAsync();
        }
    }

    private static async Task<HttpStatusCode> PostAsync(GatewayProcess gateway, string token)
    {
        using var answer = await gateway.Http.PostAsJsonAsync(
            "/e/", new { api_key = token, @event = "ping", distinct_id = "d" });
        return answer.StatusCode;
    }
}
