using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;

namespace Gateway.Core.Tests.Tenancy;

public sealed class UsersTests : ControlPlaneFixture
{
    private const string Hash = "hash of the owner's password";
    private const string Owner = "owner@localhost";

    [Fact]
    public async Task The_first_password_is_given_while_nobody_has_one()
    {
        await using var plane = await OpenAsync();
        Assert.True(await plane.Users.HasNoPasswordAsync(default));

        var given = await plane.Users.GiveFirstPasswordAsync(Hash, "me@example.org", default);
        var again = await plane.Users.GiveFirstPasswordAsync("another", null, default);

        Assert.Equal("me@example.org", given.Value);
        Assert.Equal(RefusalKind.Forbidden, again.Refusal!.Kind);
        Assert.False(await plane.Users.HasNoPasswordAsync(default));
        Assert.Equal(Hash, (await plane.Users.FindCredentialsAsync("me@example.org", default))!.Hash);
    }

    [Fact]
    public async Task A_session_is_its_user_until_it_is_closed_or_over()
    {
        await using var plane = await OpenWithOwnerAsync();
        var first = await SignInAsync(plane);
        var second = await SignInAsync(plane);
        Assert.Equal(0, Sql($"SELECT COUNT(*) FROM sessions WHERE sha256 = '{first.Id}'"));
        Assert.Equal(Owner, (await ReadAsync(plane, first)).Value.Actor.Email);

        long before = Sql("SELECT value FROM epoch");
        Assert.Null((await plane.Sessions.CloseAsync(Caller.OfSession(first.Id), default)).Refusal);
        Assert.Equal(before + 1, Sql("SELECT value FROM epoch"));
        Assert.Equal(RefusalKind.Unauthenticated, (await ReadAsync(plane, first)).Refusal!.Kind);
        Assert.NotNull((await plane.Sessions.CloseAsync(Caller.OfSession(first.Id), default)).Refusal);

        Time.Now += Sessions.Lifetime - TimeSpan.FromSeconds(1);
        Assert.Null((await ReadAsync(plane, second)).Refusal);
        Time.Now += TimeSpan.FromSeconds(1);
        Assert.Equal(RefusalKind.Unauthenticated, (await ReadAsync(plane, second)).Refusal!.Kind);

        await SignInAsync(plane);
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM sessions"));
    }

    [Fact]
    public async Task A_session_beyond_the_limit_ends_the_oldest()
    {
        await using var plane = await OpenWithOwnerAsync();
        var oldest = await SignInAsync(plane);
        for (int i = 1; i < Sessions.MaxPerUser; i++)
        {
            Time.Now += TimeSpan.FromSeconds(1);
            await SignInAsync(plane);
        }

        Assert.Null((await ReadAsync(plane, oldest)).Refusal);
        Time.Now += TimeSpan.FromSeconds(1);
        await SignInAsync(plane);

        Assert.NotNull((await ReadAsync(plane, oldest)).Refusal);
        Assert.Equal(Sessions.MaxPerUser, Sql("SELECT COUNT(*) FROM sessions"));
    }

    [Fact]
    public async Task A_password_that_was_changed_meanwhile_opens_nothing()
    {
        await using var plane = await OpenWithOwnerAsync();
        var verified = (await plane.Users.FindCredentialsAsync(Owner, default))!;
        Sql("UPDATE users SET password_hash = 'new'");

        Assert.NotNull((await plane.Sessions.OpenAsync(verified, null, default)).Refusal);
        Assert.Equal(0, Sql("SELECT COUNT(*) FROM sessions"));
    }

