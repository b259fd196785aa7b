using System.Collections.Frozen;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;

namespace Gateway.Core.Tests.Shipping;

/// <summary>What others do with rows, and what must hold.</summary>
internal sealed partial class ShipperLife
{
    /// <summary>By their sequences.</summary>
    private readonly List<ModelRecord> _durable = [];

    /// <summary>Rows that were taken out of the quarantine.</summary>
    private readonly HashSet<(ulong Sequence, uint Row)> _takenOut = [];

    private JournalPosition _readTo;
    private int _settled;
    private int _forgotten;

    /// <summary>
    /// A position could not be written, and may be found all the same: all before it was counted, and is not counted
    /// again.
    /// </summary>
    private bool _isForgettingInDoubt;
    private bool _isAlarmOn;

    /// <summary>The model learns what is durable, and where it lies; without faults, for nobody else reads here.</summary>
    private void FindDurable()
    {
        var (end, fault) = (_disk.CrashAt, _disk.Fault);
        (_disk.CrashAt, _disk.Fault) = (-1, null);
        var from = _readTo > _journal.ShippedPosition ? _readTo : _journal.ShippedPosition;
        while (_journal.Read(from, _batch, 1))
        {
            foreach (var read in _batch)
            {
                var record = _byReceipt.GetValueOrDefault(read.ReceivedAtMicros);
                if (record is not { Sequence: 0 })
                    throw new ViolationException($"Twice: record {read.Sequence} is nobody's, or found again.");
                (record.Sequence, record.End) = (read.Sequence, _batch.Next);
                if (read.Sequence != (ulong)_durable.Count + 1)
                    throw new ViolationException($"Lost: the records before {read.Sequence}.");
                _durable.Add(record);
            }

            from = _batch.Next;
        }

        _readTo = from;
        (_disk.CrashAt, _disk.Fault) = (end, fault);
    }

    /// <summary>Where the position or the journal's end moved on, nothing may have been left behind.</summary>
    private void Observe()
    {
        var (position, forgotten) = (_ledger.Position, _journal.ShippedPosition);
        if (forgotten > position) throw new ViolationException("Lost: more is forgotten than settled.");
        if (_settled > 0 && position < _durable[_settled - 1].End)
            throw new ViolationException("Twice: the position moved back.");

        _settled = Advance(_settled, position, "settled");
        int before = _forgotten;
        _forgotten = Advance(_forgotten, forgotten, "forgotten");
        if (_forgotten > before) _isForgettingInDoubt = false;
    }

    private int Advance(int from, JournalPosition position, string how)
    {
        int to = from;
        while (to < _durable.Count && _durable[to].End <= position) to++;
        if (to == from) return to;

        var stored = StoredIdentities();
        var putAside = _ledger.Quarantine.RowsOf(_durable[from].Sequence, _durable[to - 1].Sequence);
        foreach (var record in _durable[from..to].Where(record => !_deadIds.Contains(record.ProjectId)))
        {
            foreach (var one in record.Events)
            {
                var place = (record.Sequence, one.Row);
                if (stored.Contains(one.Identity) || putAside.Contains(place) || _takenOut.Contains(place)) continue;
                throw new ViolationException($"Lost: {place} of project {record.ProjectId} is {how} and nowhere.");
            }
        }

        return to;
    }

    private HashSet<(ulong, ushort, string, Guid)> StoredIdentities() =>
        [.. _store.Truth.Rows.Select(row => row.Identity)];

    /// <summary>
    /// An insert arrives: nothing of a project that was deleted before it was sent, nothing that nobody appended, and
    /// nothing that is put aside.
    /// </summary>
    private void CheckAsked(List<StoredRow> rows)
    {
        var putAside = PutAside();
        foreach (var row in rows.Where(row => row.Sequence != 0))
        {
            if (putAside.Contains((row.Sequence, row.Row)))
                throw new ViolationException($"Twice: ({row.Sequence}, {row.Row}) is put aside, and sent.");
            if (_deadAtCall.Contains(row.ProjectId))
                throw new ViolationException($"Risen: ({row.Sequence}, {row.Row}) of deleted project {row.ProjectId}.");
            if (row.Sequence > (ulong)_durable.Count
                || !_durable[(int)row.Sequence - 1].Events.Exists(e => e.Row == row.Row && e.Identity == row.Identity))
            {
                throw new ViolationException($"Risen: ({row.Sequence}, {row.Row}) was never appended.");
            }
        }
    }

