using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class AccessOnSqliteTests() : AccessTests(onPostgres: false);

public sealed class AccessOnPostgresTests() : AccessTests(onPostgres: true);

public abstract class AccessTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private const string StrangerKey = "phx_stranger_key_0123456789abcdef";
    private const string MemberKey = "phx_member_key_0123456789abcdef";
    private const string QueryKey = "phx_query_only_key_0123456789abcdef";
    private const string RevokedKey = "phx_revoked_key_0123456789abcdef";
    private const string UnknownKey = "phx_nobody_ever_made_this_key_01";

    [Theory]
    [InlineData(GivenKey, "1", Scopes.QueryRead, null)]
    [InlineData(GivenKey, "@current", Scopes.ProjectWrite, null)]
    [InlineData(GivenKey, "2", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, "3", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, "999", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, "", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, "-1", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, " 1", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, "1 OR 1=1", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(GivenKey, "99999999999999999999999", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(StrangerKey, "1", Scopes.QueryRead, RefusalKind.NotFound)]
    [InlineData(StrangerKey, "2", Scopes.QueryRead, null)]
    [InlineData(StrangerKey, "@current", Scopes.QueryRead, null)]
    [InlineData(MemberKey, "1", Scopes.QueryRead, null)]
    [InlineData(QueryKey, "1", Scopes.QueryRead, null)]
    [InlineData(QueryKey, "1", Scopes.ProjectRead, RefusalKind.Forbidden)]
    [InlineData(QueryKey, "2", Scopes.ProjectRead, RefusalKind.Forbidden)]
    [InlineData(QueryKey, "999", Scopes.ProjectRead, RefusalKind.Forbidden)]
    [InlineData(RevokedKey, "1", Scopes.QueryRead, RefusalKind.Unauthenticated)]
    [InlineData(UnknownKey, "1", Scopes.QueryRead, RefusalKind.Unauthenticated)]
    [InlineData(null, "1", Scopes.QueryRead, RefusalKind.Unauthenticated)]
    [InlineData("", "1", Scopes.QueryRead, RefusalKind.Unauthenticated)]
    [InlineData("nonsense", "1", Scopes.QueryRead, RefusalKind.Unauthenticated)]
    [InlineData("phx_ünicode_is_no_key_0123456789", "1", Scopes.QueryRead, RefusalKind.Unauthenticated)]
    public async Task A_key_opens_what_its_owner_may_enter(
        string? key, string id, string scope, RefusalKind? expected)
    {
        await using var plane = await OpenPopulatedAsync();

        var access = await EnterAsync(plane, key, id, scope);

        Assert.Equal(expected, access.Refusal?.Kind);
        if (expected is null && id != "@current")
            Assert.Equal(id, access.Value.ProjectId.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task The_answer_does_not_tell_another_organizations_project_from_none()
    {
        await using var plane = await OpenPopulatedAsync();

        var anothers = await EnterAsync(plane, GivenKey, "2", Scopes.QueryRead);
        var none = await EnterAsync(plane, GivenKey, "999", Scopes.QueryRead);

        Assert.NotNull(none.Refusal);
        Assert.Equal(none.Refusal, anothers.Refusal);
    }

    [Fact]
    public async Task A_project_token_used_to_read_is_told_so()
    {
        await using var plane = await OpenAsync(token: "imported-token");
        string made = (await ResetAsync(plane, GivenKey)).Value.Project.ApiToken!;

        var access = await EnterAsync(plane, made, "@current", Scopes.QueryRead);

        Assert.Equal(RefusalKind.Unauthenticated, access.Refusal!.Kind);
        Assert.Contains("A project token can only send events", access.Refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_imported_token_used_to_read_is_told_so()
    {
        await using var plane = await OpenAsync(token: "imported-token");

        var access = await EnterAsync(plane, "imported-token", "@current", Scopes.QueryRead);

        Assert.Contains("A project token can only send events", access.Refusal!.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_revoked_or_an_owner_who_leaves_is_out_with_the_next_request()
    {
        await using var plane = await OpenPopulatedAsync();
        Assert.Null(await StatusAsync(plane, MemberKey));

        Sql("DELETE FROM memberships WHERE user_id = 3");
        Assert.Equal(RefusalKind.NotFound, await StatusAsync(plane, MemberKey));

        Sql("UPDATE personal_api_keys SET revoked_at = 1 WHERE user_id = 3");
        Assert.Equal(RefusalKind.Unauthenticated, await StatusAsync(plane, MemberKey));
    }

    [Fact]
    public async Task A_list_holds_the_callers_projects_only()
    {
        await using var plane = await OpenPopulatedAsync();
        Sql("INSERT INTO projects (id, uuid, organization_id, name, created_at) VALUES "
            + "(4, '00000000-0000-0000-0000-000000000004', 1, 'Another of ours', 0)");

        var ours = await plane.Projects.ListAsync(CallerOf(GivenKey), default);
        var theirs = await plane.Projects.ListAsync(CallerOf(StrangerKey), default);
        var forbidden = await plane.Projects.ListAsync(CallerOf(QueryKey), default);

        Assert.Equal([1, 4], ours.Value.Select(project => project.ProjectId));
        Assert.Equal([2], theirs.Value.Select(project => project.ProjectId));
        Assert.Equal(RefusalKind.Forbidden, forbidden.Refusal!.Kind);
    }

    [Theory]
    [InlineData(GivenKey, "1", null)]
    [InlineData(MemberKey, "1", RefusalKind.Forbidden)]
    [InlineData(QueryKey, "1", RefusalKind.Forbidden)]
    [InlineData(StrangerKey, "1", RefusalKind.NotFound)]
    [InlineData(UnknownKey, "1", RefusalKind.Unauthenticated)]
    public async Task Only_an_admin_with_the_scope_regenerates(string key, string id, RefusalKind? expected)
    {
        await using var plane = await OpenPopulatedAsync();
        long before = Sql("SELECT value FROM epoch");

        var reset = await ResetAsync(plane, key, id);

        Assert.Equal(expected, reset.Refusal?.Kind);
        Assert.Equal(before + (expected is null ? 1 : 0), Sql("SELECT value FROM epoch"));
    }

    [Theory]
    [InlineData("*", Scopes.ProjectWrite, true)]
    [InlineData("query:read project:read", Scopes.ProjectRead, true)]
    [InlineData("project:write", Scopes.ProjectRead, true)]
    [InlineData("project:read", Scopes.ProjectWrite, false)]
    [InlineData("query:read", Scopes.ProjectRead, false)]
    [InlineData("query:readx", Scopes.QueryRead, false)]
    [InlineData("", Scopes.QueryRead, false)]
    public void Scopes_hold_themselves_and_to_write_is_to_read(string scopes, string wanted, bool holds) =>
        Assert.Equal(holds, Scopes.Hold(scopes, wanted));

    [Fact]
    public async Task The_last_use_of_a_key_is_written_down_once_a_minute()
    {
        await using var plane = await OpenPopulatedAsync();
        const string LastUsed = "SELECT last_used_at FROM personal_api_keys WHERE id = 1";

        await StatusAsync(plane, GivenKey);
        long first = Sql(LastUsed);
        Time.Now += TimeSpan.FromSeconds(59);
        await StatusAsync(plane, GivenKey);
        Assert.Equal(first, Sql(LastUsed));

        Time.Now += TimeSpan.FromSeconds(2);
        await StatusAsync(plane, GivenKey);
        Assert.Equal(first + 61_000_000, Sql(LastUsed));
    }

    private static async Task<RefusalKind?> StatusAsync(ControlPlane plane, string key) =>
        (await EnterAsync(plane, key, "1", Scopes.QueryRead)).Refusal?.Kind;

    /// <summary>Project 1 is ours, 2 a stranger's, 3 was ours and is deleted; user 3 is a member of ours.</summary>
    private async Task<ControlPlane> OpenPopulatedAsync()
    {
        var plane = await OpenAsync();
        Sql(
            $"""
            INSERT INTO organizations (uuid, name, created_at)
            VALUES ('00000000-0000-0000-0000-00000000000a', 'Strangers', 0);
            INSERT INTO users (uuid, email, first_name, created_at)
            VALUES ('00000000-0000-0000-0000-0000000000b2', 'stranger@x', 'S', 0),
                   ('00000000-0000-0000-0000-0000000000b3', 'member@x', 'M', 0);
            INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (2, 2, 15, 0), (1, 3, 1, 0);
            INSERT INTO projects (id, uuid, organization_id, name, created_at, deleted_at)
            VALUES (2, '00000000-0000-0000-0000-000000000002', 2, 'Theirs', 0, NULL),
                   (3, '00000000-0000-0000-0000-000000000003', 1, 'Deleted', 0, 1);
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at, revoked_at)
            VALUES (2, '{TokenFormat.Sha256Of(StrangerKey)}', '', '', '*', 0, NULL),
                   (3, '{TokenFormat.Sha256Of(MemberKey)}', '', '', '*', 0, NULL),
                   (1, '{TokenFormat.Sha256Of(QueryKey)}', '', '', 'query:read', 0, NULL),
                   (1, '{TokenFormat.Sha256Of(RevokedKey)}', '', '', '*', 0, 1);
            """);
        return plane;
    }
}
