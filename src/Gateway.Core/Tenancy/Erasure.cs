using System.Collections.Frozen;
using Dapper;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <param name="Ids">The projects deleted since the epoch that was asked for.</param>
/// <param name="NewestEpoch">The last of their deletions; 0 when there is none.</param>
/// <param name="Stamp">All of this was true at it.</param>
/// <param name="LeadsOn">These are those after the stamp that was asked for; else they are all.</param>
public sealed record Deletions(FrozenSet<ulong> Ids, long NewestEpoch, EpochStamp Stamp, bool LeadsOn);

/// <summary>A gateway, which is to say its journal.</summary>
/// <param name="Id">Kept beside the journal.</param>
/// <param name="Host">For people.</param>
/// <param name="StartedAt">When its process started.</param>
/// <param name="CleanEpoch">Neither its journal nor its quarantine holds a row of a project deleted up to it.</param>
public sealed record GatewayReport(string Id, string Host, DateTimeOffset StartedAt, long CleanEpoch);

/// <summary>A deleted project.</summary>
public sealed record DeletedProject(ulong Id, long Epoch, DateTimeOffset DeletedAt);

/// <param name="Waiting">Deleted projects of which rows may be left.</param>
/// <param name="NewestEpoch">Of all deletions; 0 when there is none.</param>
/// <param name="Gateways">Those that live, by their ids: each had itself seen within the last minute.</param>
public sealed record ErasureWork(
    IReadOnlyList<DeletedProject> Waiting, long NewestEpoch, IReadOnlyList<GatewayReport> Gateways);

/// <param name="DeletedAt">From then on it was refused and unreadable.</param>
/// <param name="State">
/// <c>waiting</c> for gateways that may still hold events of it, <c>erasing</c>, or <c>erased</c>.
/// </param>
/// <param name="ErasedRows">Stored rows deleted, and rows dropped on the way, so far.</param>
/// <param name="ErasedAt">When no row was left; null until then.</param>
/// <param name="WaitsFor">The gateways waited for, as <c>host (id)</c>.</param>
public sealed record ErasureProgress(
    DateTimeOffset DeletedAt, string State, long ErasedRows, DateTimeOffset? ErasedAt, IReadOnlyList<string> WaitsFor);

/// <summary>
/// What the control database knows of projects that are being erased: which were deleted, how far each gateway has got
/// rid of them, and what is left to do. It changes nobody's access, so it raises no epoch.
/// </summary>
public sealed class Erasure
{
    private static readonly TimeSpan LiveFor = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ForgottenAfter = TimeSpan.FromDays(30);

    private readonly ControlChanges _changes;
    private readonly TimeProvider _time;

    internal Erasure(ControlChanges changes, TimeProvider time) => (_changes, _time) = (changes, time);

    /// <summary>
    /// The projects deleted after a stamp, or all of them when the database does not lead on from it: then it was put
    /// back to an older copy. In one snapshot with the stamp at which that is so.
    /// </summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public async ValueTask<Deletions> ReadDeletionsAsync(EpochStamp? after, CancellationToken cancellationToken)
    {
        var rows = await _changes.ReadAsync(
            async connection => (await connection.QueryAsync<DeletionRow>(
                """
                SELECT e.value AS Epoch, e.mark AS Mark, p.id AS Id, p.deletion_epoch AS DeletionEpoch,
                       COALESCE((SELECT MAX(c.mark) FROM change_log c WHERE c.epoch = @After), -1) AS MarkThen
                FROM epoch e LEFT JOIN projects p ON p.deleted_at IS NOT NULL AND p.deletion_epoch > @After
                """,
                new { After = after?.Epoch ?? -1 })).AsList(),
            cancellationToken);

        var stamp = new EpochStamp(rows[0].Epoch, rows[0].Mark);
        bool leadsOn = after is { } known && (known == stamp || known.Mark == rows[0].MarkThen);
        if (after is not null && !leadsOn) return await ReadDeletionsAsync(after: null, cancellationToken);

        var deleted = rows.Where(row => row.Id is not null).ToList();
        return new Deletions(
            deleted.Select(row => (ulong)row.Id!.Value).ToFrozenSet(),
            deleted.Count == 0 ? 0 : deleted.Max(row => row.DeletionEpoch!.Value),
            stamp,
            leadsOn);
    }

