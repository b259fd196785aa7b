using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>Organizations: who pays, who owns, whose projects they are.</summary>
public sealed class Organizations
{
    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;
    private readonly Gatekeeper _gate;
    private readonly TokenFormat _format;
    private readonly string _defaultPlan;

    internal Organizations(
        ControlChanges changes, AccessQueries access, Gatekeeper gate, TokenFormat format, string defaultPlan) =>
        (_changes, _access, _gate, _format, _defaultPlan) = (changes, access, gate, format, defaultPlan);

    /// <summary>Those that the caller is a member of, oldest first.</summary>
    public async ValueTask<Outcome<List<OrganizationAccess>>> ListAsync(
        Caller caller, CancellationToken cancellationToken) =>
        await _changes.ListAsync(
            connection => _access.OrganizationsAsync(connection, caller, Scopes.OrganizationRead), cancellationToken);

    /// <param name="caller">A member.</param>
    /// <param name="idOrCurrent">Its uuid, or <c>@current</c>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<Outcome<OrganizationAccess>> ReadAsync(
        Caller caller, string idOrCurrent, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.Organization(caller, idOrCurrent, Scopes.OrganizationRead),
            (_, organization) => Task.FromResult(organization),
            cancellationToken);

    /// <summary>A new one, with the caller as its owner and a "Default Project".</summary>
    public Task<Outcome<OrganizationAccess>> CreateAsync(
        Caller caller, string name, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<Actor, OrganizationAccess>(
            _gate.User(caller, Scopes.OrganizationWrite),
            async (change, actor) =>
            {
                if (actor.IsBound) return Refusal.Forbidden("The personal API key is bound to what there is already.");

                var made = await InsertAsync(change, name, _defaultPlan, actor.UserId, _format.NewProjectToken());
                await AuditLog.AppendAsync(
                    change, made.Id, actor, "organization.created", $"organization {made.Uuid}", new { name });
                return await _access.OrganizationAsync(
                    change.Connection, change.Transaction, caller, made.Uuid.ToString(), Scopes.OrganizationWrite);
            },
            cancellationToken);

    public Task<Outcome<OrganizationAccess>> RenameAsync(
        Caller caller, string idOrCurrent, string name, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, OrganizationAccess>(
            _gate.Organization(caller, idOrCurrent, Scopes.OrganizationWrite, MemberLevel.Admin),
            async (change, organization) =>
            {
                await change.ExecuteAsync(
                    "UPDATE organizations SET name = @Name WHERE id = @RowId", new { Name = name, organization.RowId });
                await AuditLog.AppendAsync(
                    change, organization.RowId, organization.Actor, "organization.renamed",
                    $"organization {organization.Id}", new { from = organization.Name, to = name });
                return organization with { Name = name };
            },
            cancellationToken);

    /// <summary>
    /// Deletes it with all of its projects: from the return on nobody enters, and no event of theirs is taken. Only an
    /// owner may. Its admins can still read its log and how far its projects are erased: the memberships stay.
    /// </summary>
    public Task<Outcome<Done>> DeleteAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, Done>(
            _gate.ByItsOwnId(id, _gate.Organization(caller, id, Scopes.OrganizationWrite, MemberLevel.Owner)),
            async (change, organization) =>
            {
                var projects = await change.RowsAsync<long>(
                    "SELECT id FROM projects WHERE organization_id = @RowId AND deleted_at IS NULL ORDER BY id",
                    new { organization.RowId });
                foreach (long project in projects) await Projects.EntombAsync(change, project);

                await AuditLog.AppendAsync(
                    change, organization.RowId, organization.Actor, "organization.deleted",
                    $"organization {organization.Id}", new { organization.Name, projects });
                await change.ExecuteAsync(
                    """
                    UPDATE organizations SET deleted_at = @Now WHERE id = @RowId;
                    DELETE FROM invites WHERE organization_id = @RowId
                    """,
                    new { organization.RowId, change.Now });
                change.Touch("organization", organization.RowId);
                return default(Done);
            },
            cancellationToken);

    /// <summary>The rows of a new organization: itself, its owner, its first project and that one's token.</summary>
    internal static async Task<NewOrganization> InsertAsync(
        ControlWrite change, string name, string plan, long ownerId, string token, bool isImported = false)
    {
        var uuid = Guid.NewGuid();
        long id = await change.ScalarAsync<long>(
            """
            INSERT INTO organizations (uuid, name, plan, created_at) VALUES (@Uuid, @Name, @Plan, @Now) RETURNING id
            """,
            new { Uuid = uuid.ToString(), Name = name, Plan = plan, change.Now });
        await Members.InsertAsync(change, id, ownerId, MemberLevel.Owner);
        long project = await Projects.InsertAsync(change, id, Projects.FirstName);
        await ProjectTokens.InsertAsync(change, project, token, isImported);
        await change.ExecuteAsync(
            """
            UPDATE users SET current_organization_id = @Id, current_project_id = @Project
            WHERE id = @OwnerId AND current_organization_id IS NULL
            """,
            new { Id = id, Project = project, OwnerId = ownerId });
        change.Touch("organization", id);
        return new NewOrganization(id, uuid, project);
    }
}

/// <param name="Id">Its row.</param>
/// <param name="Uuid">Its id for people.</param>
/// <param name="ProjectId">Its first project.</param>
internal readonly record struct NewOrganization(long Id, Guid Uuid, long ProjectId);