    private void OnStored(List<StoredRow> rows, bool isLate)
    {
        foreach (var row in rows)
        {
            var one = _durable[(int)row.Sequence - 1].Events.Find(e => e.Row == row.Row)!;
            if (one.IsLost && !isLate && !_isAlarmOn)
                throw new ViolationException($"Silent: ({row.Sequence}, {row.Row}) was lost and is shipped again.");
        }

        var identities = rows.Select(row => row.Identity).ToHashSet();
        foreach (var one in _durable.SelectMany(record => record.Events))
        {
            if (identities.Contains(one.Identity)) one.IsLost = false;
        }
    }

    /// <summary>Rows that were settled, and not counted yet, vanish from the store.</summary>
    private void LoseRows()
    {
        if (_settled == _forgotten || _isForgettingInDoubt) return;

        var putAside = PutAside();
        ulong first = _durable[_forgotten].Sequence;
        ulong last = _durable[_settled - 1].Sequence;
        var rows = _store.Truth.Rows
            .Where(row => row.Sequence >= first && row.Sequence <= last && !_deadIds.Contains(row.ProjectId))
            .Select(row => (row.Sequence, row.Row))
            .Except(putAside)
            .ToList();
        if (rows.Count == 0) return;

        var gone = Enumerable.Range(0, _random.Next(1, 4)).Select(_ => rows[_random.Next(rows.Count)]).ToHashSet();
        _store.Lose(row => gone.Contains((row.Sequence, row.Row)));
        Tell("the store loses " + string.Join(' ', gone));
        NoteLosses(putAside);
    }

    /// <summary>What is in the store no more by any copy, and was settled, must be missed.</summary>
    private void NoteLosses(HashSet<(ulong, uint)> putAside)
    {
        var stored = StoredIdentities();
        foreach (var record in _durable[_forgotten.._settled].Where(one => !_deadIds.Contains(one.ProjectId)))
        {
            foreach (var one in record.Events)
            {
                bool isPutAside = putAside.Contains((record.Sequence, one.Row));
                if (one.IsLost || isPutAside || stored.Contains(one.Identity)) continue;
                one.IsLost = true;
                Figures.Losses++;
            }
        }
    }

    /// <summary>Rows that are in the quarantine, or were.</summary>
    private HashSet<(ulong Sequence, uint Row)> PutAside()
    {
        var rows = _ledger.Quarantine.RowsOf(0, long.MaxValue);
        rows.UnionWith(_takenOut);
        return rows;
    }

    private void OnAlarm()
    {
        Figures.Alarms++;
        _isAlarmOn = true;

        // It was told so by a replica that lagged, and may have caught up since.
        if (_store.StaleAnswers > _staleBefore) return;

        // One that was deleted while the store was asked is told of once more.
        bool isTrue = _durable[.._settled].Exists(
            record => !_deadAtCall.Contains(record.ProjectId) && record.Events.Exists(one => one.IsLost));
        if (!isTrue) throw new ViolationException("False alarm: nothing is lost.");
    }

    private void DeleteProject()
    {
        if (_deadIds.Count == 2) return;

        _deadIds = _deadIds.Append((ulong)_random.Next(1, (int)Projects + 1)).ToFrozenSet();
        _dead.Replace(_deadIds);
        Tell("deleted projects: " + string.Join(',', _deadIds));
    }

    private void EraseDead()
    {
        if (_deadIds.Count == 0) return;

        _store.Lose(row => _deadIds.Contains(row.ProjectId));
        foreach (ulong project in _deadIds) TakeOut(project);
        TryLedger(() => _ledger.Quarantine.Erase(_deadIds));
        Tell("erased");
    }

    /// <summary>Deleted, or sent again and then deleted.</summary>
    private void UseQuarantine()
    {
        ulong project = (ulong)_random.Next(1, (int)Projects + 1);
        var entries = _ledger.Quarantine.List(project, 0, 100).Part;
        if (entries.Count == 0) return;

        var entry = entries[_random.Next(entries.Count)];
        var row = entry.Row;
        int die = _random.Next(4);
        if (die == 0)
        {
            TakeOut(project);
            TryLedger(() => _ledger.Quarantine.Delete(project, null));
            Tell($"deletes what project {project} has in the quarantine");
            return;
        }

        bool isReplay = die > 1 && row.IsEvent && !_isEnding;
        if (isReplay && !Append([NewRecord(project, EventPayload.OfRow(row.Ip, row.Bytes))])) return;

        Tell($"takes ({row.Sequence}, {row.Row}) out of the quarantine, replayed {isReplay}");
        _takenOut.Add((row.Sequence, row.Row));
        TryLedger(() => _ledger.Quarantine.Delete(project, entry.Id));
    }

