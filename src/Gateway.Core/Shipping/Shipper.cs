using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Shipping;

/// <summary>
/// Carries the journal into ClickHouse: read a range, store it as one block, settle it in the ledger, in this order,
/// for ever; and now and then count in the store what was settled, and let the journal forget it. One statement at a
/// time. What dies between storing and settling is stored again, and shown once: see <see cref="EventsTable"/>.
/// </summary>
public sealed class Shipper
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(10);

    private readonly EventJournal _journal;
    private readonly EventLedger _ledger;
    private readonly DeadProjects _dead;
    private readonly ShipperOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly BlockSender _sender;
    private readonly StoreCheck _check;
    private readonly JournalBatch _batch = new();
    private readonly EventBlock _block;
    private readonly List<QuarantinedRow> _refused = [];
    private readonly Settlement _settlement = new();
    private readonly TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Shipper(
        EventJournal journal,
        EventLedger ledger,
        EventsTable table,
        DeadProjects dead,
        ShipperOptions options,
        TimeProvider time,
        Random random,
        ILogger logger)
    {
        (_journal, _ledger, _dead, _options, _time, _logger) = (journal, ledger, dead, options, time, logger);
        Freshness = new Freshness(time);
        var journalId = Guid.Parse(ledger.JournalId);
        _block = new EventBlock(journalId);
        _sender = new BlockSender(table, dead, options, Status, time, random, logger);
        _check = new StoreCheck(
            journal, ledger, table.RowsOf(journalId), _sender, dead, options, Status, time, logger);
    }

    public ShipperStatus Status { get; } = new();

    public Freshness Freshness { get; }

    /// <summary>Bytes of the journal that are not shipped yet.</summary>
    public long BytesWaiting => _journal.BytesBehind(_ledger.Position);

    /// <summary>How long ago the oldest event that is not stored yet was received; zero when none waits.</summary>
    public TimeSpan Lag
    {
        get
        {
            if (BytesWaiting == 0 || _journal.PeekReceivedAt(_ledger.Position) is not { } oldest) return TimeSpan.Zero;
            var age = _time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddMicroseconds(oldest);
            return age > TimeSpan.Zero ? age : TimeSpan.Zero;
        }
    }

    /// <summary>
    /// Ships until the token is cancelled, then stops at once: what was not settled is shipped at the next start.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _sender.StartAsync(cancellationToken);
            while (true) await StepAsync(cancellationToken);
        }
        catch (OperationCanceledException) when (cancellationToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>
    /// For the end of the process, when nothing is appended any more: nothing is gathered from now on. Returns when all
    /// is shipped, while <see cref="RunAsync"/> goes on.
    /// </summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        _hurry.TrySetResult();
        while (BytesWaiting > 0) await Task.Delay(DrainPoll, _time, cancellationToken);
    }

    /// <summary>A count that is due, and the next range, if there is one.</summary>
    internal async Task StepAsync(CancellationToken cancellationToken)
    {
        if (_check.DueIn <= TimeSpan.Zero) await _check.RunAsync(cancellationToken);
        if (await WaitForMoreAsync(cancellationToken)) await ShipNextAsync(cancellationToken);
    }

    /// <summary>False when a count is due before anything came.</summary>
    private async Task<bool> WaitForMoreAsync(CancellationToken cancellationToken)
    {
        if (_check.DueIn is not { } due)
        {
            await _journal.WaitForMoreAsync(_ledger.Position, cancellationToken);
            return true;
        }

        using var limit = new CancellationTokenSource(due, _time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(limit.Token, cancellationToken);
        try
        {
            await _journal.WaitForMoreAsync(_ledger.Position, either.Token);
            return true;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return false;
        }
    }

    private async Task ShipNextAsync(CancellationToken cancellationToken)
    {
        long started = _time.GetTimestamp();
        if (!await ReadAsync(cancellationToken)) return;

        _block.Clear(_dead.Ids);
        _block.Add(_batch);

        // Sent in vain: read again, for there may be more by then, and among it a row that is accepted; or a project
        // of it was deleted meanwhile.
        if (!await _sender.SendAsync(_block, _refused, cancellationToken)) return;

        MakeSettlement();
        StopHere.At("stored");
        if (!await SettleAsync(cancellationToken)) return;

        _check.Add(_batch);
        TellOfSettlement();
        _dead.CountDropped(_block.Dropped);
        Status.Finished(_block.RefusedRows);

        // The first event after a pause goes at once, a crowd gathers, and a backlog does not wait: neither one of
        // whole blocks, nor one of small segments, for a range ends with its segment.
        bool isBacklog = _batch.Bytes.Length >= _options.BlockBytes / 2
            || _batch.Next.Segment < _journal.DurableEnd.Segment;
        if (!isBacklog) await GatherAsync(started, cancellationToken);
    }

    /// <summary>False, after a while, when nothing can be read: the disk fails, or the end is damaged.</summary>
    private async Task<bool> ReadAsync(CancellationToken cancellationToken)
    {
        string failure;
        try
        {
            if (_journal.Read(_ledger.Position, _batch, _options.BlockBytes)) return true;
            failure = "its end holds no readable record.";
        }
        catch (Exception exception) when (exception is IOException or JournalException)
        {
            failure = exception.Message;
        }

        await _sender.StallAsync("The journal cannot be read: " + failure, cancellationToken);
        return false;
    }

    private void MakeSettlement()
    {
        _settlement.Start(_batch.Next);
        foreach (var record in _batch)
        {
            var (events, refused) = EventPayload.Count(record.Payload);
            var (sequence, project, received) = (record.Sequence, record.ProjectId, record.ReceivedAtMicros);
            if (_block.Dead.Contains(project))
            {
                _settlement.Erase(sequence, project, received, events, refused);
                continue;
            }

            _settlement.Ship(sequence, project, received, events, refused);
            if (refused > 0) PutAsideRefused(record);
        }

        foreach (var row in _refused) _settlement.Quarantine(row);
    }

    private void TellOfSettlement()
    {
        long now = _time.GetUtcNow().ToUnixMicroseconds();
        foreach (var record in _batch)
        {
            if (_block.Dead.Contains(record.ProjectId)) continue;
            int events = EventPayload.Count(record.Payload).Events;
            Freshness.Add(record.ProjectId, record.ReceivedAtMicros, now, events);
        }

        _sender.Resume();
        if (_refused.Count == 0) return;

        Status.Quarantined(_refused.Count);
        ShippingLog.Quarantined(_logger, _refused.Count, _refused[^1].Reason);
    }

    /// <summary>What capture refused beside good events was journalled with them.</summary>
    private void PutAsideRefused(JournalRecordView record)
    {
        uint number = 0;
        var reader = new EventPayloadReader(record.Payload);
        for (; reader.TryReadRow(out var row); number++)
        {
            if (row[0] != EventPayload.RefusedKind) continue;

            var refused = new RefusedRow(row);
            _settlement.Quarantine(new QuarantinedRow(
                new JournalRow(
                    record.Sequence,
                    number,
                    record.ProjectId,
                    record.ReceivedAtMicros,
                    reader.Ip.ToArray(),
                    row.ToArray()),
                RejectionCode.Of(refused.Reason),
                System.Text.Encoding.UTF8.GetString(refused.Detail)));
        }
    }

    /// <summary>
    /// The disk, or the quarantine, may be too full even for this; what is stored already waits for it. False when a
    /// project was deleted meanwhile: then there may be less to put aside.
    /// </summary>
    private async Task<bool> SettleAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            string failure;
            try
            {
                _ledger.Settle(_settlement);
                return true;
            }
            catch (IOException exception)
            {
                failure = exception.Message;
            }

            await _sender.StallAsync("What was shipped cannot be settled: " + failure, cancellationToken);
            if (_block.Dead != _dead.Ids) return false;
        }
    }

    private async Task GatherAsync(long started, CancellationToken cancellationToken)
    {
        var rest = _options.Pace - _time.GetElapsedTime(started);
        if (rest <= TimeSpan.Zero) return;

        await await Task.WhenAny(Task.Delay(rest, _time, cancellationToken), _hurry.Task);
    }
}
