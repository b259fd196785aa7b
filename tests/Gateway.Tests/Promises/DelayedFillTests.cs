using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>What is written late, by a gateway that was held up, brings no dead token back.</summary>
[Collection(EngineCollection.Name)]
public sealed class DelayedFillTests(EngineFixture engine)
{
    private static readonly HttpStatusCode[] OfOneInFlight = [HttpStatusCode.OK, HttpStatusCode.Unauthorized];

    private RedisServer Redis => engine.ByLinkedRedis.Redis;

    [Fact]
    public async Task A_token_put_into_Redis_after_its_end_is_refused_by_who_finds_it_there()
    {
        var trio = await engine.ByLinkedRedis.CalmAsync();
        Redis.CutHints();
        for (int i = 0; i < 5; i++)
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAfterLateFillAsync(trio, Redis));
    }

    [Fact]
    public async Task A_token_read_from_the_database_before_its_end_is_not_learned_after_it()
    {
        var trio = await engine.ByLinkedRedis.CalmAsync();
        Redis.CutHints();
        var project = await trio.CreateProjectAsync(gateway: 1);
        trio[0].Arm("learn", StopPoints.Wait);
        var inFlight = trio.PostAsync(0, project.Token);
        await trio[0].WaitUntilStoppedAsync("learn");

        // The gateway that is held up sees the change before it goes on.
        string fresh = await trio.RegenerateAsync(1, project.Id);
        Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(0, fresh));
        trio[0].Release("learn");

        Assert.Contains(await inFlight, OfOneInFlight);
        await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
    }

    [Fact]
    public async Task Changes_that_are_applied_late_hide_none_that_came_after_them()
    {
        var trio = await engine.ByLinkedRedis.CalmAsync();
        Redis.CutHints();
        var project = await trio.CreateProjectAsync();
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);

        trio[0].Arm("fill-table", StopPoints.Wait);
        string second = await trio.RegenerateAsync(1, project.Id);
        await trio[0].WaitUntilStoppedAsync("fill-table");
        var waiting = trio.PostAsync(0, second);
        string third = await trio.RegenerateAsync(2, project.Id);
        var late = trio.PostAsync(0, second);
        trio[0].Release("fill-table");

        Assert.Equal(HttpStatusCode.Unauthorized, await late);
        Assert.Contains(await waiting, OfOneInFlight);
        await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
        await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, second);
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, third);
    }

    [Fact]
    public async Task A_raise_that_reaches_Redis_after_those_of_later_changes_undoes_none_of_them()
    {
        var trio = await engine.ByLinkedRedis.CalmAsync();
        Redis.CutHints();
        var project = await trio.CreateProjectAsync();

        // Of what is sent while Redis answers, only a raise names the channel.
        var link = trio.Links[0];
        link.HoldBack(":hints");
        var (status, answer) = await trio.TryRegenerateAsync(0, project.Id);
        await link.Held;
        Assert.True(status == HttpStatusCode.ServiceUnavailable, $"{status} {answer}");
        string second = answer.GetProperty("recorded").GetProperty("api_token").GetString()!;

        Assert.Equal(second, await trio.RegenerateAsync(1, project.Id));
        string third = await trio.RegenerateAsync(2, project.Id);
        await AssertOnlyLastAsync(trio, project.Token, second, third);

        long before = FenceEpoch();
        link.Release();
        await AssertOnlyLastAsync(trio, project.Token, second, third);
        await trio.WaitUntilFencedByAsync();
        await AssertOnlyLastAsync(trio, project.Token, second, third);
        Assert.True(FenceEpoch() >= before);
    }

    [Fact]
    public async Task A_regeneration_that_is_overtaken_returns_a_token_that_is_dead_everywhere()
    {
        var trio = await engine.ByLinkedRedis.CalmAsync();
        Redis.CutHints();
        var project = await trio.CreateProjectAsync();
        trio[0].Arm("committed", StopPoints.Wait);
        var overtaken = trio.RegenerateAsync(0, project.Id);
        await trio[0].WaitUntilStoppedAsync("committed");
        string third = await trio.RegenerateAsync(1, project.Id);
        trio[0].Release("committed");

        await AssertOnlyLastAsync(trio, project.Token, await overtaken, third);
    }

    /// <summary>
    /// One gateway reads a live token and is late in telling Redis, until after the token's end; what another answers,
    /// which never saw the token and finds it in Redis.
    /// </summary>
    internal static async Task<HttpStatusCode> PostAfterLateFillAsync(Trio trio, RedisServer redis)
    {
        var project = await trio.CreateProjectAsync(gateway: 1);
        trio[0].Arm("fill-redis", StopPoints.Wait);
        var inFlight = trio.PostAsync(0, project.Token);
        await trio[0].WaitUntilStoppedAsync("fill-redis");
        string fresh = await trio.RegenerateAsync(1, project.Id);
        trio[0].Release("fill-redis");
        Assert.Contains(await inFlight, OfOneInFlight);

        string hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.ASCII.GetBytes(project.Token)));
        await Eventually.HoldsAsync(
            () => Task.FromResult(redis.Command("KEYS", $"gateway:*:token:{hash}") != ""),
            TimeSpan.FromSeconds(10), () => "the dead token is in Redis");
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
        return await trio.PostAsync(2, project.Token);
    }

    private static async Task AssertOnlyLastAsync(Trio trio, params string[] tokens)
    {
        foreach (string dead in tokens[..^1]) await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, dead);
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, tokens[^1]);
    }

    private long FenceEpoch() => long.Parse(Redis.Command("HGET", Redis.Command("KEYS", "gateway:*:fence"), "epoch"));
}
