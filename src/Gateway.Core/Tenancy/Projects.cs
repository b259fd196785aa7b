using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>Projects as their people see and steer them.</summary>
public sealed class Projects
{
    /// <summary>What every organization begins with.</summary>
    public const string FirstName = "Default Project";

    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;
    private readonly Gatekeeper _gate;
    private readonly TokenFormat _format;
    private readonly TokenResets _resets;

    internal Projects(ControlChanges changes, AccessQueries access, Gatekeeper gate, TokenFormat format)
    {
        (_changes, _access, _gate, _format) = (changes, access, gate, format);
        _resets = new TokenResets(changes, access, gate, format);
    }

    /// <summary>One that the caller may enter. Read from the database for each request.</summary>
    /// <param name="caller">Who asks.</param>
    /// <param name="idOrCurrent">A project's id as the route has it, or <c>@current</c>.</param>
    /// <param name="scope">One of <see cref="Scopes"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<ProjectAccess>> EnterAsync(
        Caller caller, string idOrCurrent, string scope, CancellationToken cancellationToken)
    {
        if (_access.Refuse(caller) is { } refusal) return refusal;

        var project = await _changes.ReadAsync(
            async connection => await _access.ProjectAsync(connection, null, caller, idOrCurrent, scope),
            cancellationToken);
        if (project.Refusal is null) await _changes.NoteUseAsync(project.Value.Actor, cancellationToken);
        return project;
    }

    /// <summary>One that the caller is an admin of; as above.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<ProjectAccess>> AdministerAsync(
        Caller caller, string idOrCurrent, string scope, CancellationToken cancellationToken)
    {
        if (_access.Refuse(caller) is { } refusal) return refusal;

        var judge = _gate.Project(caller, idOrCurrent, scope, ProjectLevel.Admin);
        var project = await _changes.ReadAsync(async connection => await judge(connection, null), cancellationToken);
        if (project.Refusal is null) await _changes.NoteUseAsync(project.Value.Actor, cancellationToken);
        return project;
    }

    /// <summary>Those that the caller may enter, by their ids.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<List<ProjectAccess>>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (_access.Refuse(caller) is { } refusal) return refusal;

        return await _changes.ListAsync(
            connection => _access.ProjectsAsync(connection, caller, Scopes.ProjectRead), cancellationToken);
    }

    /// <summary>Those of one organization that the caller may enter.</summary>
    public async ValueTask<Outcome<List<ProjectAccess>>> ListOfAsync(
        Caller caller, string organization, CancellationToken cancellationToken) =>
        await _changes.ListAsync<ProjectAccess>(
            async connection =>
            {
                var access = await _access.OrganizationAsync(
                    connection, null, caller, organization, Scopes.ProjectRead);
                return access.Refusal is { } refusal
                    ? refusal
                    : await _access.ProjectsAsync(connection, caller, Scopes.ProjectRead, access.Value.RowId);
            },
            cancellationToken);

    public Task<Outcome<ProjectAccess>> CreateAsync(
        Caller caller, string organization, NewProject wanted, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<OrganizationAccess, ProjectAccess>(
            _gate.Organization(caller, organization, Scopes.ProjectWrite, MemberLevel.Admin),
            async (change, access) =>
            {
                if (wanted.Settings.Check() is { } mistake) return mistake;
                if (await Plans.RoomForOneMoreAsync(change, access.RowId) is { } full) return full;

                string token = wanted.Token ?? _format.NewProjectToken();
                bool isImported = false;
                if (wanted.Token is not null)
                {
                    var import = await TokenImport.CheckAsync(change, _format, wanted.Token);
                    if (import.Refusal is not null) return import.Refusal;
                    isImported = import.Value;
                }

                long id = await InsertAsync(change, access.RowId, wanted.Name);
                await ProjectTokens.InsertAsync(change, id, token, isImported);
                await wanted.Settings.WriteAsync(change, id);
                await AuditLog.AppendAsync(
                    change, access.RowId, access.Actor, "project.created", $"project {id}",
                    new { wanted.Name, Token = AuditLog.Fingerprint(token), Imported = isImported });
                return await AccessAsync(change, caller, id);
            },
            cancellationToken);

    /// <summary>Changes what is given; capture goes by it from the return on.</summary>
    public Task<Outcome<ProjectAccess>> UpdateAsync(
        Caller caller, string idOrCurrent, string? name, ProjectSettings settings,
        CancellationToken cancellationToken) =>
        _changes.ChangeAsync<ProjectAccess, ProjectAccess>(
            _gate.Project(caller, idOrCurrent, Scopes.ProjectWrite, ProjectLevel.Admin),
            async (change, project) =>
            {
                if (settings.Check() is { } mistake) return mistake;
                if (name is null && settings.IsEmpty) return project;

                long id = (long)project.ProjectId;
                if (name is not null)
                {
                    await change.ExecuteAsync(
                        "UPDATE projects SET name = @Name WHERE id = @Id", new { Name = name, Id = id });
                }

                await settings.WriteAsync(change, id);
                await ProjectTokens.TouchAsync(change, id);
                await AuditLog.AppendAsync(
                    change, project.OrganizationRowId, project.Actor, "project.changed", $"project {id}",
                    new
                    {
                        name,
                        settings.TimeZone,
                        settings.AnonymizeIps,
                        settings.AllowedOrigins,
                        settings.DefaultLevel,
                        settings.EventsPerSecond,
                        settings.BytesPerSecond,
                    });
                return await AccessAsync(change, caller, id);
            },
            cancellationToken);

    /// <summary>
    /// Deletes it: from the return on its token is refused and nothing of it can be read. Its events are erased in the
    /// background.
    /// </summary>
    public Task<Outcome<Done>> DeleteAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<ProjectAccess, Done>(
            _gate.ByItsOwnId(id, _gate.ProjectOfAdmin(caller, id, Scopes.ProjectWrite)),
            async (change, project) =>
            {
                await EntombAsync(change, (long)project.ProjectId);
                await AuditLog.AppendAsync(
                    change, project.OrganizationRowId, project.Actor, "project.deleted",
                    $"project {project.ProjectId}", new { project.Name });
                return default(Done);
            },
            cancellationToken);

    /// <summary>Those that were deleted from an organization, newest first; their erasing is asked for apart.</summary>
    public ValueTask<Outcome<List<TombstoneRow>>> ListDeletedAsync(
        Caller caller, string organization, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.LateOrganization(caller, organization, Scopes.ProjectRead),
            async (connection, access) => (await connection.QueryAsync<TombstoneRow>(
                """
                SELECT id AS Id, name AS Name FROM projects
                WHERE organization_id = @RowId AND deleted_at IS NOT NULL ORDER BY deleted_at DESC, id DESC
                """,
                new { access.RowId })).AsList(),
            cancellationToken);

    /// <summary>
    /// Gives a project a new token. When this returns, no request received from then on is accepted with the old one,
    /// and none of its events is stored.
    /// </summary>
    /// <param name="caller">An admin of the project.</param>
    /// <param name="idOrCurrent">The project.</param>
    /// <param name="idempotencyKey">One that was used before gives that answer again; null: none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public Task<Outcome<TokenReset>> ResetTokenAsync(
        Caller caller, string idOrCurrent, string? idempotencyKey, CancellationToken cancellationToken) =>
        _resets.ResetAsync(caller, idOrCurrent, idempotencyKey, cancellationToken);

    /// <summary>The row of a new project.</summary>
    internal static async Task<long> InsertAsync(ControlWrite change, long organizationId, string name)
    {
        long id = await change.DrawProjectIdAsync();
        await change.ExecuteAsync(
            """
            INSERT INTO projects (id, uuid, organization_id, name, created_at)
            VALUES (@Id, @Uuid, @OrganizationId, @Name, @Now)
            """,
            new
            {
                Id = id,
                Uuid = Guid.NewGuid().ToString(),
                OrganizationId = organizationId,
                Name = name,
                change.Now,
            });
        change.Touch("project", id);
        return id;
    }

    /// <summary>The tombstone: the row stays, so that its id, its token and its erasure are remembered.</summary>
    internal static async Task EntombAsync(ControlWrite change, long id)
    {
        await change.ExecuteAsync("UPDATE projects SET deleted_at = @Now WHERE id = @Id", new { change.Now, Id = id });
        await ProjectTokens.RevokeAsync(change, id);
        change.Touch("project", id);
    }

    private Task<Outcome<ProjectAccess>> AccessAsync(ControlWrite change, Caller caller, long id) =>
        _access.ProjectAsync(
            change.Connection,
            change.Transaction,
            caller,
            id.ToString(System.Globalization.CultureInfo.InvariantCulture),
            Scopes.ProjectWrite);
}

/// <summary>What is left of a deleted project for its people to see.</summary>
public sealed class TombstoneRow
{
    public long Id { get; init; }

    public string Name { get; init; } = "";
}

/// <param name="Name">For people.</param>
/// <param name="Token">One that apps in the field have already; null: a new one.</param>
/// <param name="Settings">What is not given is as for every new project.</param>
public sealed record NewProject(string Name, string? Token, ProjectSettings Settings)
{
    /// <summary>Without the token.</summary>
    public override string ToString() => Name;
}
