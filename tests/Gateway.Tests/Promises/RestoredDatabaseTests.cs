using System.Net;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// The accounts are put back to an older copy, and Redis and gateways remember the line that was lost: the next change
/// is in force when it says so.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class RestoredDatabaseTests(EngineFixture engine)
{
    private const int LostChanges = 3;

    [Fact]
    public async Task Under_gateways_that_run_on_the_next_change_is_in_force_also_for_one_that_slept()
    {
        var trio = await engine.ByRedis.CalmAsync();
        var project = await trio.CreateProjectAsync();
        var (lost, backup) = await LoseSomeAsync(trio, project);

        // It knows the end of the line that is lost, and nothing of what comes now.
        trio[2].Stop();
        backup.Restore();
        await Eventually.HoldsAsync(
            async () => await trio.ReadTokenAsync(0, project.Id) == project.Token,
            TimeSpan.FromSeconds(10), () => "the gateway reads the older copy");

        string fresh = await trio.RegenerateAsync(0, project.Id);
        var late = trio.PostAsync(2, project.Token);
        var lateLost = trio.PostAsync(2, lost[^1]);
        Assert.Equal(HttpStatusCode.Unauthorized, await trio.PostAsync(1, project.Token));
        trio[2].Continue();

        Assert.Equal(HttpStatusCode.Unauthorized, await late);
        Assert.Equal(HttpStatusCode.Unauthorized, await lateLost);
        await AssertOnlyAsync(trio, fresh, [project.Token, .. lost]);
        await AssertGoesOnAsync(trio, project, fresh);
    }

    [Fact]
    public async Task Under_gateways_that_start_again_the_next_change_is_in_force_although_Redis_was_ahead()
    {
        var trio = await engine.ByRedis.CalmAsync();
        var project = await trio.CreateProjectAsync();
        var (lost, backup) = await LoseSomeAsync(trio, project);
        for (int i = 0; i < Trio.Size; i++) await trio[i].KillAsync();
        backup.Restore();
        await Task.WhenAll(Enumerable.Range(0, Trio.Size).Select(trio.RestartAsync));

        await AssertOnlyAsync(trio, project.Token, lost);
        string fresh = await trio.RegenerateAsync(0, project.Id);
        await AssertOnlyAsync(trio, fresh, [project.Token, .. lost]);
        await AssertGoesOnAsync(trio, project, fresh);
    }

    /// <summary>Changes after a copy was made of the database, which every gateway has seen.</summary>
    private static async Task<(List<string> Tokens, PostgresBackup Backup)> LoseSomeAsync(
        Trio trio, TrioProject project)
    {
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, project.Token);
        var backup = PostgresBackup.Of(trio.Postgres);
        List<string> lost = [];
        for (int i = 0; i < LostChanges; i++) lost.Add(await trio.RegenerateAsync(i % Trio.Size, project.Id));

        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, lost[^1]);
        return (lost, backup);
    }

    private static async Task AssertGoesOnAsync(Trio trio, TrioProject project, string current)
    {
        await trio.WaitUntilFencedByAsync();
        for (int i = 0; i < Trio.Size; i++)
        {
            string fresh = await trio.RegenerateAsync(i, project.Id);
            await AssertOnlyAsync(trio, fresh, [current]);
            current = fresh;
        }
    }

    private static async Task AssertOnlyAsync(Trio trio, string live, IEnumerable<string> dead)
    {
        foreach (string token in dead) await trio.AssertAllAnswerAsync(HttpStatusCode.Unauthorized, token);
        await trio.AssertAllAnswerAsync(HttpStatusCode.OK, live);
    }
}
