using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Shipping;

/// <summary>
/// Counts in the store what was shipped, before the journal forgets it. Where rows are short they are looked for one by
/// one: in the quarantine, among deleted projects, and by identity, for of two copies the store keeps the first. What
/// is then still absent was stored and is lost: the alarm fires, the journal keeps its segment, and the rows are
/// shipped again until they are found.
/// </summary>
internal sealed class StoreCheck(
    EventJournal journal,
    EventLedger ledger,
    StoredRows stored,
    BlockSender sender,
    DeadProjects dead,
    ShipperOptions options,
    ShipperStatus status,
    TimeProvider time,
    ILogger logger)
{
    private const int PartBytes = 16 << 20;

    // A store that is slow to count is asked less often: it has other things to do.
    private const int LeastPauseForOneCount = 10;

    // What was sent again may have waited for hours: that says nothing of how long counting takes.
    private static readonly TimeSpan LongestPause = TimeSpan.FromMinutes(1);

    private static readonly TimeSpan LookAgainAfter = TimeSpan.FromSeconds(1);

    private readonly UncountedParts _uncounted = new(PartBytes);
    private readonly JournalBatch _batch = new();
    private readonly EventBlock _block = new(Guid.Parse(ledger.JournalId));
    private readonly List<QuarantinedRow> _refused = [];
    private long _endedAt = time.GetTimestamp();
    private TimeSpan _pause = options.CheckEvery;
    private int _looks;
    private long _missedAt;
    private int _lost;
    private bool _hasFailed;

    /// <summary>
    /// How long until the next count is due; null: all is counted. After one that failed none is due at once, however
    /// much there is to count: a store that is away would be asked without a pause.
    /// </summary>
    public TimeSpan? DueIn
    {
        get
        {
            if (journal.ShippedPosition >= ledger.Position) return null;

            var rest = _pause - time.GetElapsedTime(_endedAt);
            bool isDue = rest <= TimeSpan.Zero
                || (_looks == 0 && !_hasFailed && journal.BytesBehind(journal.ShippedPosition)
                    - journal.BytesBehind(ledger.Position) >= options.UncheckedBytes);
            return isDue ? TimeSpan.Zero : rest;
        }
    }

    /// <summary>A range that was shipped and settled, behind the one before.</summary>
    public void Add(JournalBatch shipped) => _uncounted.Add(shipped);

    /// <summary>Counts what was shipped, and lets the journal forget it; or says why not, and is due again.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        try
        {
            var end = ledger.Position;
            while (journal.ShippedPosition < end && await CheckPartAsync(end, cancellationToken))
            {
            }

            _hasFailed = false;
        }
        catch (Exception exception) when (exception is ClickHouseException or IOException)
        {
            if (!_hasFailed) ShippingLog.NotCounted(logger, exception.Message);
            _hasFailed = true;
        }

        _endedAt = time.GetTimestamp();
        _pause = PauseAfter(time.GetElapsedTime(started, _endedAt));
    }

    private TimeSpan PauseAfter(TimeSpan took)
    {
        var standard = _looks > 0 && LookAgainAfter < options.CheckEvery ? LookAgainAfter : options.CheckEvery;
        var pause = took * LeastPauseForOneCount;
        if (pause > LongestPause) pause = LongestPause;
        return pause > standard ? pause : standard;
    }

    /// <summary>False when something is missing, and is to be looked for again.</summary>
    private async Task<bool> CheckPartAsync(JournalPosition end, CancellationToken cancellationToken)
    {
        var from = journal.ShippedPosition;
        var known = _uncounted.At(from);
        if (known is not null && known.From == from && await IsAllThereAsync(known, cancellationToken))
        {
            await ForgetAsync(known, duplicates: 0);
            return true;
        }

        // An earlier process shipped it; or it is known, and rows of it are short.
        var until = known?.Next ?? end;
        if (!journal.Read(from, _batch, PartBytes, until))
        {
            // Nothing readable is left before the end, of which the journal has told.
            await journal.ForgetAsync(until);
            return false;
        }

        // What can be read may be less than was shipped: what is short is not counted by it once more.
        var part = new UncountedPart(_batch);
        long duplicates = 0;
        if (known is not null || !await IsAllThereAsync(part, cancellationToken))
        {
            var absent = await ListAbsentAsync(part.Range, cancellationToken);
            var lost = await stored.WithoutIdentityAsync(absent, cancellationToken);
            if (lost.Count > 0)
            {
                await MissAsync(lost, cancellationToken);
                return false;
            }

            duplicates = absent.Count;
        }

        await ForgetAsync(part, duplicates);
        return true;
    }

    private async Task<bool> IsAllThereAsync(UncountedPart part, CancellationToken cancellationToken) =>
        part.Events == 0 || await stored.CountAsync(part.Range, cancellationToken) >= part.Events;

    private async Task ForgetAsync(UncountedPart part, long duplicates)
    {
        if (_lost > 0) ShippingLog.Restored(logger, _lost);
        (_looks, _lost) = (0, 0);
        status.Checked(part.Events, duplicates);
        await journal.ForgetAsync(part.Next);
        ledger.Quarantine.ForgetMarks(part.Range.Last + 1);
    }

    /// <summary>Events of the batch that should be in the store by their own sequence, and are not.</summary>
    private async Task<List<JournalRow>> ListAbsentAsync(RecordRange range, CancellationToken cancellationToken)
    {
        var present = await stored.ListAsync(range, cancellationToken);
        present.UnionWith(ledger.Quarantine.RowsOf(range.First, range.Last));

        var absent = new List<JournalRow>();
        var gone = dead.Ids;
        foreach (var record in _batch)
        {
            if (gone.Contains(record.ProjectId) || record.Payload.IsEmpty) continue;

            uint number = 0;
            var reader = new EventPayloadReader(record.Payload);
            for (; reader.TryReadRow(out var row); number++)
            {
                if (row[0] != EventPayload.EventKind || present.Contains((record.Sequence, number))) continue;
                absent.Add(new JournalRow(
                    record.Sequence,
                    number,
                    record.ProjectId,
                    record.ReceivedAtMicros,
                    reader.Ip.ToArray(),
                    row.ToArray()));
            }
        }

        return absent;
    }

    /// <summary>Seen more than once, since a replica may lag; then told, counted, and shipped again.</summary>
    private async Task MissAsync(List<JournalRow> lost, CancellationToken cancellationToken)
    {
        if (_looks++ == 0) _missedAt = time.GetTimestamp();
        if (_looks < options.LooksBeforeLoss || time.GetElapsedTime(_missedAt) < options.LossAfter) return;

        if (_lost == 0)
        {
            ledger.Correct(CountOf(lost));
            status.Lost(lost.Count);
            string projects = string.Join(", ", lost.Select(row => row.ProjectId).Distinct().Take(10));
            ShippingLog.Lost(logger, lost.Count, projects, lost[0].Sequence, lost[^1].Sequence);
        }

        _lost = Math.Max(_lost, lost.Count);
        _block.Clear(dead.Ids);
        foreach (var row in lost)
        {
            _block.Add(
                row.Sequence, row.ProjectId, row.ReceivedAtMicros, EventPayload.OfRow(row.Ip, row.Bytes), row.Row);
        }

        if (!await sender.SendAsync(_block, _refused, cancellationToken) || _refused.Count == 0) return;

        // It took them once, and does not any more.
        var putAside = new Settlement();
        putAside.Start(ledger.Position);
        foreach (var row in _refused) putAside.Quarantine(row);
        ledger.Correct(putAside);
    }

    private Settlement CountOf(List<JournalRow> lost)
    {
        var counts = new Settlement();
        counts.Start(ledger.Position);
        foreach (var row in lost) counts.Miss(row.ProjectId, row.ReceivedAtMicros);
        return counts;
    }
}
