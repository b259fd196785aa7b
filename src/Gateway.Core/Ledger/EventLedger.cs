using System.Runtime.InteropServices;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Ledger;

/// <summary>
/// The books of one journal: for each project and minute of receipt, what was accepted and what became of it. An event
/// is counted as waiting by the record that made it durable, before anybody is answered, and leaves that count by the
/// settlement of the range that it lay in, which is kept in one step with the position. So the counts are exact at
/// every moment, and after every death of the process.
/// </summary>
/// <remarks>
/// They are checked as they are kept. Sequences have no gap: one between two settlements is a record that was durable
/// and could not be read. And once everything that was accepted is settled, nothing may be waiting: what still is was
/// lost on the way.
/// </remarks>
public sealed class EventLedger : IDisposable
{
    public const string FileName = "ledger.db";

    private const int RecoverBytes = 4 << 20;
    private static readonly TimeSpan ForgetEvery = TimeSpan.FromHours(1);

    private readonly LedgerFile _file;
    private readonly LedgerOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly Lock _waitingLock = new();
    private readonly Dictionary<MinuteKey, Waiting> _waiting = [];
    private LedgerProgress _progress;
    private LedgerTotals _totals;
    private ulong _lastAccepted;
    private long? _forgotAt;

    private EventLedger(
        LedgerFile file, LedgerProgress progress, LedgerOptions options, TimeProvider time, ILogger log)
    {
        (_file, _progress, _options, _time, _log) = (file, progress, options, time, log);
        Quarantine = new Quarantine(file, options.QuarantineBytes, time);
        Health = new HealthHistory(file, options.Keep, time);
    }

    public Quarantine Quarantine { get; }

    /// <summary>How projects fared, minute by minute.</summary>
    public HealthHistory Health { get; }

    public string JournalId => _progress.JournalId;

    /// <summary>Behind the last record that was settled: where shipping goes on.</summary>
    public JournalPosition Position => Volatile.Read(ref _progress).Position;

    /// <summary>Of the record that is settled next; 0: none was yet.</summary>
    public ulong NextSequence => Volatile.Read(ref _progress).NextSequence;

    /// <summary>Sums since the start of this process, and what waits now.</summary>
    public LedgerTotals Totals
    {
        get
        {
            lock (_waitingLock) return _totals with { LostRecords = _progress.LostRecords };
        }
    }

    /// <summary>
    /// Opens a journal's books, or begins them. Where the journal has forgotten more than they know of, or where they
    /// are new, they go on from what it has.
    /// </summary>
    /// <param name="journal">The journal, recovered.</param>
    /// <param name="folder">The folder of its segments.</param>
    /// <param name="journalId">Which journal this is.</param>
    /// <param name="options">How much is kept.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Changes of state and failures.</param>
    /// <exception cref="LedgerException">It cannot be opened, or is another journal's; for the operator.</exception>
    public static EventLedger Open(
        EventJournal journal, string folder, string journalId, LedgerOptions options, TimeProvider time, ILogger log)
    {
        string path = Path.Combine(folder, FileName);
        return Open(LedgerFile.Open(path), journal, path, journalId, options, time, log);
    }

