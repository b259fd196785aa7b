namespace Gateway.Core.Tokens;

/// <summary>The authority of an installation with one gateway. Starts at what the database holds.</summary>
public sealed class ProcessAuthority(EpochStamp stamp) : IEpochAuthority
{
    private readonly Lock _raising = new();
    private Held _held = new(stamp);

    public AuthorityKind Kind => AuthorityKind.Process;

    public ValueTask<EpochStamp?> AskAsync(CancellationToken cancellationToken) =>
        new(Volatile.Read(ref _held).Stamp);

    public ValueTask RaiseAsync(EpochStamp stamp, CancellationToken cancellationToken)
    {
        // Only this process changes its file, so there is one line, and the greatest number is the latest.
        lock (_raising)
        {
            if (stamp.Epoch > _held.Stamp.Epoch) Volatile.Write(ref _held, new Held(stamp));
        }

        return default;
    }

    /// <summary>Both numbers in one reference: they are read together or not at all.</summary>
    private sealed record Held(EpochStamp Stamp);
}
