using System.Data.Common;
using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>An invite as whoever has its link may see it.</summary>
/// <param name="OrganizationId">The uuid of where to.</param>
/// <param name="OrganizationName">Where to.</param>
/// <param name="Email">Whom it is for.</param>
/// <param name="Level">What they will be.</param>
/// <param name="ExpiresAt">Until when it can be accepted.</param>
/// <param name="HasAccount">Whether they have one: then they must sign in first, else they choose a password.</param>
public sealed record InviteView(
    Guid OrganizationId, string OrganizationName, string Email, MemberLevel Level, DateTimeOffset ExpiresAt,
    bool HasAccount);

/// <param name="Invite">What was accepted.</param>
/// <param name="Session">Of a new user; null for who is signed in already.</param>
public sealed record AcceptedInvite(InviteView Invite, NewSession? Session);

/// <summary>
/// How people come to be: by an invite's link, or, where it is allowed, of their own accord with an organization of
/// their own.
/// </summary>
public sealed class SignUps
{
    private const int MaxSecretLength = 128;

    // What an inviter has lost they cannot hand out: an invite is as good as its maker is now.
    private const string LiveInvite =
        """
        SELECT i.id AS Id, i.uuid AS Uuid, i.organization_id AS OrganizationRowId, o.uuid AS OrganizationId,
            o.name AS OrganizationName, i.email AS Email, i.level AS Level, i.expires_at AS ExpiresAt,
            (SELECT u.id FROM users u WHERE u.email = i.email) AS UserId
        FROM invites i
        JOIN organizations o ON o.id = i.organization_id AND o.deleted_at IS NULL
        JOIN memberships m ON m.organization_id = o.id AND m.user_id = i.created_by
            AND m.level >= 8 AND m.level >= i.level
        WHERE i.sha256 = @Sha256 AND i.expires_at > @Now
        """;

    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;
    private readonly TokenFormat _format;
    private readonly TimeProvider _time;
    private readonly string _plan;

    internal SignUps(
        ControlChanges changes, AccessQueries access, TokenFormat format, TimeProvider time, string plan) =>
        (_changes, _access, _format, _time, _plan) = (changes, access, format, time, plan);