    /// <summary>Makes sure that every deletion read before is in force: who deleted may have died since.</summary>
    /// <exception cref="TokenStoreException">It is not known to be.</exception>
    public ValueTask ConfirmAsync() => _changes.ConfirmAsync();

    /// <summary>Says that a gateway lives and how far it is.</summary>
    /// <exception cref="TokenStoreException">It cannot be written.</exception>
    public Task ReportAsync(GatewayReport report, CancellationToken cancellationToken) =>
        ExecuteAsync(
            """
            INSERT INTO gateways (id, host, started_at, seen_at, clean_epoch)
            VALUES (@Id, @Host, @StartedAt, @Now, @CleanEpoch)
            ON CONFLICT (id) DO UPDATE SET
                host = excluded.host, started_at = excluded.started_at,
                seen_at = excluded.seen_at, clean_epoch = excluded.clean_epoch;
            DELETE FROM gateways WHERE seen_at < @Old;
            """,
            new
            {
                report.Id,
                report.Host,
                StartedAt = report.StartedAt.ToUnixMicroseconds(),
                Now = _time.GetUtcNow().ToUnixMicroseconds(),
                report.CleanEpoch,
                Old = (_time.GetUtcNow() - ForgottenAfter).ToUnixMicroseconds(),
            },
            cancellationToken);

    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public async Task<ErasureWork> ReadWorkAsync(CancellationToken cancellationToken)
    {
        // The projects first: a deletion that comes between is not seen, and no gateway is clean of it by mistake.
        var (waiting, newest) = await _changes.ReadAsync(
            async connection =>
            {
                const string Sql = $"SELECT {DeletedRow.Columns} FROM projects WHERE {DeletedRow.IsDeleted}";
                var rows = await connection.QueryAsync<DeletedRow>(Sql + " AND erased_at IS NULL ORDER BY id");
                long? last = await connection.ExecuteScalarAsync<long?>(
                    $"SELECT MAX(deletion_epoch) FROM projects WHERE {DeletedRow.IsDeleted}");
                return (rows.Select(row => row.ToProject()).ToList(), last ?? 0);
            },
            cancellationToken);
        return new ErasureWork(waiting, newest, await LiveGatewaysAsync(cancellationToken));
    }

