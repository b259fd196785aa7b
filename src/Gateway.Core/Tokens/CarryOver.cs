namespace Gateway.Core.Tokens;

/// <summary>
/// Brings into force what is recorded: a change whose caller died before its fence's authority was told, or whose
/// commit came through though nobody heard of it. Looks once a second, and at once when somebody wakes it. It also
/// keeps the table in step while no request comes, so that the next one finds nothing to catch up with.
/// </summary>
public sealed class CarryOver(ITokenStore store, IEpochAuthority authority, ChangeFollower follower) : IDisposable
{
    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);

    private readonly SemaphoreSlim _isWanted = new(0, maxCount: 1);

    /// <summary>Does not block, and costs next to nothing when it is awake already: for callbacks.</summary>
    public void Wake()
    {
        try
        {
            _isWanted.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake already.
        }
        catch (ObjectDisposedException)
        {
            // A last hint after the end.
        }
    }

    /// <summary>Runs until it is cancelled.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            while (true)
            {
                await TryStepAsync(cancellationToken);
                await _isWanted.WaitAsync(Pace, cancellationToken);
            }
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>One look.</summary>
    /// <exception cref="TokenStoreException">The database or the authority does not answer.</exception>
    internal async ValueTask StepAsync(CancellationToken cancellationToken)
    {
        var recorded = await store.ReadEpochAsync(cancellationToken);
        await follower.FollowAsync(recorded, cancellationToken);
        await authority.RaiseAsync(recorded, cancellationToken);
    }

    public void Dispose() => _isWanted.Dispose();

    private async ValueTask TryStepAsync(CancellationToken cancellationToken)
    {
        try
        {
            await StepAsync(cancellationToken);
        }
        catch (Exception) when (!cancellationToken.IsCancellationRequested)
        {
            // Whoever asks the fence is told why; this has to go on, whatever it is.
        }
    }
}
