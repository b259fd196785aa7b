using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// How everything that the control plane does is done: a read is judged from the database after the request came in; a
/// change is a transaction, then the fence's authority, and only then the answer.
/// </summary>
internal sealed class ControlChanges(
    ControlDatabase database, ITokenStore store, IEpochAuthority authority, TimeProvider time)
{
    private static readonly TimeSpan UseNotedEvery = TimeSpan.FromMinutes(1);

    /// <summary>Runs a change; when this returns a value, the change is in force for every gateway.</summary>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public async Task<Written<T>> RunAsync<T>(
        Func<ControlWrite, Task<Outcome<T>>> work, CancellationToken cancellationToken)
    {
        Written<T> written;
        try
        {
            written = await database.WriteAsync(work, cancellationToken);
        }
        catch (TokenStoreException)
        {
            // A commit that failed may have gone through all the same; then it must come into force.
            await CarryOverAsync();
            throw;
        }

        // Recorded: from here on nothing may stop it from coming into force.
        if (written.Epoch > 0) await authority.RaiseAsync(written.Epoch, CancellationToken.None);
        return written;
    }

    /// <summary>As above, for who does not tell the epoch.</summary>
    public async Task<Outcome<T>> ChangeAsync<T>(
        Func<ControlWrite, Task<Outcome<T>>> work, CancellationToken cancellationToken) =>
        (await RunAsync(work, cancellationToken)).Outcome;

    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public ValueTask<T> ReadAsync<T>(
        Func<System.Data.Common.DbConnection, ValueTask<T>> work, CancellationToken cancellationToken) =>
        database.ReadAsync(work, cancellationToken);

    /// <summary>Written down once a minute at most; it must not cost anyone the answer.</summary>
    public async ValueTask NoteUseAsync(Actor actor, CancellationToken cancellationToken)
    {
        if (actor.Use is not { } key) return;

        long now = time.GetUtcNow().ToUnixMicroseconds();
        long before = now - (long)UseNotedEvery.TotalMicroseconds;
        if (key.LastUsedAt > before) return;

        try
        {
            await database.WriteAsync<Done>(
                async change =>
                {
                    await change.ExecuteAsync(
                        """
                        UPDATE personal_api_keys SET last_used_at = @Now
                        WHERE id = @KeyId AND (last_used_at IS NULL OR last_used_at <= @Before)
                        """,
                        new { key.KeyId, change.Now, Before = before });
                    return default(Done);
                },
                cancellationToken);
        }
        catch (TokenStoreException)
        {
            // A full disk or a busy writer: noted another time.
        }
    }

    private async Task CarryOverAsync()
    {
        try
        {
            long recorded = await store.ReadEpochAsync(CancellationToken.None);
            await authority.RaiseAsync(recorded, CancellationToken.None);
        }
        catch (TokenStoreException)
        {
            // Done was reported as done; the next change, or the next start, carries it over.
        }
    }
}
