using System.Globalization;
using System.Text;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class SiloRulesOnSqliteTests() : SiloRuleTests(onPostgres: false);

public sealed class SiloRulesOnPostgresTests() : SiloRuleTests(onPostgres: true);

/// <summary>Rules of imports, plans, keys, moves and repeated regenerations, one by one.</summary>
public abstract class SiloRuleTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private const string Current = "@current";
    private const string Told = "SELECT COUNT(*) FROM audit_log WHERE organization_id = ";
    private const string OtherKey = "phx_other_key_0123456789abcdef";

    private static readonly Caller Owner = Caller.OfKey(GivenKey);
    private static readonly Caller Other = Caller.OfKey(OtherKey);

    [Fact]
    public async Task An_imported_token_is_taken_at_capture_at_once()
    {
        await using var plane = await OpenAsync();

        var made = await CreateAsync(plane, "in-the-field");

        // As capture does: what is not known is believed only when the fence has not moved.
        plane.Tokens.TryCheck("in-the-field"u8, out var lookup);
        if ((await plane.Fence.AskAsync(lookup.Version, default)).Verdict == FenceVerdict.Moved)
            plane.Tokens.TryCheck("in-the-field"u8, out lookup);
        Assert.Equal((TokenState.Live, made.Value.ProjectId), (lookup.State, lookup.Entry!.ProjectId));
        Assert.Equal("in-the-field", made.Value.ApiToken);
    }

    [Fact]
    public async Task A_token_that_looks_like_ours_with_a_wrong_mac_is_not_imported()
    {
        await using var plane = await OpenAsync();
        string strange = new TokenFormat(new byte[TokenFormat.SecretBytes]).NewProjectToken();

        Assert.Equal(
            (RefusalKind.Invalid, "api_token"), Why((await CreateAsync(plane, strange)).Refusal));
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM projects"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("with blank")]
    [InlineData("ünicode")]
    [InlineData("phx_personal_keys_are_secret")]
    [InlineData("12345678901234567890123456789012345678901234567890123456789012345")]
    public async Task A_text_that_cannot_be_a_token_is_not_imported(string token)
    {
        await using var plane = await OpenAsync();

        Assert.Equal((RefusalKind.Invalid, "api_token"), Why((await CreateAsync(plane, token)).Refusal));
    }

    [Fact]
    public async Task A_token_is_never_used_again_though_its_project_is_deleted_or_has_another()
    {
        await using var plane = await OpenAsync();
        var first = await CreateAsync(plane, "deleted-with-it");
        await plane.Projects.DeleteAsync(Owner, IdOf(first.Value), default);
        var second = await CreateAsync(plane, "regenerated");
        string made = second.Value.ApiToken!;
        await plane.Projects.ResetTokenAsync(Owner, IdOf(second.Value), null, default);
        string own = (await ResetAsync(plane, GivenKey)).Value.Token;

        foreach (string token in new[] { "deleted-with-it", "regenerated", made, own })
            Assert.Equal((RefusalKind.Invalid, "api_token"), Why((await CreateAsync(plane, token)).Refusal));

        Assert.True((await CreateAsync(plane, "another")).Value.ProjectId > second.Value.ProjectId);
    }

    [Fact]
    public async Task The_free_plan_has_room_for_one_project()
    {
        await using var plane = await OpenAsync();
        Sql("UPDATE organizations SET plan = 'free'");

        var refused = await CreateAsync(plane, null);
        await plane.Projects.DeleteAsync(Owner, "1", default);
        var made = await CreateAsync(plane, null);

        Assert.Equal((RefusalKind.Forbidden, "project_limit_reached"), (refused.Refusal!.Kind, refused.Refusal.Code));
        Assert.Null(made.Refusal);
    }

    [Fact]
    public async Task A_user_has_ten_keys_at_most_also_when_they_are_asked_for_at_once()
    {
        await using var plane = await OpenAsync();

        var made = await Task.WhenAll(Enumerable.Range(0, 15).Select(_ => Task.Run(
            () => plane.Keys.CreateAsync(Owner, new NewKey("K", ["query:read"], [], []), default))));
        var list = (await plane.Keys.ListAsync(Owner, default)).Value;
        var revoked = await plane.Keys.RevokeAsync(Owner, $"{list[^1].Id}", default);
        var again = await plane.Keys.CreateAsync(Owner, new NewKey("K", ["query:read"], [], []), default);

        Assert.Equal(Keys.MostOfUser - 1, made.Count(key => key.Refusal is null));
        Assert.All(
            made.Where(key => key.Refusal is not null),
            key => Assert.Equal("key_limit_reached", key.Refusal!.Code));
        Assert.Equal(Keys.MostOfUser, list.Count);
        Assert.Null(revoked.Refusal);
        Assert.Null(again.Refusal);
    }

    [Theory]
    [InlineData("query:write")]
    [InlineData("* ")]
    [InlineData("")]
    public async Task A_key_has_known_scopes_only(string scope)
    {
        await using var plane = await OpenAsync();

        var made = await plane.Keys.CreateAsync(Owner, new NewKey("K", [scope], [], []), default);

        Assert.Equal((RefusalKind.Invalid, "scopes"), Why(made.Refusal));
    }

    [Fact]
    public async Task A_key_is_kept_as_its_hash_and_its_old_text_ends_when_it_is_rolled()
    {
        await using var plane = await OpenAsync();
        var key = (await plane.Keys.CreateAsync(Owner, new NewKey("K", ["*"], [], []), default)).Value;
        var rolled = (await plane.Keys.RollAsync(Owner, $"{key.Id}", default)).Value;

        Assert.Equal(RefusalKind.Unauthenticated, (await EnterAsync(plane, key.Value)).Refusal?.Kind);
        Assert.Null((await EnterAsync(plane, rolled.Value)).Refusal);
        Assert.Equal(1, Sql(
            $"SELECT COUNT(*) FROM personal_api_keys WHERE sha256 = '{TokenFormat.Sha256Of(rolled.Value!)}'"));
        Assert.All((await plane.Keys.ListAsync(Owner, default)).Value, shown => Assert.Null(shown.Value));

        await plane.Keys.RevokeAsync(Owner, $"{key.Id}", default);
        Assert.Equal(RefusalKind.Unauthenticated, (await EnterAsync(plane, rolled.Value)).Refusal?.Kind);
    }

    [Fact]
    public async Task A_move_is_judged_by_where_it_comes_from_and_goes_to()
    {
        await using var plane = await OpenTwoAsync();
        string target = await TargetAsync(plane);
        string here = (await plane.Organizations.ReadAsync(Owner, Current, default)).Value.Id.ToString();
        string elsewhere = "00000000-0000-4000-8000-000000000000";

        Assert.Equal(
            (RefusalKind.Invalid, "organization_id", "last_project"), await MoveAsync(plane, Owner, "1", target));
        await CreateAsync(plane, null);
        Assert.Equal(
            (RefusalKind.Invalid, "organization_id", "invalid_input"), await MoveAsync(plane, Owner, "1", here));
        Assert.Equal(
            (RefusalKind.Invalid, "organization_id", "invalid_input"), await MoveAsync(plane, Owner, "1", elsewhere));
        Sql("UPDATE memberships SET level = 1 WHERE user_id = 1 AND organization_id = 1");
        Assert.Equal((RefusalKind.Forbidden, null, "permission_denied"), await MoveAsync(plane, Owner, "1", target));
        Sql("UPDATE memberships SET level = 8 WHERE user_id = 1 AND organization_id = 1");
        Sql("DELETE FROM memberships WHERE user_id = 1 AND organization_id = 2");
        Assert.Equal(
            (RefusalKind.Invalid, "organization_id", "invalid_input"), await MoveAsync(plane, Owner, "1", target));
        Sql("INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (2, 1, 1, 0)");
        Sql("UPDATE organizations SET plan = 'free' WHERE id = 2");
        Assert.Equal(
            (RefusalKind.Forbidden, null, "project_limit_reached"), await MoveAsync(plane, Owner, "1", target));
        Assert.Equal(2, Sql("SELECT COUNT(*) FROM projects WHERE organization_id = 1"));

        Sql("UPDATE organizations SET plan = 'unlimited' WHERE id = 2");
        Assert.Null(await MoveAsync(plane, Owner, "1", target));
        Assert.Equal(2, Sql("SELECT organization_id FROM projects WHERE id = 1"));
    }

    [Fact]
    public async Task A_dry_run_tells_what_a_move_does_and_changes_nothing()
    {
        await using var plane = await OpenTwoAsync();
        string target = await TargetAsync(plane);
        await CreateAsync(plane, null);
        AddUser(3, "leaver@example.com", organization: 1);
        Sql("INSERT INTO project_access (project_id, user_id, level) VALUES (1, 3, 8), (1, 1, 8)");
        string before = Everything();

        var dry = (await plane.Moves.MoveAsync(Owner, "1", target, isDryRun: true, default)).Value;
        string after = Everything();
        var real = (await plane.Moves.MoveAsync(Owner, "1", target, isDryRun: false, default)).Value;

        Assert.Equal(before, after);
        Assert.Equal(["leaver@example.com"], dry.LoseAccess);
        Assert.Equal(["other@example.com"], dry.GainAccess);
        Assert.Equal(dry.LoseAccess, real.LoseAccess);
        Assert.Equal(dry.GainAccess, real.GainAccess);
        Assert.Equal(
            (dry.Project.OrganizationId, dry.Project.ProjectId, dry.Project.ApiToken),
            (real.Project.OrganizationId, real.Project.ProjectId, real.Project.ApiToken));
    }

    [Fact]
    public async Task What_a_project_said_of_somebody_does_not_wait_for_the_day_on_which_they_join()
    {
        await using var plane = await OpenTwoAsync();
        string target = await TargetAsync(plane);
        await CreateAsync(plane, null);
        AddUser(3, "leaver@example.com", organization: 1);
        Sql("UPDATE projects SET default_level = 0 WHERE id = 1");
        Sql("INSERT INTO project_access (project_id, user_id, level) VALUES (1, 3, 8)");

        await plane.Moves.MoveAsync(Owner, "1", target, isDryRun: false, default);
        Assert.Equal(0, Sql("SELECT COUNT(*) FROM project_access WHERE project_id = 1 AND user_id = 3"));
        Sql("INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (2, 3, 1, 0)");

        Assert.Equal(RefusalKind.NotFound, (await EnterAsync(plane, "phx_user_3_0123456789abcdef")).Refusal?.Kind);
    }

    [Fact]
    public async Task A_move_keeps_id_and_token_is_told_to_both_and_cuts_keys_of_the_origin()
    {
        await using var plane = await OpenTwoAsync();
        string target = await TargetAsync(plane);
        await CreateAsync(plane, null);
        string here = (await plane.Organizations.ReadAsync(Owner, Current, default)).Value.Id.ToString();
        var before = (await EnterAsync(plane, GivenKey)).Value;
        string? bound = (await plane.Keys.CreateAsync(Owner, new NewKey("K", ["*"], [here], []), default)).Value.Value;
        AddUser(3, "leaver@example.com", organization: 1);

        Assert.Null((await EnterAsync(plane, bound)).Refusal);
        Assert.Null(await MoveAsync(plane, Owner, "1", target));

        var after = (await EnterAsync(plane, OtherKey)).Value;
        Assert.Equal((before.ApiToken, before.Uuid), (after.ApiToken, after.Uuid));
        var lookup = await plane.Tokens.ResolveAsync(Encoding.ASCII.GetBytes(before.ApiToken!), default);
        Assert.Equal((TokenState.Live, 1UL), (lookup.State, lookup.Entry!.ProjectId));
        Assert.Equal(RefusalKind.NotFound, (await EnterAsync(plane, bound)).Refusal?.Kind);
        Assert.Equal(RefusalKind.NotFound, (await EnterAsync(plane, "phx_user_3_0123456789abcdef")).Refusal?.Kind);
        Assert.Equal(1, Sql(Told + "1 AND action = 'project.moved_away'"));
        Assert.Equal(1, Sql(Told + "2 AND action = 'project.moved_here'"));
    }

    [Fact]
    public async Task A_repeated_regeneration_is_one_token_and_one_epoch_also_at_once()
    {
        await using var plane = await OpenAsync();
        long before = Sql("SELECT value FROM epoch");

        var resets = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => plane.Projects.ResetTokenAsync(Owner, "1", "same", default))));
        var later = await plane.Projects.ResetTokenAsync(Owner, Current, "same", default);

        var all = resets.Append(later).Select(reset => (reset.Value.Token, reset.Value.Epoch, reset.Value.RevokedAt));
        Assert.Single(all.Distinct());
        Assert.Equal(before + 1, Sql("SELECT value FROM epoch"));
        Assert.Equal(before + 1, later.Value.Epoch);
        Assert.Equal(2, Sql("SELECT COUNT(*) FROM project_tokens"));

        var another = await plane.Projects.ResetTokenAsync(Owner, "1", "another", default);
        Assert.NotEqual(later.Value.Token, another.Value.Token);
    }

    [Fact]
    public async Task An_idempotency_key_is_its_users_and_its_projects_for_a_day()
    {
        await using var plane = await OpenAsync();
        var second = (await CreateAsync(plane, null)).Value;
        AddUser(2, "admin@example.com", organization: 1, level: 8);

        string[] tokens =
        [
            (await plane.Projects.ResetTokenAsync(Owner, "1", "key", default)).Value.Token,
            (await plane.Projects.ResetTokenAsync(Owner, IdOf(second), "key", default)).Value.Token,
            (await plane.Projects.ResetTokenAsync(
                Caller.OfKey("phx_user_2_0123456789abcdef"), "1", "key", default)).Value.Token,
        ];
        Time.Now += TimeSpan.FromDays(1) + TimeSpan.FromSeconds(1);
        var later = await plane.Projects.ResetTokenAsync(Owner, "1", "key", default);

        Assert.Equal(4, tokens.Append(later.Value.Token).Distinct().Count());
    }

    private static (RefusalKind Kind, string? Attr) Why(Refusal? refusal) => (refusal!.Kind, refusal.Attr);

    private static string IdOf(ProjectAccess project) => project.ProjectId.ToString(CultureInfo.InvariantCulture);

    private static Task<Outcome<ProjectAccess>> CreateAsync(ControlPlane plane, string? token) =>
        plane.Projects.CreateAsync(Owner, Current, new NewProject("New", token, new ProjectSettings()), default);

    private static Task<Outcome<ProjectAccess>> EnterAsync(ControlPlane plane, string? key) =>
        EnterAsync(plane, key, "1", Scopes.QueryRead);

    private static async Task<(RefusalKind Kind, string? Attr, string Code)?> MoveAsync(
        ControlPlane plane, Caller caller, string project, string target) =>
        (await plane.Moves.MoveAsync(caller, project, target, isDryRun: false, default)).Refusal is { } refusal
            ? (refusal.Kind, refusal.Attr, refusal.Code)
            : null;

    /// <summary>Organization 2 is another's, and the owner of organization 1 is a member of it.</summary>
    private async Task<ControlPlane> OpenTwoAsync()
    {
        var plane = await OpenAsync();
        Sql(
            $"""
            INSERT INTO users (uuid, email, first_name, created_at)
            VALUES ('00000000-0000-4000-8000-0000000000b2', 'other@example.com', 'O', 0);
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
            VALUES (2, '{TokenFormat.Sha256Of(OtherKey)}', '', '', '*', 0)
            """);
        await plane.Organizations.CreateAsync(Other, "Target", default);
        Sql("INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (2, 1, 1, 0)");
        return plane;
    }

    private static async Task<string> TargetAsync(ControlPlane plane) =>
        (await plane.Organizations.ReadAsync(Other, Current, default)).Value.Id.ToString();

    private void AddUser(int id, string email, int organization, int level = 1) => Sql(
        $"""
        INSERT INTO users (uuid, email, first_name, created_at)
        VALUES ('00000000-0000-4000-8000-00000000000{id}', '{email}', 'U', 0);
        INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
        VALUES ({id}, '{TokenFormat.Sha256Of($"phx_user_{id}_0123456789abcdef")}', '', '', '*', 0);
        INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES ({organization}, {id}, {level}, 0)
        """);

    /// <summary>What a move could touch.</summary>
    private string Everything() => string.Join(' ', new[]
    {
        "SELECT value FROM epoch", "SELECT COUNT(*) FROM change_log", "SELECT COUNT(*) FROM audit_log",
        "SELECT MAX(count) FROM audit_heads", "SELECT organization_id FROM projects WHERE id = 1",
        "SELECT COUNT(*) FROM project_access", "SELECT COUNT(*) FROM memberships",
    }.Select(Sql));
}
