using System.Diagnostics;
using System.Net;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>A gateway that is stopped between any two steps brings no dead token back and blocks nobody else.</summary>
[Collection(EngineCollection.Name)]
public sealed class StoppedGatewayTests(EngineFixture engine)
{
    private static readonly string[] StepsOfCapture = ["looked-up", "group-closed", "fence-answered", "before-write"];

    // Of a transaction in which nothing happens the database lets go after two seconds.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task One_stopped_at_any_step_of_capture_refuses_what_was_sent_after_regenerate_returned()
    {
        await using var trio = await Trio.StartAsync(engine, testBuild: true);
        string old = GatewayProcess.ProjectToken;
        foreach (string point in StepsOfCapture)
        {
            for (int i = 0; i < Trio.Size; i++) Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(i, old));

            trio[0].Arm(point);
            var inFlight = trio.PostAsync(0, old);
            await trio[0].WaitUntilStoppedAsync(point);

            string fresh = await RegenerateInTimeAsync(trio, gateway: 1);
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
    [InlineData("in-transaction")]
    [InlineData("committed")]
    public async Task One_stopped_within_a_change_keeps_nobody_from_changing_the_same(string point)
    {
        await using var trio = await Trio.StartAsync(engine, testBuild: true);
        using var owner = ApiUser.Owner(trio[0]);
        trio[0].Arm(point);
        var stopped = owner.AskAsync(HttpMethod.Post, "/api/projects/@current/reset_token/");
        await trio[0].WaitUntilStoppedAsync(point);

        string fresh = await RegenerateInTimeAsync(trio, gateway: 1);
        Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(1, GatewayProcess.ProjectToken));
        Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(2, fresh));

        trio[0].Continue();
        var (status, answer) = await stopped;
        Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(0, GatewayProcess.ProjectToken));
        if (status != HttpStatusCode.OK) return;

        // It may have been made again, after the other: then its token is the one that lives, else it is dead.
        string theirs = answer.GetProperty("api_token").GetString()!;
        var fates = new List<HttpStatusCode> { await trio.PostAsync(0, theirs), await trio.PostAsync(0, fresh) };
        Assert.Equal([HttpStatusCode.OK, HttpStatusCode.Unauthorized], fates.Order());
    }

    [Fact]
    public async Task One_killed_after_the_commit_leaves_a_change_that_is_in_force_within_seconds_and_harms_nobody()
    {
        await using var trio = await Trio.StartAsync(engine, testBuild: true);
        using var owner = ApiUser.Owner(trio[0]);
        trio[0].Arm("committed", StopPoints.Exit);
        await Assert.ThrowsAnyAsync<HttpRequestException>(
            () => owner.AskAsync(HttpMethod.Post, "/api/projects/@current/reset_token/"));
        await trio[0].WaitUntilStoppedAsync("committed");
        await trio[0].ForgetAsync();
        trio.Gateways.RemoveAt(0);

        await Eventually.HoldsAsync(
            async () => await trio.PostAsync(0, GatewayProcess.ProjectToken) == HttpStatusCode.Unauthorized,
            Patience, () => "the old token is refused");
        using var other = ApiUser.Owner(trio[0]);
        var project = await other.GetAsync("/api/projects/@current/");
        string fresh = project.GetProperty("api_token").GetString()!;
        for (int i = 0; i < 2; i++) Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(i, fresh));
    }

    [Fact]
    public async Task One_thread_can_be_made_to_wait_while_the_others_go_on()
    {
        await using var trio = await Trio.StartAsync(engine, testBuild: true);
        trio[0].Arm("looked-up", StopPoints.Wait);
        var waiting = trio.PostAsync(0, GatewayProcess.ProjectToken);
        await trio[0].WaitUntilStoppedAsync("looked-up");

        string fresh = await trio.RegenerateAsync(0);
        Assert.Equal(HttpStatusCode.OK, await trio.PostAsync(0, fresh));
        Assert.False(waiting.IsCompleted);

        trio[0].Release("looked-up");
        Assert.Equal(HttpStatusCode.Unauthorized, await waiting);
    }

    private static async Task<string> RegenerateInTimeAsync(Trio trio, int gateway)
    {
        long started = Stopwatch.GetTimestamp();
        string fresh = await trio.RegenerateAsync(gateway);
        Assert.True(Stopwatch.GetElapsedTime(started) < Patience, $"{Stopwatch.GetElapsedTime(started)}");
        return fresh;
    }
}