    /// <summary>Makes a user, an organization that is theirs, and its first project.</summary>
    /// <param name="email">As <see cref="EmailAddress"/> gave it.</param>
    /// <param name="user">Who.</param>
    /// <param name="organizationName">What it is to be called.</param>
    /// <param name="ip">Where from, for the audit log.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public async Task<Outcome<NewSession>> SignUpAsync(
        string email, NewUser user, string organizationName, string ip, CancellationToken cancellationToken)
    {
        var written = await _changes.RunAsync<NewSession>(
            async change =>
            {
                long taken = await change.ScalarAsync<long>(
                    "SELECT COUNT(*) FROM users WHERE email = @Email", new { Email = email });
                if (taken > 0)
                    return Refusal.Invalid("email", "There is an account with this address already.", "unique");

                var actor = await Users.InsertAsync(change, email, user, via: "sign-up", ip);
                var made = await Organizations.InsertAsync(
                    change, organizationName, _plan, actor.UserId, _format.NewProjectToken());
                await AuditLog.AppendAsync(
                    change, made.Id, actor, "organization.created", $"organization {made.Uuid}",
                    new { name = organizationName });
                return await Sessions.InsertAsync(change, actor.UserId);
            },
            cancellationToken);
        return written.Outcome;
    }

    /// <summary>What an invite's link leads to.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<InviteView>> ReadInviteAsync(string secret, CancellationToken cancellationToken)
    {
        if (secret.Length > MaxSecretLength) return NoInvite();

        var row = await _changes.ReadAsync(
            async connection => await FindInviteAsync(
                connection, null, secret, _time.GetUtcNow().ToUnixMicroseconds()),
            cancellationToken);
        return row is null ? NoInvite() : row.ToView();
    }

    /// <summary>Makes whom the invite is for a member; it is used up by that.</summary>
    /// <param name="secret">Of the link.</param>
    /// <param name="caller">Who is signed in, if anybody.</param>
    /// <param name="newUser">What somebody without an account wants to be called; null: they have one.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public async Task<Outcome<AcceptedInvite>> AcceptInviteAsync(
        string secret, Caller caller, NewUser? newUser, CancellationToken cancellationToken)
    {
        var before = await ReadInviteAsync(secret, cancellationToken);
        if (before.Refusal is { } none) return none;

        var written = await _changes.RunAsync<AcceptedInvite>(
            async change =>
            {
                var invite = await FindInviteAsync(change.Connection, change.Transaction, secret, change.Now);
                if (invite is null) return NoInvite();

                var actor = await WhoAcceptsAsync(change, invite, caller, newUser);
                if (actor.Refusal is { } refusal) return refusal;

                await JoinAsync(change, invite, actor.Value);
                return new AcceptedInvite(
                    invite.ToView(),
                    invite.UserId is null ? await Sessions.InsertAsync(change, actor.Value.UserId) : null);
            },
            cancellationToken);
        return written.Outcome;
    }

    private static Refusal NoInvite() =>
        Refusal.NotFound("There is no such invite: it has expired, was used or withdrawn, or never was.");

    private static Task<InviteRow?> FindInviteAsync(
        DbConnection connection, DbTransaction? transaction, string secret, long now) =>
        connection.QuerySingleOrDefaultAsync<InviteRow>(
            LiveInvite, new { Sha256 = TokenFormat.Sha256Of(secret), Now = now }, transaction);

    private async Task<Outcome<Actor>> WhoAcceptsAsync(
        ControlWrite change, InviteRow invite, Caller caller, NewUser? newUser)
    {
        if (invite.UserId is null)
        {
            return newUser is null
                ? Refusal.Invalid("password", "password is required.", "required")
                : await Users.InsertAsync(change, invite.Email, newUser, via: "invite", caller.Ip);
        }

        if (caller.SessionId is null) return SignInFirst(invite);
        var actor = await _access.WhoAsync(change.Connection, change.Transaction, caller, Scopes.UserWrite);
        if (actor.Refusal is not null) return actor.Refusal;
        if (actor.Value.UserId != invite.UserId) return SignInFirst(invite);

        long isMember = await change.ScalarAsync<long>(
            "SELECT COUNT(*) FROM memberships WHERE organization_id = @OrganizationRowId AND user_id = @UserId",
            new { invite.OrganizationRowId, invite.UserId });
        return isMember > 0
            ? new Refusal(RefusalKind.Invalid, "already_member", "You are a member of this organization already.")
            : actor;
    }

    private static Refusal SignInFirst(InviteRow invite) =>
        Refusal.Forbidden($"{invite.Email} has an account: sign in as {invite.Email} to accept.", "sign_in_required");

    private static async Task JoinAsync(ControlWrite change, InviteRow invite, Actor actor)
    {
        await Members.InsertAsync(change, invite.OrganizationRowId, actor.UserId, (MemberLevel)invite.Level);
        await change.ExecuteAsync(
            """
            UPDATE users SET current_organization_id = @OrganizationRowId
            WHERE id = @UserId AND current_organization_id IS NULL
            """,
            new { invite.OrganizationRowId, actor.UserId });
        await change.ExecuteAsync("DELETE FROM invites WHERE id = @Id", new { invite.Id });
        await AuditLog.AppendAsync(
            change, invite.OrganizationRowId, actor, "invite.accepted", $"invite {invite.Uuid}",
            new { invite.Email, invite.Level });
    }

    private sealed class InviteRow
    {
        public long Id { get; init; }

        public string Uuid { get; init; } = "";

        public long OrganizationRowId { get; init; }

        public string OrganizationId { get; init; } = "";

        public string OrganizationName { get; init; } = "";

        public string Email { get; init; } = "";

        public long Level { get; init; }

        public long ExpiresAt { get; init; }

        public long? UserId { get; init; }

        public InviteView ToView() => new(
            Guid.Parse(OrganizationId), OrganizationName, Email, (MemberLevel)Level,
            UnixTime.FromUnixMicroseconds(ExpiresAt), UserId is not null);
    }
}
