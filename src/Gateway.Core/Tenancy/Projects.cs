using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <param name="Project">With the new token.</param>
/// <param name="RevokedAt">When the old token ended.</param>
/// <param name="Epoch">The epoch of the change, which the fence shows from now on.</param>
public sealed record TokenReset(ProjectAccess Project, DateTimeOffset RevokedAt, long Epoch);

/// <summary>Projects as their people see and steer them.</summary>
public sealed class Projects
{
    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;
    private readonly TokenFormat _format;

    internal Projects(ControlChanges changes, AccessQueries access, TokenFormat format) =>
        (_changes, _access, _format) = (changes, access, format);

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

    /// <summary>Those that the caller may enter, by their ids.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<List<ProjectAccess>>> ListAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (_access.Refuse(caller) is { } refusal) return refusal;

        var list = await _changes.ReadAsync(
            async connection => await _access.ProjectsAsync(connection, caller, Scopes.ProjectRead),
            cancellationToken);
        if (list.Refusal is null && list.Value.Count > 0)
            await _changes.NoteUseAsync(list.Value[0].Actor, cancellationToken);
        return list;
    }

    /// <summary>
    /// Gives a project a new token. When this returns, no request received from then on is accepted with the old one,
    /// and none of its events is stored.
    /// </summary>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public async Task<Outcome<TokenReset>> ResetTokenAsync(
        Caller caller, string idOrCurrent, CancellationToken cancellationToken)
    {
        // Who may not is turned away before the one writer's place is taken.
        var before = RequireAdmin(await EnterAsync(caller, idOrCurrent, Scopes.ProjectWrite, cancellationToken));
        if (before.Refusal is { } refusal) return refusal;

        var written = await _changes.RunAsync<(ProjectAccess Project, long At)>(
            async change =>
            {
                // Again, in the transaction: access may have been lost since.
                var project = RequireAdmin(await AccessAsync(change, caller, idOrCurrent));
                if (project.Refusal is not null) return project.Refusal;

                long id = (long)project.Value.ProjectId;
                await ProjectTokens.RevokeAsync(change, id);
                await ProjectTokens.InsertAsync(change, id, _format.NewProjectToken(), isImported: false);
                var after = await AccessAsync(change, caller, idOrCurrent);
                return (after.Value, change.Now);
            },
            cancellationToken);

        if (written.Outcome.Refusal is not null) return written.Outcome.Refusal;
        var (reset, at) = written.Outcome.Value;
        return new TokenReset(reset, UnixTime.FromUnixMicroseconds(at), written.Epoch);
    }

    private Task<Outcome<ProjectAccess>> AccessAsync(ControlWrite change, Caller caller, string idOrCurrent) =>
        _access.ProjectAsync(change.Connection, change.Transaction, caller, idOrCurrent, Scopes.ProjectWrite);

    private static Outcome<ProjectAccess> RequireAdmin(Outcome<ProjectAccess> project) =>
        project.Refusal is null && project.Value.Level < ProjectLevel.Admin
            ? Refusal.Forbidden("Only an admin of the project may do this.")
            : project;
}
