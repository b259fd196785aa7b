using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;

namespace Gateway.Core.Tenancy;

/// <summary>Somebody's place in an organization.</summary>
public sealed class Member
{
    internal long UserId { get; init; }

    /// <summary>The user's uuid.</summary>
    public string UserUuid { get; init; } = "";

    public string Email { get; init; } = "";

    public string FirstName { get; init; } = "";

    public string LastName { get; init; } = "";

    public long Level { get; init; }

    /// <summary>Microseconds since 1970 UTC.</summary>
    public long JoinedAt { get; init; }

    public long? UpdatedAt { get; init; }

    public long? LastLoginAt { get; init; }
}

/// <summary>
/// Members and their levels. At least one owner stays; nobody changes their own level, lifts another above themselves
/// or touches one above them; only an owner makes an owner. Losing a level or a membership cuts access with the return.
/// </summary>
public sealed class Members
{
    private const string Select =
        """
        SELECT u.id AS UserId, u.uuid AS UserUuid, u.email AS Email, u.first_name AS FirstName,
               u.last_name AS LastName, u.last_login_at AS LastLoginAt,
               m.level AS Level, m.joined_at AS JoinedAt, m.updated_at AS UpdatedAt
        FROM memberships m JOIN users u ON u.id = m.user_id
        WHERE m.organization_id = @OrganizationId
        """;

    private readonly ControlChanges _changes;
    private readonly Gatekeeper _gate;

    internal Members(ControlChanges changes, Gatekeeper gate) => (_changes, _gate) = (changes, gate);

    public ValueTask<Outcome<List<Member>>> ListAsync(
        Caller caller, string organization, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.Organization(caller, organization, Scopes.OrganizationRead),
            async (connection, access) => (await connection.QueryAsync<Member>(
                $"{Select} ORDER BY m.joined_at, u.id", new { OrganizationId = access.RowId })).AsList(),
            cancellationToken);

    public Task<Outcome<Member>> ChangeLevelAsync(
        Caller caller, string organization, string userUuid, MemberLevel level, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, Member>(
            _gate.Organization(caller, organization, Scopes.OrganizationWrite, MemberLevel.Admin),
            async (change, access) =>
            {
                var member = await FindAsync(change, access, userUuid);
                if (member is null) return Unknown();
                if (member.UserId == access.Actor.UserId) return Refusal.Forbidden("Nobody changes their own level.");
                if (member.Level > (long)access.Level) return Above();
                if (level > access.Level) return Refusal.Forbidden("Nobody lifts another above their own level.");
                if (await IsLastOwnerAsync(change, access, member) && level != MemberLevel.Owner) return LastOwner();

                await change.ExecuteAsync(
                    """
                    UPDATE memberships SET level = @Level, updated_at = @Now
                    WHERE organization_id = @RowId AND user_id = @UserId
                    """,
                    new { Level = (long)level, change.Now, access.RowId, member.UserId });
                await Invites.WithdrawAsync(
                    change, access.Actor,
                    "organization_id = @RowId AND created_by = @UserId AND (level > @Level OR @Level < 8)",
                    new { access.RowId, member.UserId, Level = (long)level });
                await AuditLog.AppendAsync(
                    change, access.RowId, access.Actor, "member.level_changed", $"user {member.UserUuid}",
                    new { member.Email, from = member.Level, to = (long)level });
                change.Touch("membership", member.UserId);
                return (await FindAsync(change, access, userUuid))!;
            },
            cancellationToken);

    /// <summary>Takes a member out, or lets the caller leave. Their keys stay theirs and open nothing here.</summary>
    public Task<Outcome<Done>> RemoveAsync(
        Caller caller, string organization, string userUuid, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, Done>(
            _gate.Organization(caller, organization, Scopes.OrganizationWrite),
            async (change, access) =>
            {
                var member = await FindAsync(change, access, userUuid);
                bool leaves = member?.UserId == access.Actor.UserId;
                if (!leaves && access.Level < MemberLevel.Admin)
                    return Refusal.Forbidden("Only an admin or owner of the organization may do this.");
                if (member is null) return Unknown();
                if (member.Level > (long)access.Level) return Above();
                if (await IsLastOwnerAsync(change, access, member)) return LastOwner();

                await change.ExecuteAsync(
                    """
                    DELETE FROM project_access WHERE user_id = @UserId
                        AND project_id IN (SELECT id FROM projects WHERE organization_id = @RowId);
                    DELETE FROM memberships WHERE organization_id = @RowId AND user_id = @UserId
                    """,
                    new { access.RowId, member.UserId });
                await Invites.WithdrawAsync(
                    change, access.Actor, "organization_id = @RowId AND created_by = @UserId",
                    new { access.RowId, member.UserId });
                await AuditLog.AppendAsync(
                    change, access.RowId, access.Actor, leaves ? "member.left" : "member.removed",
                    $"user {member.UserUuid}", new { member.Email, member.Level });
                change.Touch("membership", member.UserId);
                return default(Done);
            },
            cancellationToken);

    /// <summary>The row of a new member.</summary>
    internal static async Task InsertAsync(ControlWrite change, long organizationId, long userId, MemberLevel level)
    {
        await change.ExecuteAsync(
            """
            INSERT INTO memberships (organization_id, user_id, level, joined_at)
            VALUES (@OrganizationId, @UserId, @Level, @Now)
            """,
            new { OrganizationId = organizationId, UserId = userId, Level = (long)level, change.Now });
        change.Touch("membership", userId);
    }

    private static Task<Member?> FindAsync(ControlWrite change, OrganizationAccess access, string userUuid) =>
        change.RowAsync<Member>(
            $"{Select} AND u.uuid = @Uuid",
            new
            {
                OrganizationId = access.RowId,
                Uuid = ExactUuid.Kept(userUuid),
            });

    private static async Task<bool> IsLastOwnerAsync(ControlWrite change, OrganizationAccess access, Member member) =>
        member.Level == (long)MemberLevel.Owner
        && await change.ScalarAsync<long>(
            "SELECT COUNT(*) FROM memberships WHERE organization_id = @RowId AND level = 15",
            new { access.RowId }) == 1;

    private static Refusal Unknown() => Refusal.NotFound("There is no such member.");

    private static Refusal Above() => Refusal.Forbidden("Nobody changes a member above their own level.");

    private static Refusal LastOwner() => Refusal.Forbidden("An organization keeps at least one owner.", "last_owner");
}
