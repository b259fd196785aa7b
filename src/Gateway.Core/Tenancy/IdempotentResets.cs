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

        var row = await change.RowAsync<ResetRow>(
            $"""
            SELECT {ResetRow.Columns} FROM idempotent_requests r JOIN project_tokens t ON t.id = r.token_id
            WHERE r.user_id = @UserId AND r.project_id = @ProjectId AND r.key_sha256 = @Sha256
            """,
            new { project.Actor.UserId, ProjectId = (long)project.ProjectId, Sha256 = TokenFormat.Sha256Of(key) });
        if (row is null) return (TokenReset?)null;

        return row.IsLive
            ? row.ToReset(project)
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
}