    private void TakeOut(ulong project)
    {
        foreach (var entry in _ledger.Quarantine.List(project, 0, int.MaxValue).Part)
            _takenOut.Add((entry.Row.Sequence, entry.Row.Row));
    }

    private static void TryLedger(Action action)
    {
        try
        {
            action();
        }
        catch (LedgerException)
        {
            // It says so to whoever asked, and nothing was done.
        }
    }

    /// <summary>Everything is well again, and whatever waits gets where it belongs.</summary>
    private void End()
    {
        _isEnding = true;
        Tell("-- all is well");
        CalmDown();
        _store.CatchUp();
        _quarantineBytes = 1 << 30;
        Fall();
        while (_random.Next(3) > 0 && _store.StoreLate())
        {
        }

        while (!IsIdle) Drive();
        while (_store.StoreLate())
        {
        }

        if (_forgotten != _durable.Count) throw new ViolationException("Lost: the end is not the end.");
        _store.Truth.Merge();
        CheckEvents();
        CheckBooks();
        Figures.Late += _store.LateBlocks;
        Figures.Faults += _store.Faults;
    }

    /// <summary>Whoever deletes projects tries until it is done.</summary>
    private void MakeRoom()
    {
        if (_deadIds.Count > 0 && _random.Next(50) == 0) EraseDead();
    }

    private void CheckEvents()
    {
        if (_store.Truth.Rows.GroupBy(row => row.Identity).Any(copies => copies.Count() > 1))
            throw new ViolationException("Twice: an identity is in the store.");

        var identities = StoredIdentities();
        var putAside = PutAside();
        foreach (var record in _durable.Where(record => !_deadIds.Contains(record.ProjectId)))
        {
            foreach (var one in record.Events)
            {
                var place = (record.Sequence, one.Row);
                if (putAside.Contains(place)) Figures.PutAside++;
                else if (!identities.Contains(one.Identity))
                    throw new ViolationException($"Lost: {place} of project {record.ProjectId} is nowhere at the end.");
            }

            var refused = record.Refused.Select(row => (record.Sequence, row)).Except(putAside).ToList();
            if (refused.Count > 0 && !_mayDropRefused)
                throw new ViolationException($"Lost: {refused[0]}, refused at capture, is not in the quarantine.");
        }

        // Stored by a try of whose end nobody knew, and refused by the next one.
        Figures.Both += _store.Truth.Rows.Count(row => putAside.Contains((row.Sequence, row.Row)));
    }

    private void CheckBooks()
    {
        var putAside = PutAside();
        for (ulong project = 1; project <= Projects; project++)
        {
            var expected = _durable
                .Where(record => record.ProjectId == project)
                .ToLookup(record => (int)(record.ReceivedAt / 60_000_000));
            var minutes = _ledger.Read(project, 0, int.MaxValue).ToDictionary(minute => minute.Minute);
            foreach (int minute in expected.Select(minute => minute.Key).Union(minutes.Keys))
                CheckMinute(project, minutes.GetValueOrDefault(minute), [.. expected[minute]], putAside);
        }

        if (_ledger.Totals is not { Waiting: 0, LostRecords: 0 }) throw new ViolationException("Ledger: some wait.");
    }

    private void CheckMinute(
        ulong project, LedgerMinute kept, List<ModelRecord> records, HashSet<(ulong, uint)> putAside)
    {
        long events = records.Sum(record => record.Events.Count);
        long refused = records.Sum(record => record.Refused.Count);
        long aside = records.Sum(record => record.Events.Count(one => putAside.Contains((record.Sequence, one.Row))));
        bool isRight = (kept.Accepted, kept.Refused, kept.Waiting, kept.Damaged) == (events, refused, 0, 0)
            && (_deadIds.Contains(project) || (kept.Quarantined == aside && kept.Erased == 0));
        if (isRight) return;

        throw new ViolationException(
            $"Ledger: {kept} of project {project}; {events} events, {aside} put aside, {refused} refused.");
    }
}
