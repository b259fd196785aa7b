using System.Diagnostics;
using System.Net;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>
/// A gateway that is stopped between any two steps brings no dead token back and blocks nobody else, whether the
/// database is asked or Redis.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class StoppedGatewayTests(EngineFixture engine, ITestOutputHelper output)
{
    private static readonly string[] StepsOfCapture = ["looked-up", "group-closed", "fence-answered", "before-write"];

    // Of a transaction in which nothing happens the database lets go after two seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // Two, and the rest for a machine that does other things as well.
    private static readonly TimeSpan UntilCarriedOver = TimeSpan.FromSeconds(10);

    public static TheoryData<string, string> StepsOfAChange() => new()
    {
        { "database", "in-transaction" },
        { "database", "committed" },
        { "redis", "in-transaction" },
        { "redis", "committed" },
        { "redis", "raise" },
    };

    [Theory]
    [InlineData("database")]
    [InlineData("redis")]
    public async Task One_stopped_at_any_step_of_capture_refuses_what_was_sent_after_regenerate_returned(string authority)
    {
        var trio = await CalmAsync(authority);
        var project = await trio.CreateProjectAsync();
        string old = project.Token;
        foreach (string point in StepsOfCapture)
        {
            for (int i = 0; i < Trio.Size; i++) Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(i, old));

            trio[0].Arm(point);
            var inFlight = trio.PostAsync(0, old);
            await trio[0].WaitUntilStoppedAsync(point);

            string fresh = await RegenerateInTimeAsync(trio, gateway: 1, project);
            var late = trio.PostAsync(0, old);
            Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(1, old));
            Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(2, old));
            Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(2, fresh));

            trio[0].Continue();
            Assert.Equal(HttpStatusCode.Unauthorized, await late);
            Assert.Contains(await inFlight, (HttpStatusCode[])[HttpStatusCode.OK, HttpStatusCode.Unauthorized]);
            Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(0, fresh));
            old = fresh;
        }
    }

    [Theory]
    [MemberData(nameof(StepsOfAChange))]
    public async Task One_stopped_within_a_change_keeps_nobody_from_changing_the_same(string authority, string point)
    {
        var trio = await CalmAsync(authority);
        var project = await trio.CreateProjectAsync();
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);
        trio[0].Arm(point);
        var stopped = trio.TryRegenerateAsync(0, project.Id);
        await trio[0].WaitUntilStoppedAsync(point);

        string fresh = await RegenerateInTimeAsync(trio, gateway: 1, project);
        var late = trio.PostAsync(0, project.Token);
        Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(1, project.Token));
        Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(2, fresh));

        trio[0].Continue();
        Assert.Equal(HttpStatusCode.Unauthorized, await late);
        var (status, answer) = await stopped;
        await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
        if (status != HttpStatusCode.OK) return;

        // It may have been made again, after the other: then its token is the one that lives, else it is dead.
        string theirs = answer.GetProperty("api_token").GetString()!;
        string live = await trio.ReadTokenAsync(0, project.Id);
        await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, live == theirs ? fresh : theirs);
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, live);
    }

    [Theory]
    [InlineData("database")]
    [InlineData("redis")]
    public async Task One_killed_after_the_commit_leaves_a_change_that_comes_into_force_by_itself(string authority)
    {
        var trio = await CalmAsync(authority);
        var project = await trio.CreateProjectAsync();
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);
        if (authority == "redis") engine.ByRedis.Redis.CutHints();

        trio[0].Arm("committed", StopPoints.Exit);
        await Assert.ThrowsAnyAsync<HttpRequestException>(() => trio.TryRegenerateAsync(0, project.Id));
        long died = Stopwatch.GetTimestamp();
        await trio[0].WaitUntilStoppedAsync("committed");

        // One gateway meets the new token only, another the old one only.
        string fresh = await trio.ReadTokenAsync(1, project.Id);
        HttpStatusCode last;
        while ((last = await trio.PostAsync(2, project.Token)) == HttpStatusCode.OK)
        {
            Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(1, fresh));
            Assert.True(Stopwatch.GetElapsedTime(died) < UntilCarriedOver, "The old token is still taken.");
        }

        output.WriteLine($"in force {Stopwatch.GetElapsedTime(died).TotalSeconds:0.00} s after its caller died");
        Assert.Equal(HttpStatusCode.Unauthorized, last);
        Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(1, project.Token));
        await trio[0].KillAsync();
        await trio.RestartAsync(0);
        await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, project.Token);
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, fresh);
    }

    [Fact]
    public async Task One_thread_can_be_made_to_wait_while_the_others_go_on()
    {
        var trio = await CalmAsync("redis");
        var project = await trio.CreateProjectAsync();
        trio[0].Arm("looked-up", StopPoints.Wait);
        var waiting = trio.PostAsync(0, project.Token);
        await trio[0].WaitUntilStoppedAsync("looked-up");

        string fresh = await trio.RegenerateAsync(0, project.Id);
        Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(0, fresh));
        Assert.False(waiting.IsCompleted);

        trio[0].Release("looked-up");
        Assert.Equal(HttpStatusCode.Unauthorized, await waiting);
    }

    private Task<Trio> CalmAsync(string authority) =>
        authority == "redis" ? engine.ByRedis.CalmAsync() : engine.ByDatabase.CalmAsync();

    private static async Task<string> RegenerateInTimeAsync(Trio trio, int gateway, TrioProject project)
    {
        long started = Stopwatch.GetTimestamp();
        string fresh = await trio.RegenerateAsync(gateway, project.Id);
        Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"{Stopwatch.GetElapsedTime(started)}");
        return fresh;
    }
}
