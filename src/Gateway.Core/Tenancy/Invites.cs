using System.Security.Cryptography;
using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>An invitation that was not accepted yet. Not a record: its text would show the secret.</summary>
public sealed class Invite
{
    public string Uuid { get; init; } = "";

    public string Email { get; init; } = "";

    public long Level { get; init; }

    /// <summary>Of the inviter.</summary>
    public string CreatedBy { get; init; } = "";

    /// <summary>Microseconds since 1970 UTC.</summary>
    public long CreatedAt { get; init; }

    public long ExpiresAt { get; init; }

    /// <summary>What the link ends with; set once, when it is made. Only its hash is kept.</summary>
    public string? Secret { get; internal set; }
}

/// <summary>Invites: a link for one e-mail address, good for three days, up to the inviter's own level.</summary>
public sealed class Invites
{
    /// <summary>Of one organization that wait at one time.</summary>
    public const int MostWaiting = 500;

    public static readonly TimeSpan GoodFor = TimeSpan.FromDays(3);

    private const string Select =
        """
        SELECT i.uuid AS Uuid, i.email AS Email, i.level AS Level, u.email AS CreatedBy, i.created_at AS CreatedAt,
               i.expires_at AS ExpiresAt
        FROM invites i JOIN users u ON u.id = i.created_by
        WHERE i.organization_id = @RowId AND i.expires_at > @Now
        """;

    private readonly ControlChanges _changes;
    private readonly Gatekeeper _gate;
    private readonly TimeProvider _time;

    internal Invites(ControlChanges changes, Gatekeeper gate, TimeProvider time) =>
        (_changes, _gate, _time) = (changes, gate, time);

    public ValueTask<Outcome<List<Invite>>> ListAsync(
        Caller caller, string organization, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.Organization(caller, organization, Scopes.OrganizationRead, MemberLevel.Admin),
            async (connection, access) => (await connection.QueryAsync<Invite>(
                $"{Select} ORDER BY i.id",
                new { access.RowId, Now = _time.GetUtcNow().ToUnixMicroseconds() })).AsList(),
            cancellationToken);

    /// <summary>A new one takes the place of an earlier one for the same address.</summary>
    /// <param name="caller">An admin or owner.</param>
    /// <param name="organization">Its uuid or <c>@current</c>.</param>
    /// <param name="email">In lower case.</param>
    /// <param name="level">Not above the caller's own.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Outcome<Invite>> CreateAsync(
        Caller caller, string organization, string email, MemberLevel level, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, Invite>(
            _gate.Organization(caller, organization, Scopes.OrganizationWrite, MemberLevel.Admin),
            async (change, access) =>
            {
                if (level > access.Level) return Refusal.Forbidden("Nobody invites to a level above their own.");
                if (await IsMemberAsync(change, access, email))
                    return Refusal.Invalid("target_email", "This is the address of a member already.");

                if (await FindForAsync(change, access, email) is { } earlier)
                {
                    if (earlier.Level > (long)access.Level) return Above();
                    await WithdrawAsync(
                        change, access.Actor, "organization_id = @RowId AND email = @Email",
                        new { access.RowId, Email = email });
                }

                await change.ExecuteAsync(
                    "DELETE FROM invites WHERE organization_id = @RowId AND expires_at <= @Now",
                    new { access.RowId, change.Now });
                long waiting = await change.ScalarAsync<long>(
                    "SELECT COUNT(*) FROM invites WHERE organization_id = @RowId", new { access.RowId });
                if (waiting >= MostWaiting)
                {
                    return Refusal.Forbidden(
                        $"{waiting} invites wait already: withdraw some first.", "invite_limit_reached");
                }


                string secret = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(32));
                string uuid = Guid.NewGuid().ToString();
                await change.ExecuteAsync(
                    """
                    INSERT INTO invites
                        (uuid, organization_id, email, level, sha256, created_by, key_id, created_at, expires_at)
                    VALUES (@Uuid, @RowId, @Email, @Level, @Sha256, @UserId, @KeyId, @Now, @ExpiresAt)
                    """,
                    new
                    {
                        Uuid = uuid,
                        access.RowId,
                        Email = email,
                        Level = (long)level,
                        Sha256 = TokenFormat.Sha256Of(secret),
                        access.Actor.UserId,
                        access.Actor.Use?.KeyId,
                        change.Now,
                        ExpiresAt = change.Now + (long)GoodFor.TotalMicroseconds,
                    });
                await AuditLog.AppendAsync(
                    change, access.RowId, access.Actor, "invite.created", $"invite {uuid}",
                    new { email, level = (long)level });
                var invite = await FindAsync(change, access, uuid);
                invite!.Secret = secret;
                return invite;
            },
            cancellationToken);

    public Task<Outcome<Done>> WithdrawAsync(
        Caller caller, string organization, string uuid, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, Done>(
            _gate.Organization(caller, organization, Scopes.OrganizationWrite, MemberLevel.Admin),
            async (change, access) =>
            {
                var invite = await FindAsync(change, access, uuid);
                if (invite is null) return Refusal.NotFound("There is no such invite.");
                if (invite.Level > (long)access.Level) return Above();

                await WithdrawAsync(
                    change, access.Actor, "organization_id = @RowId AND uuid = @Uuid",
                    new { access.RowId, invite.Uuid });
                return default(Done);
            },
            cancellationToken);

    /// <summary>
    /// Withdraws invites, each with a line in its organization's log. What somebody handed out does not outlive the
    /// key, the level or the membership that they did it with.
    /// </summary>
    /// <param name="change">The change that it belongs to.</param>
    /// <param name="actor">Who causes it.</param>
    /// <param name="which">SQL over the columns of invites; a constant.</param>
    /// <param name="parameters">Its parameters.</param>
    internal static async Task WithdrawAsync(ControlWrite change, Actor actor, string which, object parameters)
    {
        var gone = await change.RowsAsync<GoneInvite>(
            $"""
            DELETE FROM invites WHERE {which}
            RETURNING uuid AS Uuid, organization_id AS OrganizationId, email AS Email, level AS Level
            """,
            parameters);
        foreach (var invite in gone)
        {
            await AuditLog.AppendAsync(
                change, invite.OrganizationId, actor, "invite.withdrawn", $"invite {invite.Uuid}",
                new { invite.Email, invite.Level });
        }
    }

    private static Refusal Above() => Refusal.Forbidden("Nobody takes back an invite to a level above their own.");

    private static Task<Invite?> FindForAsync(ControlWrite change, OrganizationAccess access, string email) =>
        change.RowAsync<Invite>(
            $"{Select} AND i.email = @Email", new { access.RowId, change.Now, Email = email });

    private static async Task<bool> IsMemberAsync(ControlWrite change, OrganizationAccess access, string email) =>
        await change.ScalarAsync<long>(
            """
            SELECT COUNT(*) FROM memberships m JOIN users u ON u.id = m.user_id
            WHERE m.organization_id = @RowId AND u.email = @Email
            """,
            new { access.RowId, Email = email }) > 0;

    private static Task<Invite?> FindAsync(ControlWrite change, OrganizationAccess access, string uuid) =>
        change.RowAsync<Invite>(
            $"{Select} AND i.uuid = @Uuid",
            new
            {
                access.RowId,
                change.Now,
                Uuid = ExactUuid.Kept(uuid),
            });

    private sealed class GoneInvite
    {
        public string Uuid { get; init; } = "";

        public long OrganizationId { get; init; }

        public string Email { get; init; } = "";

        public long Level { get; init; }
    }
}
