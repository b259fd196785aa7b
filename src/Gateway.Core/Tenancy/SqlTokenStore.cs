using System.Text;
using Dapper;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>The token table's view of the control database: each answer is one statement, so one snapshot.</summary>
internal sealed class SqlTokenStore(ControlDatabase database) : ITokenStore
{
    private const string TokenColumns =
        """
        e.value AS Epoch, e.mark AS Mark,
        t.id AS Id, t.project_id AS ProjectId, t.token AS Token, t.imported AS Imported, t.revoked_at AS RevokedAt,
        p.anonymize_ips AS AnonymizeIps, p.allowed_origins AS AllowedOrigins,
        p.events_per_second AS EventsPerSecond, p.bytes_per_second AS BytesPerSecond
        """;

    private const string ItsProject = "LEFT JOIN projects p ON p.id = t.project_id";

    private const string Find =
        $"""
        SELECT {TokenColumns}
        FROM epoch e LEFT JOIN project_tokens t ON t.token = @Token AND t.revoked_at IS NULL
        {ItsProject}
        """;

    // With the change itself that it goes on from: its mark tells whether it is of this line.
    private const string Changes =
        $"""
        SELECT {TokenColumns}, c.epoch AS ChangedAt, c.mark AS ChangeMark
        FROM epoch e
        LEFT JOIN change_log c ON c.epoch >= @After
        LEFT JOIN project_tokens t ON t.id = c.token_id AND c.epoch > @After
        {ItsProject}
        ORDER BY c.epoch, c.position
        """;

    private const string Imported =
        $"""
        SELECT {TokenColumns}
        FROM epoch e LEFT JOIN project_tokens t ON t.imported = 1 AND t.revoked_at IS NULL
        {ItsProject}
        """;

    private const string LogEnd =
        """
        SELECT epoch AS ChangedAt, mark AS ChangeMark, token_id AS Id
        FROM change_log WHERE epoch <= @UpTo AND epoch > @UpTo - @Count ORDER BY epoch, position
        """;

    private const int LoadedEpochs = 10_000;

    public ValueTask<EpochStamp> ReadEpochAsync(CancellationToken cancellationToken) =>
        database.ReadForCaptureAsync<EpochStamp>(
            async connection => (await connection.QuerySingleAsync<Row>(
                "SELECT value AS Epoch, mark AS Mark FROM epoch")).Stamp,
            cancellationToken);

    public ValueTask<TokenReading> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        string text = Encoding.ASCII.GetString(token.Span);
        return database.ReadForCaptureAsync<TokenReading>(
            async connection =>
            {
                var row = await connection.QuerySingleAsync<Row>(Find, new { Token = text });
                return new TokenReading(row.ToTokenRow(), row.Stamp);
            },
            cancellationToken);
    }

    public ValueTask<TokenChanges> ReadChangesAsync(EpochStamp after, CancellationToken cancellationToken) =>
        database.ReadForCaptureAsync<TokenChanges>(
            async connection =>
            {
                var rows = (await connection.QueryAsync<Row>(Changes, new { After = after.Epoch })).AsList();
                var log = LogOf(rows.Where(row => row.ChangedAt > after.Epoch));
                return new TokenChanges(TokensOf(rows), rows[0].Stamp, log, !LeadsOn(after, rows, log));
            },
            cancellationToken);

    public ValueTask<TokenChanges> ReadImportedAsync(CancellationToken cancellationToken) =>
        database.ReadForCaptureAsync<TokenChanges>(
            async connection =>
            {
                var rows = (await connection.QueryAsync<Row>(Imported)).AsList();
                var stamp = rows[0].Stamp;

                // What the log holds up to a stamp never changes, unless the database is put back at this moment.
                var log = LogOf(await connection.QueryAsync<Row>(
                    LogEnd, new { UpTo = stamp.Epoch, Count = LoadedEpochs }));
                bool isSameLine = log.Count > 0 && log[^1].Stamp == stamp;
                return new TokenChanges(TokensOf(rows), stamp, isSameLine ? log : [], HasGap: false);
            },
            cancellationToken);

    /// <summary>Each epoch has its rows in the log, and the one that was known has the mark that was known.</summary>
    private static bool LeadsOn(EpochStamp after, List<Row> rows, List<LoggedChange> log)
    {
        var now = rows[0].Stamp;
        if (now == after) return true;

        long mark = rows.Find(row => row.ChangedAt == after.Epoch)?.ChangeMark ?? -1;
        return mark == after.Mark && log.DistinctBy(change => change.Stamp).LongCount() == now.Epoch - after.Epoch;
    }

    private static List<LoggedChange> LogOf(IEnumerable<Row> rows) =>
        [.. rows.Select(row => new LoggedChange(new EpochStamp(row.ChangedAt!.Value, row.ChangeMark), row.Id))];

    private static List<TokenRow> TokensOf(List<Row> rows) =>
        [.. rows.Select(row => row.ToTokenRow()).OfType<TokenRow>()];

    private sealed class Row
    {
        public long Epoch { get; init; }

        public long Mark { get; init; }

        public long? ChangedAt { get; init; }

        public long ChangeMark { get; init; }

        public long? Id { get; init; }

        public long ProjectId { get; init; }

        public string? Token { get; init; }

        public long Imported { get; init; }

        public long? RevokedAt { get; init; }

        public long AnonymizeIps { get; init; }

        public string? AllowedOrigins { get; init; }

        public long EventsPerSecond { get; init; }

        public long BytesPerSecond { get; init; }

        private ProjectQuota Quota => new(EventsPerSecond, BytesPerSecond);

        private CaptureRules? Rules => AnonymizeIps == 0 && string.IsNullOrEmpty(AllowedOrigins) && Quota.IsNone
            ? null
            : new CaptureRules(
                AnonymizeIps == 1, AllowedOrigins!.Split(' ', StringSplitOptions.RemoveEmptyEntries), Quota);

        public EpochStamp Stamp => new(Epoch, Mark);

        public TokenRow? ToTokenRow() => Id is null
            ? null
            : new TokenRow(
                Id.Value,
                (ulong)ProjectId,
                Encoding.ASCII.GetBytes(Token!),
                Imported == 1,
                IsLive: RevokedAt is null,
                Rules);
    }
}
