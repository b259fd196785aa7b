using System.Data.Common;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>Whether somebody may, as the database says at this moment.</summary>
internal delegate Task<Outcome<T>> Judge<T>(DbConnection connection, DbTransaction? transaction);

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
        if (written.Epoch > 0)
        {
            StopHere.At("committed");
            await authority.RaiseAsync(written.Epoch, CancellationToken.None);
        }

        return written;
    }

    /// <summary>
    /// As above, by somebody who must be allowed to: judged before, so that who may not takes nobody's place, and again
    /// inside the change, since access may have been lost in between.
    /// </summary>
    public async Task<Written<T>> RunAsync<TAccess, T>(
        Judge<TAccess> judge,
        Func<ControlWrite, TAccess, Task<Outcome<T>>> work,
        CancellationToken cancellationToken)
        where TAccess : IJudged
    {
        var before = await database.ReadAsync(
            async connection => await judge(connection, null), cancellationToken);
        if (before.Refusal is { } refusal) return new Written<T>(refusal, 0);

        return await RunAsync<T>(
            async change =>
            {
                var access = await judge(change.Connection, change.Transaction);
                if (access.Refusal is { } lost) return lost;

                await NoteUseAsync(change, access.Value.Actor);
                return await work(change, access.Value);
            },
            cancellationToken);
    }

    /// <summary>As above, for who does not tell the epoch.</summary>
    public async Task<Outcome<T>> ChangeAsync<TAccess, T>(
        Judge<TAccess> judge,
        Func<ControlWrite, TAccess, Task<Outcome<T>>> work,
        CancellationToken cancellationToken)
        where TAccess : IJudged =>
        (await RunAsync(judge, work, cancellationToken)).Outcome;

    /// <summary>Makes sure that a change which was recorded before is in force.</summary>
    /// <exception cref="TokenStoreException">It is not known to be: 503.</exception>
    public ValueTask ConfirmAsync(long epoch) => authority.RaiseAsync(epoch, CancellationToken.None);

    /// <summary>Reads something that the caller may see.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<T>> ReadAsync<TAccess, T>(
        Judge<TAccess> judge, Func<DbConnection, TAccess, Task<T>> read, CancellationToken cancellationToken)
        where TAccess : IJudged
    {
        Actor? actor = null;
        var outcome = await database.ReadAsync<Outcome<T>>(
            async connection =>
            {
                var access = await judge(connection, null);
                if (access.Refusal is { } refusal) return refusal;

                actor = access.Value.Actor;
                return await read(connection, access.Value);
            },
            cancellationToken);
        if (actor is not null) await NoteUseAsync(actor, cancellationToken);
        return outcome;
    }

    /// <summary>Reads a list of what the caller may enter.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<List<T>>> ListAsync<T>(
        Func<DbConnection, Task<Outcome<List<T>>>> read, CancellationToken cancellationToken)
        where T : IJudged
    {
        var list = await database.ReadAsync(
            async connection => await read(connection), cancellationToken);
        if (list.Refusal is null && list.Value.Count > 0)
            await NoteUseAsync(list.Value[0].Actor, cancellationToken);
        return list;
    }

    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public ValueTask<T> ReadAsync<T>(
        Func<DbConnection, ValueTask<T>> work, CancellationToken cancellationToken) =>
        database.ReadAsync(work, cancellationToken);

    /// <summary>Written down once a minute at most; it must not cost anyone the answer.</summary>
    public async ValueTask NoteUseAsync(Actor actor, CancellationToken cancellationToken)
    {
        if (!IsDue(actor)) return;

        try
        {
            await database.WriteAsync<Done>(
                async change =>
                {
                    await NoteUseAsync(change, actor);
                    return default(Done);
                },
                cancellationToken);
        }
        catch (TokenStoreException)
        {
            // A full disk or a busy writer: noted another time.
        }
    }

    private async Task NoteUseAsync(ControlWrite change, Actor actor)
    {
        if (!IsDue(actor)) return;

        await change.ExecuteAsync(
            """
            UPDATE personal_api_keys SET last_used_at = @Now
            WHERE id = @KeyId AND (last_used_at IS NULL OR last_used_at <= @Before)
            """,
            new { actor.Use!.Value.KeyId, change.Now, Before = change.Now - (long)UseNotedEvery.TotalMicroseconds });
    }

    private bool IsDue(Actor actor) =>
        actor.Use is { } key
        && (key.LastUsedAt is not { } last || last <= time.GetUtcNow().ToUnixMicroseconds()
            - (long)UseNotedEvery.TotalMicroseconds);

    private async Task CarryOverAsync()
    {
        // What is committed there is in force, and to ask once more is to wait once more.
        if (authority is DatabaseAuthority) return;

        try
        {
            long recorded = await store.ReadEpochAsync(CancellationToken.None);
            await authority.RaiseAsync(recorded, CancellationToken.None);
        }
        catch (TokenStoreException)
        {
            // Nothing was reported as done; the next change, or the next start, carries it over.
        }
    }
}