    [Fact]
    public async Task A_key_reads_with_its_scope_and_changes_no_password()
    {
        await using var plane = await OpenWithOwnerAsync();
        Sql("UPDATE personal_api_keys SET scopes = 'user:read'");
        var key = Caller.OfKey(GivenKey);
        Assert.Equal(Owner, (await plane.Users.ReadAsync(key, default)).Value.Actor.Email);
        Assert.Equal(RefusalKind.Forbidden, (await plane.Users.UpdateAsync(key, new(), default)).Refusal!.Kind);

        Sql("UPDATE personal_api_keys SET scopes = 'query:read'");
        Assert.Equal(RefusalKind.Forbidden, (await plane.Users.ReadAsync(key, default)).Refusal!.Kind);

        Sql("UPDATE personal_api_keys SET scopes = '*'");
        Assert.Equal(RefusalKind.Forbidden, (await plane.Users.FindCredentialsAsync(key, default)).Refusal!.Kind);
        var session = await SignInAsync(plane);
        var known = (await plane.Users.FindCredentialsAsync(Caller.OfSession(session.Id), default)).Value;
        var update = new UserUpdate { Password = new PasswordChange(known, "new") };
        Assert.Equal(RefusalKind.Forbidden, (await plane.Users.UpdateAsync(key, update, default)).Refusal!.Kind);
        Assert.Null((await plane.Users.UpdateAsync(Caller.OfSession(session.Id), update, default)).Refusal);
    }

    [Fact]
    public async Task A_bound_key_sees_only_what_it_is_bound_to()
    {
        await using var plane = await OpenWithOwnerAsync();
        await plane.Organizations.CreateAsync(Caller.OfKey(GivenKey), "Another", default);
        Sql("INSERT INTO key_bindings (key_id, project_id) VALUES (1, 2)");

        var profile = (await plane.Users.ReadAsync(Caller.OfKey(GivenKey), default)).Value;

        Assert.Empty(profile.Organizations);
        Assert.Null(profile.Organization);
        Assert.Equal(2ul, profile.Project!.Id);
    }

    [Fact]
    public async Task Only_what_may_be_entered_can_be_the_current_one()
    {
        await using var plane = await OpenWithOwnerAsync();
        var caller = Caller.OfSession((await SignInAsync(plane)).Id);
        var other = (await plane.Organizations.CreateAsync(caller, "Another", default)).Value;
        Sql("""
            INSERT INTO organizations (uuid, name, created_at)
            VALUES ('00000000-0000-0000-0000-00000000000a', 'Strangers', 0);
            INSERT INTO projects (id, uuid, organization_id, name, created_at)
            VALUES (99, '00000000-0000-0000-0000-000000000099', 3, 'Theirs', 0)
            """);

        var moved = (await plane.Users.UpdateAsync(caller, new() { CurrentOrganization = other.Id }, default)).Value;
        Assert.Equal("Another", moved.Organization!.Name);
        Assert.Equal(2ul, moved.Project!.Id);
        var back = (await plane.Users.UpdateAsync(caller, new() { CurrentProject = 1 }, default)).Value;
        Assert.Equal("Default Organization", back.Organization!.Name);

        var strangers = Guid.Parse("00000000-0000-0000-0000-00000000000a");
        var strange = await plane.Users.UpdateAsync(
            caller, new() { FirstName = "X", CurrentOrganization = strangers }, default);
        var theirs = await plane.Users.UpdateAsync(caller, new() { CurrentProject = 99 }, default);
        Assert.Equal("current_organization", strange.Refusal!.Attr);
        Assert.Equal("current_project", theirs.Refusal!.Attr);
        Assert.Equal("Owner", (await plane.Users.ReadAsync(caller, default)).Value.FirstName);
    }

    private static ValueTask<Outcome<UserProfile>> ReadAsync(ControlPlane plane, NewSession session) =>
        plane.Users.ReadAsync(Caller.OfSession(session.Id), default);

    private static async Task<NewSession> SignInAsync(ControlPlane plane)
    {
        var known = await plane.Users.FindCredentialsAsync(Owner, default);
        return (await plane.Sessions.OpenAsync(known!, null, default)).Value;
    }

    private async Task<ControlPlane> OpenWithOwnerAsync()
    {
        var plane = await OpenAsync();
        await plane.Users.GiveFirstPasswordAsync(Hash, null, default);
        return plane;
    }
}
