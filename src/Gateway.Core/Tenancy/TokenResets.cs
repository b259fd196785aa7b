using System.Globalization;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <param name="Project">As it is now.</param>
/// <param name="Token">The new token.</param>
/// <param name="OldToken">The one that it took the place of; null when that is not remembered.</param>
/// <param name="RevokedAt">When the old token ended.</param>
/// <param name="Epoch">The epoch of the change, which the fence shows from now on.</param>
public sealed record TokenReset(
    ProjectAccess Project, string Token, string? OldToken, DateTimeOffset RevokedAt, long Epoch)
{
    /// <summary>Without the tokens.</summary>
    public override string ToString() => $"reset at epoch {Epoch}";
}

/// <summary>
/// Regenerates a project's token. One that is recorded but was never answered with success, because it could not be put
/// in force or its caller died, is noted: who asks again, without an <c>Idempotency-Key</c> of a new request, is given
/// that one within two minutes, so that the token they were told of stays the right one. The note goes before success
/// is told, so what was told to have succeeded is never given a second time in place of a new one.
/// </summary>
internal sealed class TokenResets(ControlChanges changes, AccessQueries access, Gatekeeper gate, TokenFormat format)
{
    // Whoever made a regeneration and has not answered for so long never will.
    private static readonly TimeSpan Abandoned = TimeSpan.FromSeconds(10);

    // Who comes back later means the token that there is now, and not the one of that time.
    private static readonly TimeSpan Repeatable = TimeSpan.FromMinutes(2);

    /// <inheritdoc cref="Projects.ResetTokenAsync"/>
    public async Task<Outcome<TokenReset>> ResetAsync(
        Caller caller, string idOrCurrent, string? idempotencyKey, CancellationToken cancellationToken)
    {
        bool isRepeated = false;
        try
        {
            var written = await RecordAsync(caller, idOrCurrent, idempotencyKey, cancellationToken);
            if (written.Outcome.Refusal is { } refusal) return refusal;
            isRepeated = written.Stamp is null;

            var reset = written.Outcome.Value;
            if (written.Stamp is { } stamp) reset = reset with { Epoch = stamp.Epoch };
            await FinishAsync(reset, isRepeated);
            return reset;
        }
        catch (NotInForceException waiting)
        {
            // What is repeated by its key may have been told to have succeeded: it must not be noted anew.
            if (!isRepeated || idempotencyKey is null) await GiveUpAsync((TokenReset)waiting.Recorded!);
            throw;
        }
    }

    private Task<Written<TokenReset>> RecordAsync(
        Caller caller, string idOrCurrent, string? idempotencyKey, CancellationToken cancellationToken) =>
        changes.RunAsync<ProjectAccess, TokenReset>(
            gate.Project(caller, idOrCurrent, Scopes.ProjectWrite, ProjectLevel.Admin),
            async (change, project) =>
            {
                var before = idempotencyKey is null
                    ? await FindUnansweredAsync(change, project)
                    : await IdempotentResets.FindAsync(change, project, idempotencyKey);
                if (before.Refusal is not null) return before.Refusal;
                if (before.Value is { } done) return done;

                return await MakeAsync(change, caller, project, idempotencyKey);
            },
            cancellationToken);

    private async Task<Outcome<TokenReset>> MakeAsync(
        ControlWrite change, Caller caller, ProjectAccess project, string? idempotencyKey)
    {
        long id = (long)project.ProjectId;
        string token = format.NewProjectToken();
        await ProjectTokens.RevokeAsync(change, id);
        long tokenId = await ProjectTokens.InsertAsync(change, id, token, isImported: false);
        if (idempotencyKey is not null) await IdempotentResets.AddAsync(change, project, idempotencyKey, tokenId);
        await change.ExecuteAsync(
            """
            INSERT INTO unanswered_resets (user_id, project_id, token_id) VALUES (@UserId, @Id, @TokenId)
            ON CONFLICT (user_id, project_id) DO UPDATE SET token_id = excluded.token_id, told_at = NULL
            """,
            new { project.Actor.UserId, Id = id, TokenId = tokenId });
        await AuditLog.AppendAsync(
            change, project.OrganizationRowId, project.Actor, "project.token_reset", $"project {id}",
            new
            {
                From = project.ApiToken is null ? null : AuditLog.Fingerprint(project.ApiToken),
                To = AuditLog.Fingerprint(token),
            });
        var after = await access.ProjectAsync(
            change.Connection, change.Transaction, caller, id.ToString(CultureInfo.InvariantCulture),
            Scopes.ProjectWrite);
        return new TokenReset(
            after.Value, token, project.ApiToken, UnixTime.FromUnixMicroseconds(change.Now), Epoch: 0);
    }

