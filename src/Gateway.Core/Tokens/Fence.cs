using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tokens;

/// <summary>
/// Says of a group that closed before whether the look-ups behind it still hold. No clock and no bound on pauses is
/// used: a change that was reported as done is shown by the authority to whoever asks afterwards. Thread safe; costs
/// one volatile read when nothing moved and the authority is in the process.
/// </summary>
public sealed partial class Fence(
    IEpochAuthority authority, TokenTable table, ChangeFollower follower, ITokenStore store, ILogger<Fence> logger)
{
    private int _unavailable;

    /// <summary>False while the last question found nobody to answer it.</summary>
    public bool IsAvailable => Volatile.Read(ref _unavailable) == 0;

    /// <summary>Asks; the table has caught up when the answer is <see cref="FenceVerdict.Moved"/>.</summary>
    /// <param name="oldestEpoch">The oldest among the look-ups; each was read from the table.</param>
    /// <param name="cancellationToken">Ends the wait; the answer is then an exception.</param>
    public ValueTask<FenceAnswer> AskAsync(long oldestEpoch, CancellationToken cancellationToken)
    {
        var asked = authority.AskAsync(cancellationToken);
        if (!asked.IsCompletedSuccessfully) return WaitAsync(asked, oldestEpoch, cancellationToken);

        long shown = asked.Result;
        return shown == oldestEpoch && IsAvailable
            ? new(new FenceAnswer(FenceVerdict.Same, shown))
            : WaitAsync(new ValueTask<long>(shown), oldestEpoch, cancellationToken);
    }

    /// <summary>Asks on nobody's behalf: whether there is somebody to answer.</summary>
    public async ValueTask<bool> ProbeAsync(CancellationToken cancellationToken) =>
        (await AskAsync(table.Epoch, cancellationToken)).Verdict != FenceVerdict.Unavailable;

    private async ValueTask<FenceAnswer> WaitAsync(
        ValueTask<long> asked, long oldestEpoch, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await JudgeAsync(asked, oldestEpoch, cancellationToken);
            if (Interlocked.Exchange(ref _unavailable, 0) == 1) LogAvailable();
            return answer;
        }
        catch (TokenStoreException exception)
        {
            if (Interlocked.Exchange(ref _unavailable, 1) == 0) LogUnavailable(exception);
            return new FenceAnswer(FenceVerdict.Unavailable, oldestEpoch);
        }
    }

    private async ValueTask<FenceAnswer> JudgeAsync(
        ValueTask<long> asked, long oldestEpoch, CancellationToken cancellationToken)
    {
        long? shown = await ShownAsync(asked);

        // Nothing shown, or less than the table has already seen: the database is asked, and that is this group's
        // fence. A change is recorded there before it is in force, so this can only be the safer answer.
        if (shown is null || shown < oldestEpoch)
        {
            long recorded = await store.ReadEpochAsync(cancellationToken);
            if (shown is not null) await authority.RaiseAsync(recorded, cancellationToken);
            shown = recorded;
        }

        if (shown == oldestEpoch) return new FenceAnswer(FenceVerdict.Same, oldestEpoch);

        // The database itself has gone back: nothing that was looked up before can be relied on.
        if (shown < oldestEpoch)
        {
            await follower.ReloadAsync(cancellationToken);
        }
        else
        {
            await follower.CatchUpAsync(shown.Value, cancellationToken);
        }

        return new FenceAnswer(FenceVerdict.Moved, table.Epoch);
    }

    private async ValueTask<long?> ShownAsync(ValueTask<long> asked)
    {
        try
        {
            return await asked;
        }
        catch (TokenStoreException) when (authority is not DatabaseAuthority)
        {
            // The database is asked in its stead, unless it is what has just failed.
            return null;
        }
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Nobody can say which tokens are live: requests get 503.")]
    private partial void LogUnavailable(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Tokens can be checked again.")]
    private partial void LogAvailable();
}
