using System.Collections.Frozen;
using Gateway.Core.Journal;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;

namespace Gateway.Tenancy;

/// <summary>
/// What each gateway does for a deleted project: it learns of the deletion, ships no more of its rows, and tells when
/// neither its journal nor its quarantine holds any. The order is what makes this true. First the set that the shipper
/// goes by; then a fence, so that every group that was admitted before the deletion is written and none is admitted
/// after it; then the journal's end, which lies behind all of them; and when the shipped position has come so far, an
/// answer was had for every insert that could hold such a row.
/// </summary>
/// <param name="erasure">Where the others look.</param>
/// <param name="journal">What may hold rows of a deleted project.</param>
/// <param name="dead">The set that the shipper goes by.</param>
/// <param name="eraseAside">Takes projects out of the quarantine, and says how many rows each had.</param>
/// <param name="gatewayId">Of the journal.</param>
/// <param name="time">The clock.</param>
/// <param name="log">Changes of state.</param>
internal sealed class DeletionFollower(
    Erasure erasure,
    EventJournal journal,
    DeadProjects dead,
    Func<FrozenSet<ulong>, IReadOnlyDictionary<ulong, long>> eraseAside,
    string gatewayId,
    TimeProvider time,
    ILogger log)
{
    private const string Work = "Following the deletion of projects";

    // Its group is asked for, not a look-up: whatever the fence says of an older one, the group has passed it.
    private const long AnyVersion = 0;

    private static readonly TimeSpan Pace = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan ReportEvery = TimeSpan.FromSeconds(10);

    private readonly DateTimeOffset _startedAt = time.GetUtcNow();
    private EpochStamp? _known;
    private long _newestDeletion;
    private long _cleanEpoch;
    private (long Epoch, JournalPosition UpTo)? _passing;
    private long _reportedAt;

    /// <summary>Up to which deletion this gateway holds nothing of a deleted project.</summary>
    public long CleanEpoch => _cleanEpoch;

    /// <summary>Writes this gateway down where the others look for it, also before it can say anything else.</summary>
    public Task RegisterAsync(CancellationToken cancellationToken) =>
        new PatientLoop(Work, Pace, time, log).RunAsync(
            async token =>
            {
                await ReportAsync(token);
                return true;
            },
            cancellationToken);

    /// <summary>
    /// Returns when the shipper may begin: it must not ship a backlog by a set that lacks what was deleted meanwhile.
    /// What an earlier process reported of this journal no longer counts: it may have died with an insert under way.
    /// </summary>
    public Task LoadAsync(CancellationToken cancellationToken) =>
        new PatientLoop(Work, Pace, time, log).RunAsync(
            async token =>
            {
                await LearnAsync(token);
                await ReportAsync(token);
                return true;
            },
            cancellationToken);

    public Task RunAsync(CancellationToken cancellationToken) =>
        new PatientLoop(Work, Pace, time, log).RunAsync(
            async token =>
            {
                await StepAsync(token);
                return false;
            },
            cancellationToken);

    /// <summary>One round.</summary>
    internal async Task StepAsync(CancellationToken cancellationToken)
    {
        await LearnAsync(cancellationToken);

        // Before what may fail: who is not heard of for a minute is not waited for, and holds these rows all the same.
        if (time.GetElapsedTime(_reportedAt) >= ReportEvery) await ReportAsync(cancellationToken);
        if (await PassAsync(cancellationToken)) await ReportAsync(cancellationToken);
        await CountAsync(cancellationToken);
    }

    private async Task ReportAsync(CancellationToken cancellationToken)
    {
        var report = new GatewayReport(gatewayId, Environment.MachineName, _startedAt, _cleanEpoch);
        await erasure.ReportAsync(report, cancellationToken);
        _reportedAt = time.GetTimestamp();
    }

    private async Task LearnAsync(CancellationToken cancellationToken)
    {
        var deletions = await erasure.ReadDeletionsAsync(_known, cancellationToken);
        if (deletions.LeadsOn)
        {
            if (deletions.Ids.Count > 0) dead.Replace(dead.Ids.Concat(deletions.Ids).ToFrozenSet());
        }
        else
        {
            // The first look, or an older copy of the database was put back: what it says counts, and nothing said
            // before does.
            (_passing, _cleanEpoch, _newestDeletion) = (null, 0, 0);
            dead.Replace(deletions.Ids);
        }

        _known = deletions.Stamp;
        _newestDeletion = Math.Max(_newestDeletion, deletions.NewestEpoch);
    }

    /// <summary>True when everything that the journal could hold of a deleted project has just been passed.</summary>
    private async Task<bool> PassAsync(CancellationToken cancellationToken)
    {
        long known = _known!.Value.Epoch;
        if (_passing is null && _cleanEpoch >= _newestDeletion)
        {
            // Nothing was deleted since.
            _cleanEpoch = known;
            return false;
        }

        if (_passing is null)
        {
            await erasure.ConfirmAsync();
            var fenced = await journal.FenceAsync(AnyVersion);
            if (fenced.Outcome is not (AppendOutcome.Kept or AppendOutcome.Stale)) return false;
            _passing = (known, journal.DurableEnd);
        }

        var (epoch, upTo) = _passing.Value;
        if (journal.ShippedPosition < upTo && journal.Status.BytesWaiting > 0) return false;

        dead.CountDropped(await EraseAsync(cancellationToken));
        _cleanEpoch = epoch;
        _passing = null;
        return true;
    }

    /// <summary>A large quarantine takes its time; that this gateway lives is said all along.</summary>
    private async Task<IReadOnlyDictionary<ulong, long>> EraseAsync(CancellationToken cancellationToken)
    {
        var erasing = Task.Run(() => eraseAside(dead.Ids), cancellationToken);
        while (await Task.WhenAny(erasing, Task.Delay(ReportEvery, time, cancellationToken)) != erasing)
        {
            try
            {
                await ReportAsync(cancellationToken);
            }
            catch (TokenStoreException)
            {
                // What is under way goes on; the next step says why.
            }
        }

        return await erasing;
    }

    private async Task CountAsync(CancellationToken cancellationToken)
    {
        var dropped = dead.TakeDropped();
        if (dropped.Count == 0) return;

        try
        {
            await erasure.AddRowsAsync(dropped, cancellationToken);
        }
        catch
        {
            dead.PutBack(dropped);
            throw;
        }
    }
}
