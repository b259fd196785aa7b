using System.Globalization;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class SiloEndingsOnSqliteTests() : SiloEndingTests(onPostgres: false);

public sealed class SiloEndingsOnPostgresTests() : SiloEndingTests(onPostgres: true);

/// <summary>What ends together with what, and what a request that is sent again must not end.</summary>
public abstract class SiloEndingTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private const string Current = "@current";

    private static readonly Caller Owner = Caller.OfKey(GivenKey);

    [Fact]
    public async Task What_is_deleted_or_moved_is_named_by_its_own_id()
    {
        await using var plane = await OpenAsync();
        await CreateAsync(plane);
        string other = (await plane.Organizations.CreateAsync(Owner, "Other", default)).Value.Id.ToString();

        Assert.Equal("id", (await plane.Projects.DeleteAsync(Owner, Current, default)).Refusal!.Attr);
        Assert.Equal("id", (await plane.Organizations.DeleteAsync(Owner, Current, default)).Refusal!.Attr);
        Assert.Equal("id", (await plane.Moves.MoveAsync(Owner, Current, other, false, default)).Refusal!.Attr);
        Assert.Equal(0, Sql("SELECT COUNT(*) FROM projects WHERE deleted_at IS NOT NULL"));
    }

    [Fact]
    public async Task A_change_by_what_was_current_does_not_fall_on_the_next_one()
    {
        await using var plane = await OpenAsync();
        var next = (await CreateAsync(plane)).Value;
        await plane.Projects.DeleteAsync(Owner, "1", default);

        Assert.Equal(RefusalKind.NotFound, (await ResetAsync(plane, GivenKey)).Refusal!.Kind);
        Assert.Equal(RefusalKind.NotFound, (await plane.Projects.UpdateAsync(
            Owner, Current, "Renamed", new ProjectSettings(), default)).Refusal!.Kind);
        Assert.Equal(next.ProjectId, (await EnterAsync(plane, GivenKey, Current, Scopes.QueryRead)).Value.ProjectId);
    }

    [Fact]
    public async Task An_invite_ends_with_the_key_that_made_it()
    {
        await using var plane = await OpenAsync();
        foreach (bool isRolled in new[] { true, false })
        {
            var key = (await plane.Keys.CreateAsync(
                Owner, new NewKey("stolen", [Scopes.OrganizationWrite], [], []), default)).Value;
            string secret = await InviteAsync(plane, Caller.OfKey(key.Value!), MemberLevel.Owner);
            string kept = await InviteAsync(plane, Owner, MemberLevel.Member, "kept@example.com");

            string id = key.Id.ToString(CultureInfo.InvariantCulture);
            if (isRolled) await plane.Keys.RollAsync(Owner, id, default);
            else await plane.Keys.RevokeAsync(Owner, id, default);

            Assert.NotNull((await plane.SignUps.ReadInviteAsync(secret, default)).Refusal);
            Assert.Null((await plane.SignUps.ReadInviteAsync(kept, default)).Refusal);
        }

        Assert.Equal(2, Sql("SELECT COUNT(*) FROM audit_log WHERE action = 'invite.withdrawn' AND detail LIKE '%who@%'"));
    }

    [Theory]
    [InlineData(MemberLevel.Member)]
    [InlineData(MemberLevel.Admin)]
    [InlineData(null)]
    public async Task An_invite_ends_for_good_with_the_level_that_made_it(MemberLevel? left)
    {
        await using var plane = await OpenAsync();
        var (inviter, uuid) = AddUser(2, 15);
        string secret = await InviteAsync(plane, inviter, MemberLevel.Owner);

        if (left is { } level) await plane.Members.ChangeLevelAsync(Owner, Current, uuid, level, default);
        else await plane.Members.RemoveAsync(Owner, Current, uuid, default);
        Assert.NotNull((await plane.SignUps.ReadInviteAsync(secret, default)).Refusal);

        if (left is not null) await plane.Members.ChangeLevelAsync(Owner, Current, uuid, MemberLevel.Owner, default);
        Assert.NotNull((await plane.SignUps.ReadInviteAsync(secret, default)).Refusal);
        Assert.Empty((await plane.Invites.ListAsync(Owner, Current, default)).Value);
    }

    [Fact]
    public async Task An_admin_takes_no_invite_back_that_only_an_owner_could_make()
    {
        await using var plane = await OpenAsync();
        var (admin, _) = AddUser(2, 8);
        string secret = await InviteAsync(plane, Owner, MemberLevel.Owner);
        string uuid = (await plane.Invites.ListAsync(Owner, Current, default)).Value.Single().Uuid;

        var again = await plane.Invites.CreateAsync(admin, Current, "who@example.com", MemberLevel.Member, default);
        var withdrawn = await plane.Invites.WithdrawAsync(admin, Current, uuid, default);

        Assert.Equal(RefusalKind.Forbidden, again.Refusal!.Kind);
        Assert.Equal(RefusalKind.Forbidden, withdrawn.Refusal!.Kind);
        Assert.Null((await plane.SignUps.ReadInviteAsync(secret, default)).Refusal);
    }

    [Fact]
    public async Task A_key_is_told_of_only_where_it_leads()
    {
        await using var plane = await OpenAsync();
        await plane.Organizations.CreateAsync(Owner, "Customer", default);

        await plane.Keys.CreateAsync(Owner, new NewKey("bound", ["query:read"], [], ["1"]), default);
        await plane.Keys.CreateAsync(Owner, new NewKey("free", ["query:read"], [], []), default);

        const string Told = "SELECT COUNT(*) FROM audit_log WHERE action = 'key.created' AND organization_id = ";
        Assert.Equal((2, 1), (Sql(Told + 1), Sql(Told + 2)));
    }

    [Fact]
    public async Task A_deleted_organization_is_closed_but_its_log_and_its_erasing_can_be_read()
    {
        await using var plane = await OpenAsync();
        string id = (await plane.Organizations.ReadAsync(Owner, Current, default)).Value.Id.ToString();
        await plane.Organizations.DeleteAsync(Owner, id, default);

        Assert.NotNull((await plane.Organizations.ReadAsync(Owner, id, default)).Refusal);
        Assert.Empty((await plane.Organizations.ListAsync(Owner, default)).Value);
        Assert.NotNull((await plane.Members.ListAsync(Owner, id, default)).Refusal);
        Assert.NotNull((await EnterAsync(plane, GivenKey, "1", Scopes.QueryRead)).Refusal);

        var page = await plane.AuditLog.ReadAsync(Owner, id, null, 10, default);
        Assert.Equal("organization.deleted", page.Value.Rows[0].Action);
        Assert.Null((await plane.AuditLog.CheckAsync(Owner, id, null, default)).Value.FirstBad);
        Assert.Single((await plane.Projects.ListDeletedAsync(Owner, id, default)).Value);
    }

    [Fact]
    public async Task The_last_use_of_a_key_is_written_down_whatever_it_was_used_for()
    {
        await using var plane = await OpenAsync();
        await plane.Members.ListAsync(Owner, Current, default);
        Assert.True(Sql("SELECT last_used_at FROM personal_api_keys") > 0);

        Sql("UPDATE personal_api_keys SET last_used_at = NULL");
        await plane.Organizations.RenameAsync(Owner, Current, "Renamed", default);
        Assert.True(Sql("SELECT last_used_at FROM personal_api_keys") > 0);
    }

    [Fact]
    public async Task A_regeneration_that_was_followed_by_another_is_not_answered_with_a_dead_token()
    {
        await using var plane = await OpenAsync();
        await plane.Projects.ResetTokenAsync(Owner, "1", "key", default);
        await plane.Projects.ResetTokenAsync(Owner, "1", null, default);

        var again = await plane.Projects.ResetTokenAsync(Owner, "1", "key", default);

        Assert.Equal((RefusalKind.Invalid, "Idempotency-Key"), (again.Refusal!.Kind, again.Refusal.Attr));
    }

    [Fact]
    public async Task A_change_of_nothing_leaves_no_trace()
    {
        await using var plane = await OpenAsync();
        long epoch = Sql("SELECT value FROM epoch");
        long rows = Sql("SELECT COUNT(*) FROM audit_log");

        Assert.Null((await plane.Projects.UpdateAsync(Owner, "1", null, new ProjectSettings(), default)).Refusal);

        Assert.Equal((epoch, rows), (Sql("SELECT value FROM epoch"), Sql("SELECT COUNT(*) FROM audit_log")));
    }

    private static Task<Outcome<ProjectAccess>> CreateAsync(ControlPlane plane) =>
        plane.Projects.CreateAsync(Owner, Current, new NewProject("New", null, new ProjectSettings()), default);

    private static async Task<string> InviteAsync(
        ControlPlane plane, Caller by, MemberLevel level, string email = "who@example.com") =>
        (await plane.Invites.CreateAsync(by, Current, email, level, default)).Value.Secret!;

    private (Caller Caller, string Uuid) AddUser(int id, int level)
    {
        string uuid = $"00000000-0000-4000-8000-00000000000{id}";
        string key = $"phx_user_{id}_0123456789abcdef";
        Sql(
            $"""
            INSERT INTO users (uuid, email, first_name, created_at) VALUES ('{uuid}', '{id}@example.com', 'U', 0);
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
            VALUES ({id}, '{TokenFormat.Sha256Of(key)}', '', '', '*', 0);
            INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (1, {id}, {level}, 0)
            """);
        return (Caller.OfKey(key), uuid);
    }
}