    /// <summary>Projects of which no row was left, to look again.</summary>
    /// <param name="deletedAfter">Only those deleted after it; null: all.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public async Task<IReadOnlyList<ulong>> ReadErasedAsync(
        DateTimeOffset? deletedAfter, CancellationToken cancellationToken) =>
        await _changes.ReadAsync(
            async connection => (await connection.QueryAsync<long>(
                """
                SELECT id FROM projects
                WHERE deleted_at > @After AND deletion_epoch IS NOT NULL AND erased_at IS NOT NULL
                ORDER BY id
                """,
                new { After = deletedAfter?.ToUnixMicroseconds() ?? 0 })).Select(id => (ulong)id).ToList(),
            cancellationToken);

    /// <summary>Counts rows as erased, project by project.</summary>
    /// <exception cref="TokenStoreException">It cannot be written.</exception>
    public Task AddRowsAsync(IReadOnlyDictionary<ulong, long> rows, CancellationToken cancellationToken) =>
        ExecuteAsync(
            "UPDATE projects SET erased_rows = erased_rows + @Rows WHERE id = @Id",
            rows.Where(pair => pair.Value > 0).Select(pair => new { Id = (long)pair.Key, Rows = pair.Value }).ToList(),
            cancellationToken);

    /// <summary>No row of these is left.</summary>
    /// <exception cref="TokenStoreException">It cannot be written.</exception>
    public Task CloseAsync(IReadOnlyCollection<ulong> projects, CancellationToken cancellationToken) =>
        SetErasedAsync(projects, _time.GetUtcNow().ToUnixMicroseconds(), cancellationToken);

    /// <summary>Rows of these have turned up: they are erased again.</summary>
    /// <exception cref="TokenStoreException">It cannot be written.</exception>
    public Task ReopenAsync(IReadOnlyCollection<ulong> projects, CancellationToken cancellationToken) =>
        SetErasedAsync(projects, null, cancellationToken);

    /// <summary>How far a deleted project's erasing is; null when there is no such project or it lives.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public async Task<ErasureProgress?> ProgressAsync(ulong projectId, CancellationToken cancellationToken)
    {
        var row = await _changes.ReadAsync(
            async connection => await connection.QuerySingleOrDefaultAsync<DeletedRow>(
                $"SELECT {DeletedRow.Columns} FROM projects WHERE id = @Id AND {DeletedRow.IsDeleted}",
                new { Id = (long)projectId }),
            cancellationToken);
        if (row is null) return null;

        var gateways = await LiveGatewaysAsync(cancellationToken);
        string[] waitsFor = row.ErasedAt is not null ? [] :
        [
            .. from gateway in gateways
               where gateway.CleanEpoch < row.DeletionEpoch
               select $"{gateway.Host} ({gateway.Id})",
        ];

        // Without a gateway nobody erases, and nobody knows whom to wait for.
        bool waits = waitsFor.Length > 0 || gateways.Count == 0;
        string state = row.ErasedAt is not null ? "erased" : waits ? "waiting" : "erasing";
        return new ErasureProgress(
            UnixTime.FromUnixMicroseconds(row.DeletedAt),
            state,
            row.ErasedRows,
            row.ErasedAt is { } at ? UnixTime.FromUnixMicroseconds(at) : null,
            waitsFor);
    }

    private async Task<IReadOnlyList<GatewayReport>> LiveGatewaysAsync(CancellationToken cancellationToken) =>
        await _changes.ReadAsync(
            async connection =>
            {
                var rows = await connection.QueryAsync<GatewayRow>(
                    """
                    SELECT id AS Id, host AS Host, started_at AS StartedAt, clean_epoch AS CleanEpoch
                    FROM gateways WHERE seen_at >= @Since ORDER BY id
                    """,
                    new { Since = (_time.GetUtcNow() - LiveFor).ToUnixMicroseconds() });
                return rows.Select(row => row.ToReport()).ToList();
            },
            cancellationToken);

    private Task SetErasedAsync(
        IReadOnlyCollection<ulong> projects, long? erasedAt, CancellationToken cancellationToken) =>
        ExecuteAsync(
            "UPDATE projects SET erased_at = @ErasedAt WHERE id = @Id AND deleted_at IS NOT NULL",
            projects.Select(id => new { Id = (long)id, ErasedAt = erasedAt }).ToList(),
            cancellationToken);

    private async Task ExecuteAsync(string sql, object parameters, CancellationToken cancellationToken) =>
        await _changes.RunAsync<Done>(
            async change =>
            {
                await change.ExecuteAsync(sql, parameters);
                return default(Done);
            },
            cancellationToken);

    private sealed class DeletionRow
    {
        public long Epoch { get; init; }

        public long Mark { get; init; }

        public long MarkThen { get; init; }

        public long? Id { get; init; }

        public long? DeletionEpoch { get; init; }
    }

    private sealed class DeletedRow
    {
        public const string Columns =
            """
            id AS Id, deletion_epoch AS DeletionEpoch, deleted_at AS DeletedAt, erased_at AS ErasedAt,
            erased_rows AS ErasedRows
            """;

        public const string IsDeleted = "deleted_at IS NOT NULL AND deletion_epoch IS NOT NULL";

        public long Id { get; init; }

        public long DeletionEpoch { get; init; }

        public long DeletedAt { get; init; }

        public long? ErasedAt { get; init; }

        public long ErasedRows { get; init; }

        public DeletedProject ToProject() =>
            new((ulong)Id, DeletionEpoch, UnixTime.FromUnixMicroseconds(DeletedAt));
    }

    private sealed class GatewayRow
    {
        public string Id { get; init; } = "";

        public string Host { get; init; } = "";

        public long StartedAt { get; init; }

        public long CleanEpoch { get; init; }

        public GatewayReport ToReport() => new(Id, Host, UnixTime.FromUnixMicroseconds(StartedAt), CleanEpoch);
    }
}