    private static async Task<Outcome<TokenReset?>> FindUnansweredAsync(ControlWrite change, ProjectAccess project)
    {
        var row = await change.RowAsync<ResetRow>(
            $"""
            SELECT {ResetRow.Columns}
            FROM unanswered_resets r JOIN project_tokens t ON t.id = r.token_id AND t.revoked_at IS NULL
            WHERE r.user_id = @UserId AND r.project_id = @ProjectId
              AND COALESCE(r.told_at, t.created_at) > @After AND (r.told_at IS NOT NULL OR t.created_at < @Before)
            """,
            new
            {
                project.Actor.UserId,
                ProjectId = (long)project.ProjectId,
                After = change.Now - (long)Repeatable.TotalMicroseconds,
                Before = change.Now - (long)Abandoned.TotalMicroseconds,
            });
        return row?.ToReset(project);
    }

    /// <summary>In force, and then nobody's to be given again: only after both may it be told.</summary>
    private async Task FinishAsync(TokenReset reset, bool isRepeated)
    {
        try
        {
            if (isRepeated) await changes.ConfirmAsync();
            await NoteAsync(
                reset,
                """
                DELETE FROM unanswered_resets
                WHERE user_id = @UserId AND project_id = @ProjectId
                  AND token_id = (SELECT id FROM project_tokens WHERE token = @Token)
                """);
        }
        catch (TokenStoreException exception)
        {
            throw new NotInForceException(reset.Epoch, reset, exception);
        }
    }

    private async Task GiveUpAsync(TokenReset reset)
    {
        try
        {
            await NoteAsync(
                reset,
                """
                INSERT INTO unanswered_resets (user_id, project_id, token_id, told_at)
                SELECT @UserId, @ProjectId, id, @Now FROM project_tokens WHERE token = @Token
                ON CONFLICT (user_id, project_id) DO UPDATE
                SET token_id = excluded.token_id, told_at = excluded.told_at
                """);
        }
        catch (TokenStoreException)
        {
            // Then it counts as abandoned a little later.
        }
    }

    private async Task NoteAsync(TokenReset reset, string statement) => await changes.RunAsync<Done>(
        async change =>
        {
            await change.ExecuteAsync(
                statement,
                new
                {
                    reset.Project.Actor.UserId,
                    ProjectId = (long)reset.Project.ProjectId,
                    reset.Token,
                    change.Now,
                });
            return default(Done);
        },
        CancellationToken.None);
}

/// <summary>A regeneration that was recorded before.</summary>
internal sealed class ResetRow
{
    // The old token ended in the change that made the new one, at the same time. The epoch is the one that the log has;
    // when its tail was cut off, the present one is as good: not lower.
    public const string Columns =
        """
        t.token AS Token, t.created_at AS CreatedAt, t.revoked_at AS RevokedAt,
        (SELECT MAX(o.token) FROM project_tokens o
         WHERE o.project_id = t.project_id AND o.revoked_at = t.created_at) AS OldToken,
        COALESCE(
            (SELECT MIN(c.epoch) FROM change_log c WHERE c.token_id = t.id),
            (SELECT value FROM epoch)) AS Epoch
        """;

    public string Token { get; init; } = "";

    public string? OldToken { get; init; }

    public long CreatedAt { get; init; }

    public long? RevokedAt { get; init; }

    public long Epoch { get; init; }

    public bool IsLive => RevokedAt is null;

    public TokenReset ToReset(ProjectAccess project) =>
        new(project, Token, OldToken, UnixTime.FromUnixMicroseconds(CreatedAt), Epoch);
}
