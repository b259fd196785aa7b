using System.Diagnostics;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>
/// Redis is killed, frozen, emptied, put back and written to by somebody else: capture goes on, no dead token is taken,
/// and it is the authority again by itself.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class RedisFaultsTests(EngineFixture engine, ITestOutputHelper output)
{
    private const int Rounds = 3;

    // The fence gives Redis a quarter of a second; the rest is for a machine that does other things as well.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    private RedisServer Redis => engine.ByRedis.Redis;

    [Fact]
    public async Task Killed_and_started_again_under_load_it_is_stood_in_for_and_asked_again()
    {
        var trio = await engine.ByRedis.CalmAsync();
        var storm = new Storm(trio, isCalm: true);
        output.WriteLine(await storm.RageThroughAsync(async () =>
        {
            for (int i = 0; i < Rounds; i++)
            {
                long byDatabase = await trio.ReadMetricAsync(0, "gateway_fence_groups_total{authority=\"database\"}");
                await Redis.KillAsync();
                await storm.WaitForAcksAsync();
                Assert.True(
                    await trio.ReadMetricAsync(0, "gateway_fence_groups_total{authority=\"database\"}") > byDatabase);

                Redis.Restart();
                await storm.WaitForProgressAsync();
                await trio.WaitUntilFencedByAsync();
            }
        }));
    }

    [Fact]
    public async Task Emptied_or_written_to_by_somebody_else_under_load_it_gets_its_epoch_back()
    {
        var trio = await engine.ByRedis.CalmAsync();
        string key = Redis.Command("KEYS", "gateway:*:fence");
        string[] former = Redis.Command("HGETALL", key).Split('\n');
        Action[] harms =
        [
            Redis.FlushAll,
            () => Redis.Command(["HSET", key, .. former]),
            () => Write(key, epoch: 1, isWhole: true),
            () => Write(key, epoch: 1_000_000, isWhole: true),
            () => Write(key, epoch: 2_000_000, isWhole: false),
            () => Redis.Command("HSET", key, "epoch", "garbage", "mark", "more of it"),
            () => Redis.Command("HDEL", key, "mark"),
            () => { Redis.Command("DEL", key); Redis.Command("SET", key, "a string"); },
        ];
        var storm = new Storm(trio, isCalm: true);
        output.WriteLine(await storm.RageThroughAsync(async () =>
        {
            foreach (var harm in harms)
            {
                harm();
                await storm.WaitForProgressAsync();
                await trio.WaitUntilFencedByAsync();
            }
        }));
        Assert.InRange(long.Parse(Redis.Command("HGET", key, "epoch")), 1_000_001, 1_900_000);
    }

    [Fact]
    public async Task Frozen_it_keeps_no_answer_back()
    {
        var trio = await engine.ByRedis.CalmAsync();
        var project = await trio.CreateProjectAsync();
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);

        Redis.Freeze();
        var slowest = await Task.WhenAll(Enumerable.Range(0, Trio.Size).Select(async gateway =>
        {
            var slowest = TimeSpan.Zero;
            for (int i = 0; i < 30; i++)
            {
                long began = Stopwatch.GetTimestamp();
                Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(gateway, project.Token));
                using var ready = await trio[gateway].Http.GetAsync("/_readiness");
                Assert.Equal(HttpStatusCode.OK, ready.StatusCode);
                var took = Stopwatch.GetElapsedTime(began);
                if (took > slowest) slowest = took;
            }

            return slowest;
        }));
        output.WriteLine($"the slowest answer took {slowest.Max().TotalMilliseconds:0} ms");
        Assert.True(slowest.Max() < Bound, $"{slowest.Max()}");

        Redis.Thaw();
        await trio.WaitUntilFencedByAsync();
    }

    [Fact]
    public async Task Put_back_to_an_old_copy_it_brings_no_dead_token_back_to_a_gateway_that_slept_through_it()
    {
        var trio = await engine.ByRedis.CalmAsync();
        Redis.CutHints();
        for (int i = 0; i < Rounds; i++)
        {
            var project = await trio.CreateProjectAsync();
            await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);
            Redis.SaveRdb();

            // One hears of nothing at all, another only what it looks for by itself.
            trio[2].Stop();
            string fresh = await trio.RegenerateAsync(0, project.Id);
            await Redis.KillAsync();
            Redis.Restart();
            Redis.CutHints();
            var first = trio.PostAsync(2, project.Token);
            trio[2].Continue();

            Assert.Equal(HttpStatusCode.Unauthorized, await first);
            await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
            await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
            await trio.WaitUntilFencedByAsync();
            await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
        }
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task Without_its_hints_everything_holds(bool publishingToo)
    {
        var trio = await engine.ByRedis.CalmAsync();
        Redis.CutHints(publishingToo);
        Assert.Equal("", Redis.Command("PUBSUB", "CHANNELS"));

        var project = await trio.CreateProjectAsync();
        string old = project.Token;
        for (int i = 0; i < 4 * Trio.Size; i++)
        {
            string fresh = await trio.RegenerateAsync(i % Trio.Size, project.Id);
            await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, old);
            await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
            old = fresh;
        }

        var storm = new Storm(trio, isCalm: true);
        output.WriteLine(await storm.RageThroughAsync(async () =>
        {
            for (int i = 0; i < Rounds; i++) await storm.WaitForProgressAsync();
        }));
    }

    /// <summary>How long is for REDIS_GONE_SECONDS to say.</summary>
    [Fact]
    public async Task Gone_for_long_it_keeps_only_changes_waiting_and_says_so()
    {
        var gone = TimeSpan.FromSeconds(
            double.Parse(Environment.GetEnvironmentVariable("REDIS_GONE_SECONDS") ?? "8"));
        var trio = await engine.ByRedis.CalmAsync();
        var project = await trio.CreateProjectAsync();
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);

        var storm = new Storm(trio, isCalm: true);
        output.WriteLine(await storm.RageThroughAsync(async () =>
        {
            long acked = storm.History.Acked;
            long[] byDatabase = await ReadAllAsync(trio, "gateway_fence_groups_total{authority=\"database\"}");
            long began = Stopwatch.GetTimestamp();
            await Redis.KillAsync();

            string fresh = await AssertWaitsAsync(trio, gateway: 1, project);
            await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
            while (Stopwatch.GetElapsedTime(began) < gone) await storm.WaitForAcksAsync();

            // Asked again it is the same change that waits.
            Assert.Equal(fresh, await AssertWaitsAsync(trio, gateway: 2, project));
            long[] grown = await ReadAllAsync(trio, "gateway_fence_groups_total{authority=\"database\"}");
            Assert.All(byDatabase.Zip(grown), pair => Assert.True(pair.Second > pair.First));
            long during = storm.History.Acked - acked;
            Assert.True(during > 0);

            Redis.Restart();
            began = Stopwatch.GetTimestamp();
            Assert.Equal(fresh, await trio.RegenerateAsync(0, project.Id));
            output.WriteLine($"gone for {gone.TotalSeconds} s: {during} acks meanwhile, back in force "
                + $"{Stopwatch.GetElapsedTime(began).TotalSeconds:0.0} s after Redis");

            await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
            await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
            await trio.WaitUntilFencedByAsync();
            await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
            await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
        }));
    }

