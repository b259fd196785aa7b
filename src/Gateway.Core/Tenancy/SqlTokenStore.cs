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
        e.value AS Epoch, t.id AS Id, t.project_id AS ProjectId, t.token AS Token, t.imported AS Imported,
        t.revoked_at AS RevokedAt, p.anonymize_ips AS AnonymizeIps, p.allowed_origins AS AllowedOrigins
        """;

    private const string ItsProject = "LEFT JOIN projects p ON p.id = t.project_id";

    private const string Find =
        $"""
        SELECT {TokenColumns}
        FROM epoch e LEFT JOIN project_tokens t ON t.token = @Token AND t.revoked_at IS NULL
        {ItsProject}
        """;

    private const string Changes =
        $"""
        SELECT {TokenColumns}, c.epoch AS ChangedAt
        FROM epoch e
        LEFT JOIN change_log c ON c.epoch > @After
        LEFT JOIN project_tokens t ON t.id = c.token_id
        {ItsProject}
        ORDER BY c.epoch, c.position
        """;

    private const string Imported =
        $"""
        SELECT {TokenColumns}
        FROM epoch e LEFT JOIN project_tokens t ON t.imported = 1 AND t.revoked_at IS NULL
        {ItsProject}
        """;

    public ValueTask<long> ReadEpochAsync(CancellationToken cancellationToken) =>
        database.ReadForCaptureAsync<long>(
            async connection => await connection.ExecuteScalarAsync<long>("SELECT value FROM epoch"),
            cancellationToken);

    public ValueTask<TokenReading> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken)
    {
        string text = Encoding.ASCII.GetString(token.Span);
        return database.ReadForCaptureAsync<TokenReading>(
            async connection =>
            {
                var row = await connection.QuerySingleAsync<Row>(Find, new { Token = text });
                return new TokenReading(row.ToTokenRow(), row.Epoch);
            },
            cancellationToken);
    }

    public ValueTask<TokenChanges> ReadChangesAsync(long afterEpoch, CancellationToken cancellationToken) =>
        database.ReadForCaptureAsync<TokenChanges>(
            async connection =>
            {
                var rows = (await connection.QueryAsync<Row>(Changes, new { After = afterEpoch })).AsList();
                long epoch = rows[0].Epoch;

                // Each epoch has its rows in the log until its tail is cut off: a missing one is a gap.
                long logged = rows.Where(row => row.ChangedAt is not null).DistinctBy(row => row.ChangedAt).LongCount();
                return new TokenChanges(TokensOf(rows), epoch, HasGap: logged != epoch - afterEpoch);
            },
            cancellationToken);

    public ValueTask<TokenChanges> ReadImportedAsync(CancellationToken cancellationToken) =>
        database.ReadForCaptureAsync<TokenChanges>(
            async connection =>
            {
                var rows = (await connection.QueryAsync<Row>(Imported)).AsList();
                return new TokenChanges(TokensOf(rows), rows[0].Epoch, HasGap: false);
            },
            cancellationToken);

    private static List<TokenRow> TokensOf(List<Row> rows) =>
        [.. rows.Select(row => row.ToTokenRow()).OfType<TokenRow>()];

    private sealed class Row
    {
        public long Epoch { get; init; }

        public long? ChangedAt { get; init; }

        public long? Id { get; init; }

        public long ProjectId { get; init; }

        public string? Token { get; init; }

        public long Imported { get; init; }

        public long? RevokedAt { get; init; }

        public long AnonymizeIps { get; init; }

        public string? AllowedOrigins { get; init; }

        private CaptureRules? Rules => AnonymizeIps == 0 && string.IsNullOrEmpty(AllowedOrigins)
            ? null
            : new CaptureRules(
                AnonymizeIps == 1, AllowedOrigins!.Split(' ', StringSplitOptions.RemoveEmptyEntries));

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
