namespace Gateway.Core.Tokens;

/// <summary>Keeps the table in step with the change log of the control database. Thread safe.</summary>
public sealed class ChangeFollower(TokenTable table, ITokenStore store) : IDisposable
{
    private readonly SemaphoreSlim _one = new(1);

    /// <summary>Fills an empty table, or one that can no longer be brought up from the log.</summary>
    public async ValueTask ReloadAsync(CancellationToken cancellationToken)
    {
        await _one.WaitAsync(cancellationToken);
        try
        {
            await LoadAsync(cancellationToken);
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Returns when every change up to the epoch given is applied; reads nothing when it already is.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read, or has not come so far itself.</exception>
    public async ValueTask CatchUpAsync(long epoch, CancellationToken cancellationToken)
    {
        if (table.Epoch >= epoch) return;

        await _one.WaitAsync(cancellationToken);
        try
        {
            if (table.Epoch >= epoch) return;

            var changes = await store.ReadChangesAsync(table.Epoch, cancellationToken);
            if (changes.HasGap)
            {
                await LoadAsync(cancellationToken);
            }
            else
            {
                table.Apply(changes.Rows, changes.Epoch);
            }

            // Never vouch for changes that the database does not hold: it was restored, or it is not the same one.
            if (table.Epoch < epoch) throw new TokenStoreException("The control database is behind the fence.");
        }
        finally
        {
            _one.Release();
        }
    }

    public void Dispose() => _one.Dispose();

    private async ValueTask LoadAsync(CancellationToken cancellationToken)
    {
        var imported = await store.ReadImportedAsync(cancellationToken);
        table.Load(imported.Rows, imported.Epoch);
    }
}
