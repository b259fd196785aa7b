using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class AccessTests : ControlPlaneFixture
{
    private const string StrangerKey = "phx_stranger_key_0123456789abcdef";
    private const string MemberKey = "phx_member_key_0123456789abcdef";
    private const string QueryKey = "phx_query_only_key_0123456789abcdef";
    private const string RevokedKey = "phx_revoked_key_0123456789abcdef";
    private const string UnknownKey = "phx_nobody_ever_made_this_key_01";

    [Theory]
    [InlineData(GivenKey, "1", Scopes.QueryRead, AccessStatus.Granted)]
    [InlineData(GivenKey, "@current", Scopes.ProjectWrite, AccessStatus.Granted)]
    [InlineData(GivenKey, "2", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, "3", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, "999", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, "", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, "-1", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, " 1", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, "1 OR 1=1", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(GivenKey, "99999999999999999999999", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(StrangerKey, "1", Scopes.QueryRead, AccessStatus.NotFound)]
    [InlineData(StrangerKey, "2", Scopes.QueryRead, AccessStatus.Granted)]
    [InlineData(StrangerKey, "@current", Scopes.QueryRead, AccessStatus.Granted)]
    [InlineData(MemberKey, "1", Scopes.QueryRead, AccessStatus.Granted)]
    [InlineData(QueryKey, "1", Scopes.QueryRead, AccessStatus.Granted)]
    [InlineData(QueryKey, "1", Scopes.ProjectRead, AccessStatus.Forbidden)]
    [InlineData(QueryKey, "2", Scopes.ProjectRead, AccessStatus.Forbidden)]
    [InlineData(QueryKey, "999", Scopes.ProjectRead, AccessStatus.Forbidden)]
    [InlineData(RevokedKey, "1", Scopes.QueryRead, AccessStatus.Unauthenticated)]
    [InlineData(UnknownKey, "1", Scopes.QueryRead, AccessStatus.Unauthenticated)]
    [InlineData(null, "1", Scopes.QueryRead, AccessStatus.Unauthenticated)]
    [InlineData("", "1", Scopes.QueryRead, AccessStatus.Unauthenticated)]
    [InlineData("nonsense", "1", Scopes.QueryRead, AccessStatus.Unauthenticated)]
    [InlineData("phx_ünicode_is_no_key_0123456789", "1", Scopes.QueryRead, AccessStatus.Unauthenticated)]
    public async Task A_key_opens_what_its_owner_may_enter(
        string? key, string id, string scope, AccessStatus expected)
    {
        await using var plane = await OpenPopulatedAsync();

        var access = await plane.AuthorizeAsync(key, id, scope, default);

        Assert.Equal(expected, access.Status);
        Assert.Equal(expected == AccessStatus.Granted, access.Project is not null);
        if (access.Project is not null && id != "@current")
            Assert.Equal(id, access.Project.ProjectId.ToString(System.Globalization.CultureInfo.InvariantCulture));
    }

    [Fact]
    public async Task The_answer_does_not_tell_another_organizations_project_from_none()
    {
        await using var plane = await OpenPopulatedAsync();

        var anothers = await plane.AuthorizeAsync(GivenKey, "2", Scopes.QueryRead, default);
        var none = await plane.AuthorizeAsync(GivenKey, "999", Scopes.QueryRead, default);

        Assert.Equal(none, anothers);
    }

    [Fact]
    public async Task A_project_token_used_to_read_is_told_so()
    {
        await using var plane = await OpenAsync(token: "imported-token");
        string made = (await plane.ResetTokenAsync(GivenKey, "@current", default)).Access.Project!.ApiToken!;

        var access = await plane.AuthorizeAsync(made, "@current", Scopes.QueryRead, default);

        Assert.Equal(AccessStatus.Unauthenticated, access.Status);
        Assert.Contains("A project token can only send events", access.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_imported_token_used_to_read_is_told_so()
    {
        await using var plane = await OpenAsync(token: "imported-token");

        var access = await plane.AuthorizeAsync("imported-token", "@current", Scopes.QueryRead, default);

        Assert.Contains("A project token can only send events", access.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_key_that_is_revoked_or_an_owner_who_leaves_is_out_with_the_next_request()
    {
        await using var plane = await OpenPopulatedAsync();
        Assert.Equal(AccessStatus.Granted, await StatusAsync(plane, MemberKey));

        Sql("DELETE FROM memberships WHERE user_id = 3");
        Assert.Equal(AccessStatus.NotFound, await StatusAsync(plane, MemberKey));

        Sql("UPDATE personal_api_keys SET revoked_at = 1 WHERE user_id = 3");
        Assert.Equal(AccessStatus.Unauthenticated, await StatusAsync(plane, MemberKey));
    }

    [Fact]
    public async Task A_list_holds_the_callers_projects_only()
    {
        await using var plane = await OpenPopulatedAsync();
        Sql("INSERT INTO projects (uuid, organization_id, name, created_at) VALUES "
            + "('00000000-0000-0000-0000-000000000004', 1, 'Another of ours', 0)");

        var ours = await plane.ListProjectsAsync(GivenKey, default);
        var theirs = await plane.ListProjectsAsync(StrangerKey, default);
        var forbidden = await plane.ListProjectsAsync(QueryKey, default);

        Assert.Equal([1, 4], ours.Projects.Select(project => project.ProjectId));
        Assert.Equal([2], theirs.Projects.Select(project => project.ProjectId));
        Assert.Equal((AccessStatus.Forbidden, 0), (forbidden.Access.Status, forbidden.Projects.Count));
    }

    [Theory]
    [InlineData(GivenKey, "1", AccessStatus.Granted)]
    [InlineData(MemberKey, "1", AccessStatus.Forbidden)]
    [InlineData(QueryKey, "1", AccessStatus.Forbidden)]
    [InlineData(StrangerKey, "1", AccessStatus.NotFound)]
    [InlineData(UnknownKey, "1", AccessStatus.Unauthenticated)]
    public async Task Only_an_admin_with_the_scope_regenerates(string key, string id, AccessStatus expected)
    {
        await using var plane = await OpenPopulatedAsync();
        long before = Sql("SELECT value FROM epoch");

        var reset = await plane.ResetTokenAsync(key, id, default);

        Assert.Equal(expected, reset.Access.Status);
        Assert.Equal(before + (expected == AccessStatus.Granted ? 1 : 0), Sql("SELECT value FROM epoch"));
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

    private static async Task<AccessStatus> StatusAsync(ControlPlane plane, string key) =>
        (await plane.AuthorizeAsync(key, "1", Scopes.QueryRead, default)).Status;

    /// <summary>Project 1 is ours, 2 a stranger's, 3 was ours and is deleted; user 3 is a member of ours.</summary>
    private async Task<ControlPlane> OpenPopulatedAsync()
    {
        var plane = await OpenAsync();
        Sql(
            $"""
            INSERT INTO organizations (uuid, name, created_at)
            VALUES ('00000000-0000-0000-0000-00000000000a', 'Strangers', 0);
            INSERT INTO users (uuid, email, first_name, created_at)
            VALUES ('u2', 'stranger@x', 'S', 0), ('u3', 'member@x', 'M', 0);
            INSERT INTO memberships VALUES (2, 2, 15, 0), (1, 3, 1, 0);
            INSERT INTO projects (uuid, organization_id, name, created_at, deleted_at)
            VALUES ('00000000-0000-0000-0000-000000000002', 2, 'Theirs', 0, NULL),
                   ('00000000-0000-0000-0000-000000000003', 1, 'Deleted', 0, 1);
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at, revoked_at)
            VALUES (2, '{TokenFormat.Sha256Of(StrangerKey)}', '', '', '*', 0, NULL),
                   (3, '{TokenFormat.Sha256Of(MemberKey)}', '', '', '*', 0, NULL),
                   (1, '{TokenFormat.Sha256Of(QueryKey)}', '', '', 'query:read', 0, NULL),
                   (1, '{TokenFormat.Sha256Of(RevokedKey)}', '', '', '*', 0, 1);
            """);
        return plane;
    }
}