    /// <summary>As above, in a file that is open.</summary>
    internal static EventLedger Open(
        LedgerFile file,
        EventJournal journal,
        string path,
        string journalId,
        LedgerOptions options,
        TimeProvider time,
        ILogger log)
    {
        try
        {
            return new EventLedger(file, Begin(file, journal, path, journalId, log), options, time, log);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Counts what was found waiting in the journal, once, before anything of it is settled.</summary>
    /// <param name="journal">The journal.</param>
    /// <param name="end">Behind the last record that was there before <see cref="Accept"/> was told of others.</param>
    /// <returns>The greatest id of a project among them and in the books; 0: there is none.</returns>
    public ulong Recover(EventJournal journal, JournalPosition end)
    {
        ulong greatest = _file.GreatestProject();
        long events = 0;
        var batch = new JournalBatch();
        for (var position = Position; position < end && journal.Read(position, batch, RecoverBytes, end);)
        {
            foreach (var record in batch)
            {
                Accept(record.Sequence, record.ProjectId, record.ReceivedAtMicros, record.Payload);
                greatest = Math.Max(greatest, record.ProjectId);
                events += EventPayload.Count(record.Payload).Events;
            }

            position = batch.Next;
        }

        LedgerLog.Waiting(_log, events);
        return greatest;
    }

    /// <summary>A record is durable. See <see cref="RecordKept"/>.</summary>
    public void Accept(ulong sequence, ulong projectId, long receivedAtMicros, ReadOnlySpan<byte> payload)
    {
        var counts = EventPayload.Count(payload);
        lock (_waitingLock)
        {
            _lastAccepted = Math.Max(_lastAccepted, sequence);
            Wait(MinuteKey.Of(projectId, receivedAtMicros), counts.Events, counts.Refused);
            _totals.Accepted += counts.Events;
        }
    }

    /// <summary>Keeps what became of the range that follows the position, and moves the position behind it.</summary>
    /// <exception cref="LedgerException">Nothing was kept; it may be tried again.</exception>
    public void Settle(Settlement settlement)
    {
        lock (_file.Lock)
        {
            FindWhatIsLeft(settlement);
            var next = Follow(settlement);
            Keep(settlement, next);
            if (next.LostRecords > _progress.LostRecords)
                LedgerLog.RecordsLost(_log, next.LostRecords - _progress.LostRecords, _progress.NextSequence);

            Volatile.Write(ref _progress, next);
            lock (_waitingLock)
            {
                foreach (var (key, counts) in settlement.Minutes)
                {
                    Wait(key, -counts.Settled, -counts.Refused);
                    _totals.Add(counts);
                }
            }
        }
    }

    /// <summary>Says more of events that were settled before; the position stays.</summary>
    /// <exception cref="LedgerException">Nothing was kept; it may be tried again.</exception>
    public void Correct(Settlement settlement)
    {
        lock (_file.Lock)
        {
            Keep(settlement, _progress);
            lock (_waitingLock)
            {
                foreach (var counts in settlement.Minutes.Values) _totals.Add(counts);
            }
        }
    }

    /// <summary>
    /// A project's minutes of receipt, both included, in minutes since 1970 UTC; empty ones are left out.
    /// </summary>
    /// <exception cref="LedgerException">They cannot be read now.</exception>
    public List<LedgerMinute> Read(ulong projectId, int from, int to)
    {
        return _file.Read(() =>
        {
            // Both locks: between the halves of a settlement an event would be counted twice.
            var minutes = _file.ReadMinutes(projectId, from, to).ToDictionary(minute => minute.Minute);
            lock (_waitingLock)
            {
                foreach (var (key, waiting) in WaitingOf(projectId, from, to))
                {
                    var kept = minutes.TryGetValue(key.Minute, out var found)
                        ? found
                        : new LedgerMinute { Minute = key.Minute };
                    minutes[key.Minute] = kept with
                    {
                        Waiting = waiting.Events,
                        Refused = kept.Refused + waiting.Refused,
                    };
                }
            }

            return minutes.Values.OrderBy(minute => minute.Minute).ToList();
        });
    }

    /// <summary>Adds what waits now to the sums of the projects.</summary>
    public void AddWaiting(Dictionary<ulong, long> sums)
    {
        lock (_waitingLock)
        {
            foreach (var (key, waiting) in _waiting)
            {
                if (waiting.Events == 0) continue;
                CollectionsMarshal.GetValueRefOrAddDefault(sums, key.ProjectId, out _) += waiting.Events;
            }
        }
    }

    public void Dispose()
    {
        lock (_file.Lock) _file.Dispose();
    }

    /// <summary>By the minutes asked for, which are few; a backlog of many projects is not walked for one.</summary>
    private IEnumerable<KeyValuePair<MinuteKey, Waiting>> WaitingOf(ulong projectId, int from, int to)
    {
        if ((long)to - from > _waiting.Count)
        {
            return _waiting.Where(
                pair => pair.Key.ProjectId == projectId && pair.Key.Minute >= from && pair.Key.Minute <= to);
        }

        return Enumerable.Range(from, to - from + 1)
            .Select(minute => new MinuteKey(projectId, minute))
            .Where(_waiting.ContainsKey)
            .Select(key => KeyValuePair.Create(key, _waiting[key]));
    }

    private static LedgerProgress Begin(
        LedgerFile file, EventJournal journal, string path, string journalId, ILogger log)
    {
        if (file.Read(file.ReadProgress) is not { } known)
        {
            if (journal.ShippedPosition.Segment > 1) LedgerLog.CountsBeginAnew(log, path);
            return new LedgerProgress(journalId, journal.ShippedPosition, 0, 0);
        }

        if (known.JournalId != journalId)
        {
            throw new LedgerException(
                $"The ledger '{path}' is of the journal {known.JournalId}, not of {journalId} beside it. Put each back "
                + "where it belongs, or move the ledger away: then counts begin anew. Keep it: it holds what was "
                + "quarantined.");
        }

        if (known.Position > journal.DurableEnd || known.NextSequence > journal.NextSequence)
        {
            throw new LedgerException(
                $"The ledger '{path}' knows of records that the journal beside it does not have: the journal is an "
                + "older copy, or its end was damaged after it was shipped. Put the newer one back, or move the ledger "
                + "away: then what is there is shipped again, and what is stored already is recognised. Keep it: it "
                + "holds what was quarantined.");
        }

        if (known.Position >= journal.ShippedPosition) return known;

        // The other way round it is the ledger that is the older copy: sequences go on, and the gap would be no loss.
        LedgerLog.CountsBeginAnew(log, path);
        return known with { Position = journal.ShippedPosition, NextSequence = 0 };
    }

    /// <summary>Once all that was accepted is settled by this one, nothing may be waiting any more.</summary>
    private void FindWhatIsLeft(Settlement settlement)
    {
        lock (_waitingLock)
        {
            if (settlement.NextSequence != _lastAccepted + 1) return;

            long damaged = 0;
            foreach (var (key, waiting) in _waiting)
            {
                long left = waiting.Events - (settlement.Minutes.TryGetValue(key, out var counts) ? counts.Settled : 0);
                if (left == 0) continue;

                settlement.Damage(key, left);
                damaged += left;
            }

            if (damaged != 0) LedgerLog.EventsDamaged(_log, damaged);
        }
    }

    private LedgerProgress Follow(Settlement settlement)
    {
        if (settlement.NextSequence == 0) return _progress with { Position = settlement.Next };

        long lost = _progress.NextSequence == 0
            ? 0
            : (long)(settlement.FirstSequence - _progress.NextSequence) + settlement.Gaps;
        return _progress with
        {
            Position = settlement.Next,
            NextSequence = settlement.NextSequence,
            LostRecords = _progress.LostRecords + lost,
        };
    }

    private void Keep(Settlement settlement, LedgerProgress progress)
    {
        long dropped = 0;
        try
        {
            _file.Transact(() =>
            {
                _file.AddMinutes(settlement.Minutes);
                dropped = Quarantine.Add(settlement.PutAside);
                _file.WriteProgress(progress);
                if (IsTimeToForget()) _file.ForgetMinutes(OldestKept());
            });
        }
        catch (LedgerException)
        {
            Quarantine.Measure();
            throw;
        }

        Quarantine.CountDropped(dropped);
    }

    private bool IsTimeToForget()
    {
        if (_forgotAt is { } at && _time.GetElapsedTime(at) < ForgetEvery) return false;

        _forgotAt = _time.GetTimestamp();
        return true;
    }

    private int OldestKept() => LedgerMinute.Of((_time.GetUtcNow() - _options.Keep).ToUnixMicroseconds());

    private void Wait(MinuteKey key, long events, long refused)
    {
        ref var waiting = ref CollectionsMarshal.GetValueRefOrAddDefault(_waiting, key, out _);
        waiting.Events += events;
        waiting.Refused += refused;
        _totals.Waiting += events;
        if (waiting is { Events: 0, Refused: 0 }) _waiting.Remove(key);
    }

    private struct Waiting
    {
        public long Events;
        public long Refused;
    }
}
