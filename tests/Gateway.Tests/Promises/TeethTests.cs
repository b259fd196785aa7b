using System.Diagnostics;
using System.Net;
using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>The tests of these promises fail when the rules behind them are weakened: what they find is there to find.</summary>
[Collection(EngineCollection.Name)]
public sealed class TeethTests(EngineFixture engine, ITestOutputHelper output)
{
    private const string Weakened = "GATEWAY_WEAKENED";

    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    [Theory]
    [InlineData("fence")]
    [InlineData("hints-only")]
    public async Task Without_the_fence_a_storm_finds_dead_tokens_taken(string rule)
    {
        using var redis = RedisServer.Start();
        await using var trio = await Trio.StartAsync(engine, redis, testBuild: true, settings: (Weakened, rule));
        redis.CutHints();
        var storm = new Storm(trio, isCalm: true);
        await storm.PrepareAsync();

        long began = Stopwatch.GetTimestamp();
        using var stop = new CancellationTokenSource(Limit);
        var raging = storm.RageAsync(stop.Token);
        while (!storm.HasViolation && !raging.IsCompleted) await Task.Delay(50);
        output.WriteLine($"{rule}: found after {Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s");
        await stop.CancelAsync();
        await raging;

        var findings = await storm.CheckAsync();
        output.WriteLine($"{storm.History.Acked} acks, {findings.Violations.Count} of them violations");
        Assert.NotEmpty(findings.Violations);
    }

    [Fact]
    public async Task With_a_cache_that_ignores_its_epoch_a_dead_token_is_taken()
    {
        using var redis = RedisServer.Start();
        await using var trio = await Trio.StartAsync(engine, redis, testBuild: true, settings: (Weakened, "fill"));
        await trio.WaitUntilFencedByAsync();
        redis.CutHints();
        Assert.Equal(HttpStatusCode.OK, await DelayedFillTests.PostAfterLateFillAsync(trio, redis));
    }
}
