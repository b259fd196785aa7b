namespace Gateway.Core.Tokens;

/// <summary>The authority of several gateways on one database: what is committed is in force.</summary>
public sealed class DatabaseAuthority(ITokenStore store) : IEpochAuthority
{
    public AuthorityKind Kind => AuthorityKind.Database;

    public async ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken) =>
        await store.ReadEpochAsync(cancellationToken);

    /// <summary>Changes nothing; makes sure that whoever asks from now on is shown the change.</summary>
    /// <exception cref="TokenStoreException">The database shows less: another server took over without it.</exception>
    public async ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken)
    {
        var shown = await store.ReadEpochAsync(cancellationToken);
        if (shown.Epoch < stamp.Epoch) throw new TokenStoreException($"The database shows {shown}, not yet {stamp}.");
    }
}
