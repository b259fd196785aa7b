using Gateway.Core.Ledger;
using Gateway.Core.Tenancy.Access;

namespace Gateway.Core.Tests.Tenancy;

public sealed class RevokedTokensOnSqliteTests() : RevokedTokensTests(onPostgres: false);

public sealed class RevokedTokensOnPostgresTests() : RevokedTokensTests(onPostgres: true);

public abstract class RevokedTokensTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    [Fact]
    public async Task Old_tokens_are_found_with_their_project_and_nothing_else_is()
    {
        await using var plane = await OpenAsync("imported-token");
        var first = await ResetAsync(plane, GivenKey);
        var second = await ResetAsync(plane, GivenKey);
        ulong project = (await EnterAsync(plane, GivenKey, "@current", Scopes.ProjectRead)).Value.ProjectId;

        var found = await plane.RevokedTokens.FindAsync(
            ["imported-token", first.Value.Token, second.Value.Token, "never-one", "' OR 1=1 --"], default);

        Assert.Equal(
            new Dictionary<string, ulong> { ["imported-token"] = project, [first.Value.Token] = project }, found);
    }

    [Fact]
    public async Task As_many_as_can_be_held_back_are_asked_for_at_once()
    {
        await using var plane = await OpenAsync("imported-token");
        await ResetAsync(plane, GivenKey);

        var tokens = Enumerable.Range(0, HealthRecorder.MaxTokens - 1).Select(i => $"token-{i}");
        var found = await plane.RevokedTokens.FindAsync([.. tokens, "imported-token"], default);

        Assert.Equal("imported-token", Assert.Single(found!).Key);
    }

    [Fact]
    public async Task Of_a_deleted_project_none_is_found()
    {
        await using var plane = await OpenAsync("imported-token");
        await ResetAsync(plane, GivenKey);
        Sql("UPDATE projects SET deleted_at = 1");

        Assert.Empty((await plane.RevokedTokens.FindAsync(["imported-token"], default))!);
    }

    [Fact]
    public async Task A_database_that_cannot_be_read_says_nothing()
    {
        await using var plane = await OpenAsync("imported-token");
        await ResetAsync(plane, GivenKey);
        Sql("ALTER TABLE project_tokens RENAME TO gone");

        Assert.Null(await plane.RevokedTokens.FindAsync(["imported-token"], default));
    }
}
