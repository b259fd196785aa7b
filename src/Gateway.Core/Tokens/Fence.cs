using System.Diagnostics;
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

    /// <summary>How groups were answered, and how long it took.</summary>
    public FenceCounters Counters { get; } = new();

    /// <summary>Who answered the last time.</summary>
    public AuthorityKind LastAnswerBy { get; private set; } = authority.Kind;

    /// <summary>False while the last question found nobody to answer it.</summary>
    public bool IsAvailable => Volatile.Read(ref _unavailable) == 0;

    /// <summary>Whether the table can vouch for anything.</summary>
    public FenceState State
    {
        get
        {
            if (table.Snapshot.Version == 0) return FenceState.Cold;
            if (follower.IsReloading) return FenceState.Reload;
            return IsAvailable ? FenceState.Synced : FenceState.Unsynced;
        }
    }

    /// <summary>The last change that the table has seen.</summary>
    public long Epoch => table.Snapshot.Stamp.Epoch;

    /// <summary>Asks; the table has caught up when the answer is <see cref="FenceVerdict.Moved"/>.</summary>
    /// <param name="oldestVersion">The oldest among the look-ups; each was read from the table.</param>
    /// <param name="cancellationToken">Ends the wait; the answer is then an exception.</param>
    public ValueTask<FenceAnswer> AskAsync(long oldestVersion, CancellationToken cancellationToken)
    {
        long started = Stopwatch.GetTimestamp();
        bool isSkipped = false;
        StopHere.Weaken("hints-only", ref isSkipped);
        var asked = isSkipped ? new(table.Snapshot.Stamp) : authority.AskAsync(cancellationToken);
        if (!asked.IsCompletedSuccessfully) return WaitAsync(asked, oldestVersion, started, cancellationToken);

        var shown = asked.Result;
        var snapshot = table.Snapshot;
        if (shown != snapshot.Stamp || snapshot.Version != oldestVersion || !IsAvailable)
            return WaitAsync(new ValueTask<EpochStamp?>(shown), oldestVersion, started, cancellationToken);

        Answered(authority.Kind, started);
        return new(new FenceAnswer(FenceVerdict.Same, snapshot.Stamp.Epoch, snapshot.Version));
    }

    /// <summary>Asks on nobody's behalf: whether there is somebody to answer.</summary>
    public async ValueTask<bool> ProbeAsync(CancellationToken cancellationToken) =>
        (await AskAsync(table.Snapshot.Version, cancellationToken)).Verdict != FenceVerdict.Unavailable;

    private async ValueTask<FenceAnswer> WaitAsync(
        ValueTask<EpochStamp?> asked, long oldestVersion, long started, CancellationToken cancellationToken)
    {
        try
        {
            var by = await JudgeAsync(asked, cancellationToken);
            Answered(by, started);
            if (Interlocked.Exchange(ref _unavailable, 0) == 1) LogAvailable();

            // What was applied up to here was read after the question, or is what the authority showed.
            var snapshot = table.Snapshot;
            bool isSame = snapshot.Version == oldestVersion;
            StopHere.Weaken("fence", ref isSame);
            var verdict = isSame ? FenceVerdict.Same : FenceVerdict.Moved;
            return new FenceAnswer(verdict, snapshot.Stamp.Epoch, snapshot.Version);
        }
        catch (TokenStoreException exception)
        {
            Counters.CountUnavailable();
            if (Interlocked.Exchange(ref _unavailable, 1) == 0) LogUnavailable(exception);
            return new FenceAnswer(FenceVerdict.Unavailable, Epoch);
        }
    }

    /// <summary>Returns when the table is at least where whoever was asked is; who that was.</summary>
    private async ValueTask<AuthorityKind> JudgeAsync(
        ValueTask<EpochStamp?> asked, CancellationToken cancellationToken)
    {
        EpochStamp? shown;
        bool isSilent = false;
        try
        {
            shown = await asked;
        }
        catch (TokenStoreException) when (authority.Kind != AuthorityKind.Database)
        {
            // The database is asked in its stead, unless it is what has just failed.
            (shown, isSilent) = (null, true);
        }

        bool isBehind = false;
        if (shown is { } stamp && stamp.Epoch >= table.Snapshot.Stamp.Epoch)
        {
            await follower.CatchUpAsync(stamp, cancellationToken);
            isBehind = table.Snapshot.Stamp.Epoch < stamp.Epoch;
            if (!isBehind) return authority.Kind;
        }

        // Nothing shown that can be used, or less than the table has seen, or more than the database holds. A change
        // is recorded in the database before it is in force, so to read it now can only be the safer answer.
        var recorded = await store.ReadEpochAsync(cancellationToken);
        await follower.FollowAsync(recorded, cancellationToken);
        if (!isSilent) await TellAsync(recorded, isBehind, cancellationToken);
        return AuthorityKind.Database;
    }

    private async ValueTask TellAsync(EpochStamp recorded, bool isBehind, CancellationToken cancellationToken)
    {
        // Never vouch by a database that holds less than it did, unless it can be written: then it is the one there is.
        if (isBehind && authority.Kind != AuthorityKind.Redis)
            throw new TokenStoreException("The control database is behind the fence.");

        try
        {
            await authority.RaiseAsync(recorded, cancellationToken);
        }
        catch (TokenStoreException) when (!isBehind)
        {
            // The database has answered for this group; the next one, or the one who carries over, tries again.
        }
    }

    private void Answered(AuthorityKind by, long started)
    {
        LastAnswerBy = by;
        Counters.Count(by, Stopwatch.GetElapsedTime(started));
    }

    [LoggerMessage(Level = LogLevel.Error, Message = "Nobody can say which tokens are live: requests get 503.")]
    private partial void LogUnavailable(Exception exception);

    [LoggerMessage(Level = LogLevel.Information, Message = "Tokens can be checked again.")]
    private partial void LogAvailable();
}
