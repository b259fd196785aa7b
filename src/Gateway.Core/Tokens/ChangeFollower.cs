namespace Gateway.Core.Tokens;

/// <summary>Keeps the table in step with the change log of the control database. Thread safe.</summary>
public sealed class ChangeFollower(TokenTable table, ITokenStore store) : IDisposable
{
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(3);

    private readonly SemaphoreSlim _one = new(1);
    private volatile bool _isReloading;

    /// <summary>True while the table cannot be brought up from the log and is being read anew.</summary>
    public bool IsReloading => _isReloading;

    /// <summary>Fills an empty table, or one that can no longer be brought up from the log.</summary>
    public async ValueTask ReloadAsync(CancellationToken cancellationToken)
    {
        await WaitAsync(cancellationToken);
        try
        {
            await LoadAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>
    /// Returns when the table has passed the stamp given, or was brought to where the database is now because the
    /// stamp is not on its line; reads nothing when it was passed already.
    /// </summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public ValueTask CatchUpAsync(EpochStamp stamp, CancellationToken cancellationToken) =>
        FollowAsync(stamp, table.HasPassed, cancellationToken);

    /// <summary>
    /// Brings the table to a stamp that was just read from the database: also back, when the database was put back to
    /// an older copy, and what the table has beyond it is not recorded any more.
    /// </summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public ValueTask FollowAsync(EpochStamp recorded, CancellationToken cancellationToken) =>
        FollowAsync(recorded, stamp => table.Snapshot.Stamp == stamp, cancellationToken);

    public void Dispose() => _one.Dispose();

    private async ValueTask FollowAsync(
        EpochStamp stamp, Predicate<EpochStamp> isThere, CancellationToken cancellationToken)
    {
        if (isThere(stamp)) return;

        await WaitAsync(cancellationToken);
        try
        {
            if (isThere(stamp)) return;

            var changes = await store.ReadChangesAsync(table.Snapshot.Stamp, cancellationToken);
            if (changes.HasGap)
            {
                await LoadAsync(cancellationToken);
            }
            else if (changes.Stamp != table.Snapshot.Stamp)
            {
                StopHere.At("fill-table");
                table.Apply(changes);
            }
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Who reads may wait for a database that is frozen; the others need not wait for all of them.</summary>
    private async ValueTask WaitAsync(CancellationToken cancellationToken)
    {
        if (!await _one.WaitAsync(Limit, cancellationToken))
            throw new TokenStoreException("The change log is not read in time.");
    }

    private async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        _isReloading = true;
        try
        {
            table.Load(await store.ReadImportedAsync(cancellationToken));
        }
        finally
        {
            _isReloading = false;
        }
    }
}
