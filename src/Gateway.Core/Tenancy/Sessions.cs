using System.Security.Cryptography;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>A session that has just begun. Not a record: its text would show the id.</summary>
public sealed class NewSession
{
    /// <summary>For the cookie alone; the database keeps its hash.</summary>
    public required string Id { get; init; }

    public required DateTimeOffset ExpiresAt { get; init; }
}

/// <summary>
/// Who is signed in. A session is a row; whoever shows its id is its user, for as long as the row is there. So signing
/// out ends it on every gateway and for every copy of the cookie.
/// </summary>
public sealed class Sessions
{
    public static readonly TimeSpan Lifetime = TimeSpan.FromDays(14);

    /// <summary>Of one user at one time; a further one ends the oldest.</summary>
    public const int MaxPerUser = 50;

    private const int IdBytes = 32;

    private readonly ControlChanges _changes;

    internal Sessions(ControlChanges changes) => _changes = changes;

    /// <summary>Signs somebody in whose password was right a moment ago.</summary>
    /// <param name="verified">What the password was checked against; it must still be so.</param>
    /// <param name="newHash">The password hashed anew, when the old hash is of an older kind.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">It cannot be written: 503.</exception>
    public async Task<Outcome<NewSession>> OpenAsync(
        Credentials verified, string? newHash, CancellationToken cancellationToken)
    {
        var written = await _changes.RunAsync<NewSession>(
            async change =>
            {
                int found = await change.ExecuteAsync(
                    """
                    UPDATE users SET last_login_at = @Now, password_hash = @NewHash
                    WHERE id = @UserId AND password_hash = @Hash
                    """,
                    new { change.Now, NewHash = newHash ?? verified.Hash, verified.UserId, verified.Hash });
                if (found == 0) return Refusal.Unauthenticated("The password has just been changed.");

                return await InsertAsync(change, verified.UserId);
            },
            cancellationToken);
        return written.Outcome;
    }

    /// <summary>Signs out: the session is over wherever its cookie has been copied to.</summary>
    /// <exception cref="TokenStoreException">It cannot be written: 503.</exception>
    public async Task<Outcome<Done>> CloseAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (caller.SessionId is null) return Refusal.Unauthenticated("Nobody is signed in.");

        var written = await _changes.RunAsync<Done>(
            async change =>
            {
                long? userId = await change.ScalarAsync<long?>(
                    "DELETE FROM sessions WHERE sha256 = @Sha256 AND expires_at > @Now RETURNING user_id",
                    new { caller.Sha256, change.Now });
                if (userId is null) return Refusal.Unauthenticated("The session has ended already.");

                change.Touch("session", userId.Value);
                return default(Done);
            },
            cancellationToken);
        return written.Outcome;
    }

    /// <summary>Forgets sessions that are over anyway.</summary>
    internal async Task CleanUpAsync(CancellationToken cancellationToken) =>
        await _changes.RunAsync<Done>(
            async change =>
            {
                await change.ExecuteAsync("DELETE FROM sessions WHERE expires_at <= @Now", new { change.Now });
                return default(Done);
            },
            cancellationToken);

    /// <summary>A further session of a user, and no more of those that are over.</summary>
    internal static async Task<NewSession> InsertAsync(ControlWrite change, long userId)
    {
        var session = new NewSession
        {
            Id = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(IdBytes)),
            ExpiresAt = UnixTime.FromUnixMicroseconds(change.Now) + Lifetime,
        };
        await change.ExecuteAsync(
            """
            DELETE FROM sessions WHERE user_id = @UserId AND (expires_at <= @Now OR sha256 NOT IN (
                SELECT sha256 FROM sessions WHERE user_id = @UserId ORDER BY created_at DESC LIMIT @Others))
            """,
            new { UserId = userId, change.Now, Others = MaxPerUser - 1 });
        await change.ExecuteAsync(
            """
            INSERT INTO sessions (sha256, user_id, created_at, expires_at) VALUES (@Sha256, @UserId, @Now, @ExpiresAt)
            """,
            new
            {
                Sha256 = TokenFormat.Sha256Of(session.Id),
                UserId = userId,
                change.Now,
                ExpiresAt = session.ExpiresAt.ToUnixMicroseconds(),
            });
        return session;
    }

    /// <summary>Ends all sessions of a user but the caller's.</summary>
    internal static async Task CloseOthersAsync(ControlWrite change, long userId, Caller caller)
    {
        await change.ExecuteAsync(
            "DELETE FROM sessions WHERE user_id = @UserId AND sha256 <> @Sha256",
            new { UserId = userId, caller.Sha256 });
        change.Touch("session", userId);
    }
}
