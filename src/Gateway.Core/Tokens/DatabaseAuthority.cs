namespace Gateway.Core.Tokens;

/// <summary>The authority of several gateways on one database: what is committed is in force.</summary>
public sealed class DatabaseAuthority(ITokenStore store) : IEpochAuthority
{
    public ValueTask<long> AskAsync(CancellationToken cancellationToken) => store.ReadEpochAsync(cancellationToken);

    /// <summary>Changes nothing; makes sure that whoever asks from now on is shown the change.</summary>
    /// <exception cref="TokenStoreException">The database shows less: another server took over without it.</exception>
    public async ValueTask RaiseAsync(long epoch, CancellationToken cancellationToken)
    {
        long shown = await store.ReadEpochAsync(cancellationToken);
        if (shown < epoch) throw new TokenStoreException($"The database shows epoch {shown}, not yet {epoch}.");
    }
}
