namespace Gateway.Core.Tokens;

/// <summary>
/// Who is asked whether anything changed. A change is reported as done only when the authority shows its epoch, so
/// one read of it vouches for everything looked up before. In the process for SQLite, whose file one gateway holds;
/// the database or Redis where several share one. A failure is a <see cref="TokenStoreException"/>.
/// </summary>
public interface IEpochAuthority
{
    /// <summary>The epoch in force. Completes synchronously and allocates nothing when no I/O is needed.</summary>
    ValueTask<long> AskAsync(CancellationToken cancellationToken);

    /// <summary>Puts an epoch in force; one that is not above the present one changes nothing.</summary>
    ValueTask RaiseAsync(long epoch, CancellationToken cancellationToken);
}

/// <summary>The authority of an installation with one gateway. Starts at what the database holds.</summary>
public sealed class ProcessAuthority(long epoch) : IEpochAuthority
{
    private long _epoch = epoch;

    public ValueTask<long> AskAsync(CancellationToken cancellationToken) => new(Volatile.Read(ref _epoch));

    public ValueTask RaiseAsync(long epoch, CancellationToken cancellationToken)
    {
        long seen = Volatile.Read(ref _epoch);
        while (seen < epoch)
        {
            long before = Interlocked.CompareExchange(ref _epoch, epoch, seen);
            if (before == seen) break;
            seen = before;
        }

        return default;
    }
}
