using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;

namespace Gateway.Core.Tests.Tenancy;

public sealed class SignUpsTests : ControlPlaneFixture
{
    private const string Email = "ann@example.org";

    private static readonly NewUser Ann = new() { FirstName = "Ann", PasswordHash = "hash" };

    [Fact]
    public async Task An_invite_makes_a_member_of_its_level_once_and_the_log_says_so()
    {
        await using var plane = await OpenAsync();
        string secret = await InviteAsync(plane, MemberLevel.Admin);

        var accepted = (await plane.SignUps.AcceptInviteAsync(secret, Caller.Nobody("192.0.2.1"), Ann, default)).Value;

        var profile = (await plane.Users.ReadAsync(Caller.OfSession(accepted.Session!.Id), default)).Value;
        Assert.Equal(MemberLevel.Admin, profile.Organization!.Level);
        Assert.Equal(1ul, profile.Project!.Id);
        var log = (await plane.AuditLog.ReadAsync(Caller.OfKey(GivenKey), "@current", null, 1, default)).Value.Rows[0];
        Assert.Equal(
            ("invite.accepted", Email, "invite", "192.0.2.1"), (log.Action, log.Actor, log.ActorVia, log.Ip));
        await AssertGoneAsync(plane, secret);
    }

    [Theory]
    [InlineData("UPDATE invites SET expires_at = 1")]
    [InlineData("UPDATE memberships SET level = 1")]
    [InlineData("DELETE FROM memberships")]
    [InlineData("UPDATE organizations SET deleted_at = 1")]
    [InlineData("UPDATE memberships SET level = 8")]
    public async Task An_invite_that_is_over_or_whose_maker_lost_their_level_is_none(string sql)
    {
        await using var plane = await OpenAsync();
        string secret = await InviteAsync(plane, MemberLevel.Owner);
        Assert.Equal(Email, (await plane.SignUps.ReadInviteAsync(secret, default)).Value.Email);

        Sql(sql);

        await AssertGoneAsync(plane, secret);
        Assert.Equal(0, Sql($"SELECT COUNT(*) FROM users WHERE email = '{Email}'"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("0000000000000000000000000000000000000000000000000000000000000000")]
    public async Task A_link_that_nobody_made_leads_nowhere(string secret)
    {
        await using var plane = await OpenAsync();
        await AssertGoneAsync(plane, secret);
        await AssertGoneAsync(plane, new string('a', 100_000));
    }

    [Fact]
    public async Task Who_has_an_account_must_be_signed_in_with_it_to_accept()
    {
        await using var plane = await OpenAsync();
        var first = await SignUpAsync(plane, Email);
        var other = await SignUpAsync(plane, "bob@example.org");
        string secret = await InviteAsync(plane, MemberLevel.Member);
        Assert.True((await plane.SignUps.ReadInviteAsync(secret, default)).Value.HasAccount);

        foreach (var caller in (Caller[])[Caller.Nobody(), Caller.OfSession(other.Id), Caller.OfKey(GivenKey)])
        {
            var refused = await plane.SignUps.AcceptInviteAsync(secret, caller, Ann, default);
            Assert.Equal("sign_in_required", refused.Refusal!.Code);
        }

        var accepted = await plane.SignUps.AcceptInviteAsync(secret, Caller.OfSession(first.Id), null, default);
        Assert.Null(accepted.Value.Session);
        var profile = (await plane.Users.ReadAsync(Caller.OfSession(first.Id), default)).Value;
        Assert.Equal(["Default Organization", "Ann's"], profile.Organizations.Select(one => one.Name));
        Assert.Equal("hash", (await plane.Users.FindCredentialsAsync(Email, default))!.Hash);
    }

    [Fact]
    public async Task A_member_is_told_so_and_a_new_user_needs_a_password()
    {
        await using var plane = await OpenAsync();
        string secret = await InviteAsync(plane, MemberLevel.Member);
        var without = await plane.SignUps.AcceptInviteAsync(secret, Caller.Nobody(), null, default);
        Assert.Equal("password", without.Refusal!.Attr);

        var session = await SignUpAsync(plane, Email);
        Sql("INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (1, 2, 1, 0)");
        var again = await plane.SignUps.AcceptInviteAsync(secret, Caller.OfSession(session.Id), null, default);
        Assert.Equal((RefusalKind.Invalid, "already_member"), (again.Refusal!.Kind, again.Refusal.Code));
    }

    [Fact]
    public async Task Who_signs_up_owns_an_organization_with_a_project_and_an_address_is_taken_once()
    {
        await using var plane = await OpenAsync();
        var session = await SignUpAsync(plane, Email);

        var profile = (await plane.Users.ReadAsync(Caller.OfSession(session.Id), default)).Value;
        Assert.Equal(("Ann's", MemberLevel.Owner), (profile.Organization!.Name, profile.Organization.Level));
        Assert.Equal("Default Project", profile.Project!.Name);

        var again = await plane.SignUps.SignUpAsync(Email, Ann, "Ann's", "", default);
        Assert.Equal("email", again.Refusal!.Attr);
        Assert.Equal(2, Sql("SELECT COUNT(*) FROM organizations"));
    }

    private static async Task<NewSession> SignUpAsync(ControlPlane plane, string email) =>
        (await plane.SignUps.SignUpAsync(email, Ann, "Ann's", "", default)).Value;

    private static async Task<string> InviteAsync(ControlPlane plane, MemberLevel level) =>
        (await plane.Invites.CreateAsync(Caller.OfKey(GivenKey), "@current", Email, level, default)).Value.Secret!;

    private static async Task AssertGoneAsync(ControlPlane plane, string secret)
    {
        Assert.Equal(RefusalKind.NotFound, (await plane.SignUps.ReadInviteAsync(secret, default)).Refusal?.Kind);
        Assert.Equal(
            RefusalKind.NotFound,
            (await plane.SignUps.AcceptInviteAsync(secret, Caller.Nobody(), Ann, default)).Refusal?.Kind);
    }
}
