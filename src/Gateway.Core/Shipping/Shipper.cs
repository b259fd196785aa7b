using Gateway.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Shipping;

/// <summary>
/// Carries the journal into ClickHouse: read a range, store it as one block, forget it, in this order, for ever. One
/// insert at a time. What dies between storing and forgetting is stored again, and shown once: see
/// <see cref="EventsTable"/>.
/// </summary>
public sealed class Shipper
{
    private static readonly TimeSpan DrainPoll = TimeSpan.FromMilliseconds(10);

    private readonly EventJournal _journal;
    private readonly DeadProjects _dead;
    private readonly ShipperOptions _options;
    private readonly TimeProvider _time;
    private readonly BlockSender _sender;
    private readonly JournalBatch _batch = new();
    private readonly EventBlock _block = new();
    private JournalPosition _position;
    private readonly TaskCompletionSource _hurry = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public Shipper(
        EventJournal journal,
        EventsTable table,
        Quarantine quarantine,
        DeadProjects dead,
        ShipperOptions options,
        TimeProvider time,
        Random random,
        ILogger logger)
    {
        _journal = journal;
        _position = journal.ShippedPosition;
        _dead = dead;
        _options = options;
        _time = time;
        _sender = new BlockSender(table, quarantine, dead, options, Status, time, random, logger);
    }

    public ShipperStatus Status { get; } = new();

    /// <summary>How long ago the oldest event that is not stored yet was received; zero when none waits.</summary>
    public TimeSpan Lag
    {
        get
        {
            if (_journal.Status.OldestWaitingMicros is not { } oldest) return TimeSpan.Zero;
            var age = _time.GetUtcNow() - DateTimeOffset.UnixEpoch.AddMicroseconds(oldest);
            return age > TimeSpan.Zero ? age : TimeSpan.Zero;
        }
    }

    /// <summary>
    /// Ships until the token is cancelled, then stops at once: what was not forgotten is shipped at the next start.
    /// </summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        try
        {
            await _sender.StartAsync(cancellationToken);
            while (true) await ShipNextAsync(cancellationToken);
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
        while (_journal.Status.BytesWaiting > 0) await Task.Delay(DrainPoll, _time, cancellationToken);
    }

    private async Task ShipNextAsync(CancellationToken cancellationToken)
    {
        await _journal.WaitForMoreAsync(_position, cancellationToken);
        long started = _time.GetTimestamp();
        if (!_journal.Read(_position, _batch, _options.BlockBytes)) return;

        _block.Clear(_dead.Ids);
        _block.Add(_batch);

        // Refused as a whole: read again, for there may be more by then, and among it a row that is accepted; or a
        // project of it was deleted meanwhile.
        if (!await _sender.SendAsync(_block, cancellationToken)) return;

        await ForgetAsync(_batch.Next, cancellationToken);
        _position = _batch.Next;
        _dead.CountDropped(_block.Dropped);
        Status.Finished(_block.RefusedRows);

        // The first event after a pause goes at once, a crowd gathers, and a backlog does not wait.
        if (_batch.Bytes.Length < _options.BlockBytes / 2) await GatherAsync(started, cancellationToken);
    }

    /// <summary>The disk may be too full even for this; what is stored already then waits to be forgotten.</summary>
    private async Task ForgetAsync(JournalPosition upTo, CancellationToken cancellationToken)
    {
        while (true)
        {
            string failure;
            try
            {
                await _journal.ForgetAsync(upTo);
                return;
            }
            catch (IOException exception)
            {
                failure = exception.Message;
            }

            await _sender.StallAsync("The journal's position cannot be kept: " + failure, cancellationToken);
        }
    }

    private async Task GatherAsync(long started, CancellationToken cancellationToken)
    {
        var rest = _options.Pace - _time.GetElapsedTime(started);
        if (rest <= TimeSpan.Zero) return;

        await await Task.WhenAny(Task.Delay(rest, _time, cancellationToken), _hurry.Task);
    }
}