#pragma warning disable CA5350 // It is a checksum.
    /// <summary>An epoch that the database does not know, as a gateway writes it or as somebody else would.</summary>
    private void Write(string key, long epoch, bool isWhole)
    {
        string begun = Redis.Command("HGET", key, "begun");
        byte[] sum = SHA1.HashData(Encoding.ASCII.GetBytes($"{epoch}:5:{begun}"));
        Redis.Command(
            "HSET", key, "epoch", $"{epoch}", "mark", "5", "sum", isWhole ? Convert.ToHexStringLower(sum) : "another");
    }
#pragma warning restore CA5350

    /// <summary>Regenerate is told to be recorded and not in force; the new token.</summary>
    private static async Task<string> AssertWaitsAsync(Trio trio, int gateway, TrioProject project)
    {
        var (status, answer) = await trio.TryRegenerateAsync(gateway, project.Id);
        Assert.True(status == HttpStatusCode.ServiceUnavailable, $"{status} {answer}");
        Assert.Equal("not_in_force", answer.GetProperty("code").GetString());
        Assert.Equal(project.Token, answer.GetProperty("old_api_token").GetString());
        string fresh = answer.GetProperty("recorded").GetProperty("api_token").GetString()!;
        Assert.NotEqual(project.Token, fresh);
        return fresh;
    }

    private static async Task<long[]> ReadAllAsync(Trio trio, string metric) =>
        await Task.WhenAll(Enumerable.Range(0, Trio.Size).Select(gateway => trio.ReadMetricAsync(gateway, metric)));
}
