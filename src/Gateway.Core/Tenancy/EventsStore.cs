using Dapper;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Which store keeps this installation's events: one, whichever gateway is asked, and no other installation's. Two
/// embedded engines beside one another would each hold a part of the events, and nobody would see the rest.
/// </summary>
public sealed class EventsStore
{
    private const string LastProjectId = "SELECT last_project_id FROM installation";

    private readonly ControlDatabase _database;
    private readonly string _installationId;

    internal EventsStore(ControlDatabase database, string installationId) =>
        (_database, _installationId) = (database, installationId);

    /// <summary>
    /// True when no new project can be given an id that the store knows. Where nobody asked for that, it is always so.
    /// </summary>
    public bool AreIdsSafe => _database.ProjectIds.AreSafe;

    /// <summary>
    /// From now on no project is made before <see cref="KeepProjectIdsAboveAsync"/> came through once.
    /// </summary>
    public void RequireSafeIds() => _database.ProjectIds.Close();

    /// <summary>True when this installation was made by this version or a later one and has met no store yet.</summary>
    /// <exception cref="TokenStoreException">The control database does not answer.</exception>
    public async Task<bool> HasMetNoneAsync(CancellationToken cancellationToken) =>
        await _database.ReadAsync<string?>(
            async connection => await connection.ExecuteScalarAsync<string?>("SELECT events_store FROM installation"),
            cancellationToken) is "";

    /// <summary>The greatest id that was ever drawn, as far as the database knows.</summary>
    /// <exception cref="TokenStoreException">The control database does not answer.</exception>
    public ValueTask<long> LastProjectIdAsync(CancellationToken cancellationToken) =>
        _database.ReadAsync<long>(
            async connection => await connection.ExecuteScalarAsync<long>(LastProjectId), cancellationToken);

    /// <summary>Records the store that was met first; any other one is refused from then on.</summary>
    /// <param name="ids">What the store is known by; more than one when several gateways met it at once.</param>
    /// <param name="owner">The installation that is written down in the store.</param>
    /// <param name="adopt">The operator means it: this store from now on, whatever was before.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ControlPlaneException">It is not this installation's; the message is for the operator.
    /// </exception>
    /// <exception cref="TokenStoreException">The control database does not answer.</exception>
    public async Task MeetAsync(
        IReadOnlyList<string> ids, string owner, bool adopt, CancellationToken cancellationToken)
    {
        if (owner != _installationId && !adopt)
        {
            throw new ControlPlaneException(
                $"The events store holds the events of another installation ({owner}; this is {_installationId}): "
                + "give this one a store or a database of its own. If it was that one under an older control "
                + "database, start one gateway with Gateway:AdoptEventsStore=true once.");
        }

        await _database.WriteAsync<Done>(
            async change =>
            {
                string? known = await change.ScalarAsync<string>("SELECT events_store FROM installation");
                bool isFirst = string.IsNullOrEmpty(known);
                if (!isFirst && ids.Contains(known)) return default(Done);
                if (!isFirst && !adopt)
                {
                    throw new ControlPlaneException(
                        $"The events of this installation are kept in another store ({known}; this is {ids[0]}): use "
                        + "its data folder, or set ConnectionStrings:ClickHouse on every gateway. To go on with this "
                        + "store, start one gateway with Gateway:AdoptEventsStore=true once.");
                }

                await change.ExecuteAsync("UPDATE installation SET events_store = @Id", new { Id = ids[0] });
                return default(Done);
            },
            cancellationToken);
    }

    /// <summary>
    /// Keeps new projects' ids above every one that the store knows: after an older copy of the control database was
    /// put back, a new project must not find the events of a forgotten one.
    /// </summary>
    /// <returns>The greatest id from now on, to be told to the store.</returns>
    /// <exception cref="TokenStoreException">The control database does not answer.</exception>
    public async Task<long> KeepProjectIdsAboveAsync(long greatest, CancellationToken cancellationToken)
    {
        var written = await _database.WriteAsync<long>(
            async change =>
            {
                await change.ExecuteAsync(
                    "UPDATE installation SET last_project_id = @Greatest WHERE last_project_id < @Greatest",
                    new { Greatest = greatest });
                return await change.ScalarAsync<long>(LastProjectId);
            },
            cancellationToken);
        _database.ProjectIds.Raise(written.Outcome.Value);
        return written.Outcome.Value;
    }
}
