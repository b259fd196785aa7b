using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// A regeneration whose answer was lost can be asked for again under the same <c>Idempotency-Key</c> without making
/// another token. Keys are kept for a day, as hashes, for each user and project.
/// </summary>
internal static class IdempotentResets
{
    private static readonly TimeSpan Kept = TimeSpan.FromDays(1);

    /// <summary>The earlier answer, null when there was none; refused when its token has ended since.</summary>
    public static async Task<Outcome<TokenReset?>> FindAsync(ControlWrite change, ProjectAccess project, string key)
    {
        await change.ExecuteAsync(
            "DELETE FROM idempotent_requests WHERE created_at < @Before",
            new { Before = change.Now - (long)Kept.TotalMicroseconds });

        // The epoch is the one that the log has; when its tail was cut off, the present one is as good: not lower.
        var row = await change.RowAsync<Row>(
            """
            SELECT t.token AS Token, t.created_at AS CreatedAt, t.revoked_at AS RevokedAt,
                   COALESCE(
                       (SELECT MIN(c.epoch) FROM change_log c WHERE c.token_id = t.id),
                       (SELECT value FROM epoch)) AS Epoch
            FROM idempotent_requests r JOIN project_tokens t ON t.id = r.token_id
            WHERE r.user_id = @UserId AND r.project_id = @ProjectId AND r.key_sha256 = @Sha256
            """,
            new { project.Actor.UserId, ProjectId = (long)project.ProjectId, Sha256 = TokenFormat.Sha256Of(key) });
        if (row is null) return (TokenReset?)null;

        return row.RevokedAt is null
            ? new TokenReset(project, row.Token, UnixTime.FromUnixMicroseconds(row.CreatedAt), row.Epoch)
            : Refusal.Invalid(
                "Idempotency-Key",
                "The token that this request made has been regenerated since: read the project, or use a new key.");
    }

    public static Task AddAsync(ControlWrite change, ProjectAccess project, string key, long tokenId) =>
        change.ExecuteAsync(
            """
            INSERT INTO idempotent_requests (user_id, project_id, key_sha256, token_id, created_at)
            VALUES (@UserId, @ProjectId, @Sha256, @TokenId, @Now)
            """,
            new
            {
                project.Actor.UserId,
                ProjectId = (long)project.ProjectId,
                Sha256 = TokenFormat.Sha256Of(key),
                TokenId = tokenId,
                change.Now,
            });

    private sealed class Row
    {
        public string Token { get; init; } = "";

        public long CreatedAt { get; init; }

        public long? RevokedAt { get; init; }

        public long Epoch { get; init; }
    }
}
