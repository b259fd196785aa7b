using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;

namespace Gateway.Core.Tenancy;

/// <summary>What one member of the organization may do in one project.</summary>
public sealed class ProjectMember
{
    internal long UserId { get; init; }

    /// <summary>The user's uuid.</summary>
    public string UserUuid { get; init; } = "";

    public string Email { get; init; } = "";

    /// <summary>In the organization.</summary>
    public long OrganizationLevel { get; init; }

    /// <summary>What the project says of this member; null: nothing, so that its default holds.</summary>
    public long? OwnLevel { get; init; }

    /// <summary>What follows from both: 0 none, 1 member, 8 admin.</summary>
    public long Level { get; init; }
}

/// <summary>
/// Who may enter one project: admins and owners of its organization always, a member as the project says of them, else
/// as it says of all.
/// </summary>
public sealed class ProjectMembers
{
    private const string Select =
        """
        SELECT u.id AS UserId, u.uuid AS UserUuid, u.email AS Email, m.level AS OrganizationLevel, a.level AS OwnLevel,
               CASE WHEN m.level >= 8 THEN 8 ELSE COALESCE(a.level, p.default_level) END AS Level
        FROM projects p
        JOIN memberships m ON m.organization_id = p.organization_id
        JOIN users u ON u.id = m.user_id
        LEFT JOIN project_access a ON a.project_id = p.id AND a.user_id = u.id
        WHERE p.id = @ProjectId
        """;

    private readonly ControlChanges _changes;
    private readonly Gatekeeper _gate;

    internal ProjectMembers(ControlChanges changes, Gatekeeper gate) => (_changes, _gate) = (changes, gate);

    /// <summary>All members of the organization, those without access too.</summary>
    public ValueTask<Outcome<List<ProjectMember>>> ListAsync(
        Caller caller, string project, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.Project(caller, project, Scopes.ProjectRead),
            async (connection, access) => (await connection.QueryAsync<ProjectMember>(
                $"{Select} ORDER BY m.joined_at, u.id", new { ProjectId = (long)access.ProjectId })).AsList(),
            cancellationToken);

    /// <summary>Says what a member may do; null: nothing of their own, the project's default holds.</summary>
    public Task<Outcome<ProjectMember>> ChangeAsync(
        Caller caller, string project, string userUuid, ProjectLevel? level, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<ProjectAccess, ProjectMember>(
            _gate.Project(caller, project, Scopes.ProjectWrite, ProjectLevel.Admin),
            async (change, access) =>
            {
                long projectId = (long)access.ProjectId;
                var member = await FindAsync(change, projectId, userUuid);
                if (member is null) return Refusal.NotFound("There is no such member.");
                if (member.UserId == access.Actor.UserId) return Refusal.Forbidden("Nobody changes their own level.");
                if (member.OrganizationLevel >= (long)MemberLevel.Admin)
                {
                    return Refusal.Forbidden(
                        "Admins and owners of the organization are admins of its projects, whatever is said here.");
                }

                await change.ExecuteAsync(
                    "DELETE FROM project_access WHERE project_id = @ProjectId AND user_id = @UserId",
                    new { ProjectId = projectId, member.UserId });
                if (level is not null)
                {
                    await change.ExecuteAsync(
                        "INSERT INTO project_access (project_id, user_id, level) VALUES (@ProjectId, @UserId, @Level)",
                        new { ProjectId = projectId, member.UserId, Level = (long)level });
                }

                await AuditLog.AppendAsync(
                    change, access.OrganizationRowId, access.Actor, "project.access_changed", $"project {projectId}",
                    new { member.Email, from = member.OwnLevel, to = (long?)level });
                change.Touch("membership", member.UserId);
                return (await FindAsync(change, projectId, userUuid))!;
            },
            cancellationToken);

    private static Task<ProjectMember?> FindAsync(ControlWrite change, long projectId, string userUuid) =>
        change.RowAsync<ProjectMember>(
            $"{Select} AND u.uuid = @Uuid",
            new
            {
                ProjectId = projectId,
                Uuid = ExactUuid.Kept(userUuid),
            });
}
