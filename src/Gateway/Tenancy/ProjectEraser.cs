using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;

namespace Gateway.Tenancy;

/// <summary>
/// Erases deleted projects from ClickHouse, and goes on looking. A project is erased when every gateway that lives has
/// passed its deletion: then no insert of theirs can bring a row of it any more, but one whose answer never came. Such
/// a late one is found by looking again, at each sweep for as long as it is likely and rarely for ever after. Every
/// step can be taken again, by this process or by another one, also by two at once.
/// </summary>
internal sealed class ProjectEraser(
    Erasure erasure, EventsEraser events, string gatewayId, TimeSpan sweepEvery, TimeProvider time, ILogger log)
{
    private const int MaxPasses = 10;
    private const int SweepsOfRecent = 60;
    private const int OthersTurn = 10;

    private static readonly TimeSpan LongestPace = TimeSpan.FromSeconds(1);

    private readonly HashSet<string> _clean = [];
    private int _round;
    private int _sweeps;
    private long? _sweptAt;
    private bool _sweepsAll = true;
    private long _rows;

    /// <summary>Stored rows deleted since the start.</summary>
    public long Rows => Interlocked.Read(ref _rows);

    public Task RunAsync(CancellationToken cancellationToken) =>
        new PatientLoop(
            "Erasing deleted projects", sweepEvery < LongestPace ? sweepEvery : LongestPace, time, log).RunAsync(
            async token =>
            {
                await StepAsync(token);
                return false;
            },
            cancellationToken);

    /// <summary>One round.</summary>
    internal async Task StepAsync(CancellationToken cancellationToken)
    {
        var work = await erasure.ReadWorkAsync(cancellationToken);
        NoteWhoIsClean(work);
        if (!IsMyTurn(work)) return;

        var due = work.Waiting.Where(project => work.Gateways.All(gateway => gateway.CleanEpoch >= project.Epoch));
        foreach (ulong[] projects in due.Select(project => project.Id).Chunk(EventsEraser.MaxProjects))
            await EraseAsync(projects, cancellationToken);

        bool isDue = _sweptAt is not { } at || time.GetElapsedTime(at) >= sweepEvery;
        if (isDue && work.NewestEpoch > 0) await SweepAsync(cancellationToken);
    }

    /// <summary>
    /// A gateway that is seen to have passed the last deletion may have been away, and left inserts on their way.
    /// </summary>
    private void NoteWhoIsClean(ErasureWork work)
    {
        var clean = work.Gateways.Where(gateway => gateway.CleanEpoch >= work.NewestEpoch)
            .Select(gateway => gateway.Id).ToHashSet(StringComparer.Ordinal);
        if (!clean.IsSubsetOf(_clean)) _sweepsAll = true;
        _clean.Clear();
        _clean.UnionWith(clean);
    }

    /// <summary>
    /// The first of those that live does the work; the others look now and then, for it may live and not get through.
    /// Who is not among them itself cannot know whom to wait for.
    /// </summary>
    private bool IsMyTurn(ErasureWork work)
    {
        _round++;
        if (work.Gateways.All(gateway => gateway.Id != gatewayId)) return false;

        return work.Gateways[0].Id == gatewayId || _round % OthersTurn == 0;
    }

    private async Task EraseAsync(ulong[] projects, CancellationToken cancellationToken)
    {
        await events.WaitForInsertsAsync(cancellationToken);

        long erased = 0;
        var left = await events.CountAsync(projects, cancellationToken);
        for (int pass = 0; pass < MaxPasses && left.Count > 0; pass++)
        {
            await events.DeleteAsync(left.Keys, cancellationToken);
            var before = left;
            left = await events.CountAsync(projects, cancellationToken);
            var gone = before.ToDictionary(
                pair => pair.Key, pair => Math.Max(0, pair.Value - left.GetValueOrDefault(pair.Key)));
            long rows = gone.Values.Sum();
            erased += rows;
            Interlocked.Add(ref _rows, rows);
            await erasure.AddRowsAsync(gone, cancellationToken);
        }

        ulong[] done = [.. projects.Where(project => !left.ContainsKey(project))];
        await erasure.CloseAsync(done, cancellationToken);
        if (done.Length > 0) ErasureLog.Erased(log, done.Length, erased);
    }

    /// <summary>
    /// Looks again at what was erased: at each sweep at what was deleted within the last sixty, and at all of it every
    /// sixtieth time, at the first, and when a gateway came back.
    /// </summary>
    private async Task SweepAsync(CancellationToken cancellationToken)
    {
        bool all = _sweepsAll || _sweeps % SweepsOfRecent == 0;
        DateTimeOffset? after = all ? null : time.GetUtcNow() - (sweepEvery * SweepsOfRecent);
        var erased = await erasure.ReadErasedAsync(after, cancellationToken);
        foreach (ulong[] projects in erased.Chunk(EventsEraser.MaxProjects))
        {
            var found = await events.CountAsync(projects, cancellationToken);
            if (found.Count == 0) continue;

            ErasureLog.TurnedUp(log, found.Count);
            await erasure.ReopenAsync(found.Keys, cancellationToken);
        }

        _sweeps++;
        _sweepsAll = false;
        _sweptAt = time.GetTimestamp();
    }
}
