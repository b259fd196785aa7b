using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;

namespace Gateway.Core.Tenancy;

/// <param name="Project">As it is afterwards; for a dry run as it would be.</param>
/// <param name="LoseAccess">E-mail addresses of those who could enter before and cannot afterwards.</param>
/// <param name="GainAccess">E-mail addresses of those who could not enter before and can afterwards.</param>
public sealed record ProjectMove(
    ProjectAccess Project, IReadOnlyList<string> LoseAccess, IReadOnlyList<string> GainAccess);

/// <summary>
/// A project goes to another organization, with its id, its token and its events, while events come in. Whoever belongs
/// only to the organization that it leaves has lost access, keys included, when the call returns.
/// </summary>
public sealed class Moves
{
    /// <summary>Who may enter the project where it is now.</summary>
    private const string Entrants =
        """
        SELECT u.email FROM projects p
        JOIN memberships m ON m.organization_id = p.organization_id
        JOIN users u ON u.id = m.user_id
        LEFT JOIN project_access a ON a.project_id = p.id AND a.user_id = m.user_id
        WHERE p.id = @ProjectId AND (m.level >= 8 OR COALESCE(a.level, p.default_level) > 0)
        ORDER BY u.email
        """;

    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;
    private readonly Gatekeeper _gate;

    internal Moves(ControlChanges changes, AccessQueries access, Gatekeeper gate) =>
        (_changes, _access, _gate) = (changes, access, gate);

    /// <param name="caller">Admin or owner where the project is, and a member where it goes.</param>
    /// <param name="id">The project, by its own id.</param>
    /// <param name="target">The uuid of the organization that it goes to.</param>
    /// <param name="isDryRun">Everything is judged and told, and nothing is changed.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public Task<Outcome<ProjectMove>> MoveAsync(
        Caller caller, string id, string target, bool isDryRun, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<ProjectAccess, ProjectMove>(
            _gate.ByItsOwnId(id, _gate.ProjectOfAdmin(caller, id, Scopes.ProjectWrite)),
            async (change, project) =>
            {
                if (isDryRun) change.Discard();

                var found = await _access.OrganizationAsync(
                    change.Connection, change.Transaction, caller, target, Scopes.ProjectWrite);
                if (found.Refusal is not null)
                    return Refusal.Invalid("organization_id", "There is no such organization among yours.");

                var goal = found.Value;
                if (await WhyNotAsync(change, project, goal) is { } refusal) return refusal;

                long projectId = (long)project.ProjectId;
                var before = await change.RowsAsync<string>(Entrants, new { ProjectId = projectId });
                await MoveAsync(change, projectId, goal.RowId);
                var after = await change.RowsAsync<string>(Entrants, new { ProjectId = projectId });
                string[] lose = [.. before.Except(after)];
                string[] gain = [.. after.Except(before)];

                // Each log names its own people only.
                object ends = new { project = project.Name, from = project.OrganizationId, to = goal.Id };
                await AuditLog.AppendAsync(
                    change, project.OrganizationRowId, project.Actor, "project.moved_away", $"project {projectId}",
                    new { ends, lose_access = lose });
                await AuditLog.AppendAsync(
                    change, goal.RowId, project.Actor, "project.moved_here", $"project {projectId}",
                    new { ends, gain_access = gain });

                // The mover may be one of those who cannot enter any more.
                return new ProjectMove(project.MovedTo(goal), lose, gain);
            },
            cancellationToken);

    private static async Task<Refusal?> WhyNotAsync(
        ControlWrite change, ProjectAccess project, OrganizationAccess target)
    {
        if (target.RowId == project.OrganizationRowId)
            return Refusal.Invalid("organization_id", "The project is in this organization already.");

        long left = await change.ScalarAsync<long>(
            "SELECT COUNT(*) FROM projects WHERE organization_id = @Id AND deleted_at IS NULL",
            new { Id = project.OrganizationRowId });
        if (left < 2)
        {
            return Refusal.Invalid(
                "organization_id", "An organization's last project cannot leave it: make another one first.",
                "last_project");
        }

        return await Plans.RoomForOneMoreAsync(change, target.RowId);
    }

    private static async Task MoveAsync(ControlWrite change, long projectId, long targetId)
    {
        await change.ExecuteAsync(
            "UPDATE projects SET organization_id = @TargetId WHERE id = @ProjectId",
            new { TargetId = targetId, ProjectId = projectId });

        // What was said of somebody who is not there now must not wait for the day on which they join; and what the
        // other organization never gave goes with it. Who was shut out stays shut out.
        await change.ExecuteAsync(
            """
            DELETE FROM project_access WHERE project_id = @ProjectId
                AND (level > 0 OR user_id NOT IN (SELECT user_id FROM memberships WHERE organization_id = @TargetId))
            """,
            new { TargetId = targetId, ProjectId = projectId });
        change.Touch("project", projectId);
    }
}
