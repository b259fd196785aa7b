using System.Globalization;
using Gateway.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

/// <summary>
/// The end of a life: something is damaged that was durable, and exactly that may be missing; then the journal has to
/// go on, through one more loss of power, until all is shipped.
/// </summary>
internal sealed partial class SimulatedLife
{
    private readonly List<Save> _history = [];

    private void End()
    {
        Prepare();
        var before = Lay();
        int die = _random.Next(10);
        if (die > 2) Figures.Damages++;
        switch (die)
        {
            case 3 or 4: DamageAtRest(before); break;
            case 5: DamageWhileRunning(before); break;
            case 6: LoseHeader(before); break;
            case 7: DamageWhatDoesNotMatter(before); break;
            case 8: DamageSlots(before); break;
            case 9: LoseSegment(before); break;
            default: break;
        }

        CommitPlainly();
        Restart("power lost", _test.Disk.LosePower);
        ShipAll();
        Restart("killed", _test.Disk.Kill);
        Assert.True(_test.ReadAll().Count == 0, "Twice: all was shipped.");
    }

    /// <summary>A new process with groups of its own, so that nothing is in doubt in the last segment.</summary>
    private void Prepare()
    {
        Restart("killed", _test.Disk.Kill);
        for (int groups = _random.Next(1, 5); groups > 0; groups--) CommitPlainly();
        Check(isStart: false);
    }

    private void CommitPlainly()
    {
        if (!_test.Journal.Status.IsAccepting) ShipAll(); // The quota.
        CommitGroup(isPlain: true);
    }

    private void ShipAll()
    {
        while (_test.Journal.Read(_test.Journal.ShippedPosition, _batch, 1)) Ship();
    }

    /// <summary>Every record in the files, also what is shipped of the first one.</summary>
    private List<LaidRecord> Lay()
    {
        var shipped = _test.Journal.ShippedPosition;
        return _test.ReadAll(shipped with { Offset = SegmentHeader.Bytes }, maxBytes: 1).ConvertAll(record =>
        {
            long size = JournalRecord.SizeOf(record.Payload.Length);
            var from = record.BatchEnd with { Offset = record.BatchEnd.Offset - size };
            int id = TestJournal.IdOf(record.Payload);
            return new LaidRecord(id, record.Sequence, record.Group, from, record.BatchEnd, from < shipped);
        });
    }

    private void DamageAtRest(List<LaidRecord> all)
    {
        Stop();
        var damaged = FlipBits(all);
        var gone = WhatGoes(all, damaged, isStart: true, out long told);
        Reopen(gone, told);
        Assert.Equal(Waiting(all, gone), FoundSequences());
    }

    private void DamageWhileRunning(List<LaidRecord> all)
    {
        var damaged = FlipBits(all);
        var gone = WhatGoes(all, damaged, isStart: false, out long told);
        Forgive(gone);
        Assert.Equal(Waiting(all, gone), FoundSequences());
        Assert.Equal(told, _test.Journal.Status.Counters.LostRecords);

        Stop();
        gone = WhatGoes(all, damaged, isStart: true, out told);
        Reopen(gone, told);
        Assert.Equal(Waiting(all, gone), FoundSequences());
    }

    /// <summary>Both copies of a header: its segment's records are lost, and no others.</summary>
    private void LoseHeader(List<LaidRecord> all)
    {
        Stop();
        ulong segment = all[_random.Next(all.Count)].From.Segment;
        _story.Append(CultureInfo.InvariantCulture, $"no header: {segment}\n");
        foreach (int copy in (int[])[0, 4096])
            _test.Disk.Corrupt(_test.SegmentPath(segment), copy + _random.Next(48), OneBit());

        // What was discarded at the end of the segment before may be found: nobody says any more where that ended.
        _mayReturn = true;
        Forgive(all.FindAll(record => record.From.Segment == segment));
        StartAfterDamage();
        Assert.True(_test.Logger.Has(LogLevel.Critical, "no readable header"), "Silent: a segment is lost.");
        Assert.True(
            _test.Journal.Status.Counters.LostRecords <= all[^1].To.Offset / JournalRecord.HeaderBytes,
            $"Wrong: {_test.Journal.Status.Counters.LostRecords} are told to be lost.");
    }

    private void DamageWhatDoesNotMatter(List<LaidRecord> all)
    {
        Stop();
        var last = all[^1];
        string active = _test.SegmentPath(last.From.Segment);
        switch (_random.Next(4))
        {
            case 0: _test.Disk.Corrupt(active, (_random.Next(2) * 4096) + _random.Next(48), OneBit()); break;
            case 1: _test.Disk.Corrupt(active, 48 + _random.Next(4000), OneBit()); break;
            case 2: FlipBehind(active, (int)last.To.Offset); break;
            default: FlipSpares(); break;
        }

        Reopen();
        Assert.Equal(Waiting(all, []), FoundSequences());
    }

    private void FlipBehind(string path, int end)
    {
        int length = _test.Disk.Bytes(path).Length;
        if (length > end) _test.Disk.Corrupt(path, _random.Next(end, length), OneBit());
    }

    private void FlipSpares()
    {
        foreach (string path in _test.Disk.Paths.Where(path => path.Contains("spare", StringComparison.Ordinal)))
        {
            int length = _test.Disk.Bytes(path).Length;
            if (length > 0) _test.Disk.Corrupt(path, _random.Next(length), OneBit());
        }
    }

    /// <summary>One slot: an older position counts. Both: all is shipped again, if nothing was forgotten.</summary>
    private void DamageSlots(List<LaidRecord> all)
    {
        Stop();
        var slots = _test.Disk.Paths.Where(path => path.Contains("position", StringComparison.Ordinal)).ToList();
        bool isBoth = _random.Next(2) == 0;
        foreach (string path in isBoth ? slots : [slots[_random.Next(slots.Count)]])
            _test.Disk.Corrupt(path, _random.Next(48), OneBit());

        _story.AppendLine(isBoth ? "both slots" : "one slot");

        if (isBoth && FirstSegment() > 1)
        {
            var refusal = Assert.Throws<JournalException>(_test.Open);
            Assert.Contains("position files", refusal.Message, StringComparison.Ordinal);
            foreach (string path in slots) _test.Disk.Delete(path);
        }

        _test.Logger.Entries.Clear();
        _test.Reopen();
        TakePositionBack(all, isBoth || slots.Count == 1);
        AfterStart();
        Assert.Equal(Waiting(all, []), FoundSequences());
    }

    /// <summary>What was shipped behind the older position is found, and shipped, once more.</summary>
    private void TakePositionBack(List<LaidRecord> all, bool isLost)
    {
        var position = _test.Journal.ShippedPosition;
        if (isLost)
        {
            Assert.True(_test.Logger.Has(LogLevel.Warning, "shipped again"), "Silent: the position is lost.");
            Assert.Equal(new JournalPosition(FirstSegment(), SegmentHeader.Bytes), position);
        }
        else
        {
            Assert.Contains(position, _history.Select(save => save.Position).Append(_saves[0].Position));
        }

        for (int i = 0; i < all.Count; i++) all[i] = all[i] with { IsShipped = all[i].From < position };
        var first = all.Find(record => !record.IsShipped);
        _saves.Clear();
        _saves.Add(first is null
            ? new Save(position, all[^1].Id, all[^1].Sequence, false)
            : new Save(position, first.Id - 1, first.Sequence - 1, false));
    }

    /// <summary>It may be there without a record, when nothing was ever acknowledged in it.</summary>
    private ulong FirstSegment()
    {
        ulong number = 1;
        while (!_test.Disk.Paths.Contains(_test.SegmentPath(number))) number++;
        return number;
    }

    private void LoseSegment(List<LaidRecord> all)
    {
        Stop();
        ulong segment = all[_random.Next(all.Count)].From.Segment;
        string path = _test.SegmentPath(segment);
        byte[] bytes = _test.Disk.Bytes(path);
        _test.Disk.Delete(path);
        var refusal = Assert.Throws<JournalException>(_test.Open);
        Assert.Contains($"segment {segment} is missing", refusal.Message, StringComparison.Ordinal);

        using (var file = _test.Disk.Create(path))
        {
            file.WriteAll(bytes, 0);
            file.Sync();
        }

        _test.Disk.SyncDirectory(TestJournal.Directory);
        Reopen();
        Assert.Equal(Waiting(all, []), FoundSequences());
    }

    private void Stop()
    {
        _isAlive = false;
        switch (_random.Next(3))
        {
            case 0: _test.Dispose(); break;
            case 1: _test.Disk.Kill(); break;
            default: _test.Disk.LosePower(); break;
        }
    }

    private byte OneBit() => (byte)(1 << _random.Next(8));

    /// <summary>Flips one to three bits in each of some records.</summary>
    private List<LaidRecord> FlipBits(List<LaidRecord> all)
    {
        var damaged = new List<LaidRecord>();
        for (int count = _random.Next(1, 4); count > 0; count--)
        {
            var record = all[_random.Next(all.Count)];
            if (damaged.Contains(record)) continue;

            damaged.Add(record);
            int at = (int)_random.NextInt64(record.From.Offset, record.To.Offset);
            byte mask = OneBit();
            if (_random.Next(2) == 0) mask |= OneBit();
            _test.Disk.Corrupt(_test.SegmentPath(record.From.Segment), at, mask);
            _story.Append(CultureInfo.InvariantCulture, $"flips {mask} at {at} of {record}\n");
        }

        damaged.Sort((left, right) => left.From.CompareTo(right.From));
        return damaged;
    }

    /// <summary>
    /// What a start may leave out: the damaged records; and of the last segment, from a damaged one on, all that has no
    /// later group behind it, for that is how a group looks that was never synced. While the journal runs it knows
    /// better. What is told is each damaged range that was not shipped as a whole.
    /// </summary>
    private static List<LaidRecord> WhatGoes(
        List<LaidRecord> all, List<LaidRecord> damaged, bool isStart, out long told)
    {
        List<LaidRecord> gone = [];
        told = 0;
        for (int i = 0; i < all.Count; i++)
        {
            int run = all.Skip(i).TakeWhile(r => damaged.Contains(r) && r.From.Segment == all[i].From.Segment).Count();
            if (run == 0) continue;

            bool isLast = isStart && all[i].From.Segment == all[^1].From.Segment;
            bool isFollowed = all.Exists(r => r.Group > all[i].Sequence && !damaged.Contains(r));
            if (isLast && !isFollowed && !all[i].IsShipped)
            {
                gone.AddRange(all.Skip(i));
                break;
            }

            // Nothing behind it can be read, and what is not shipped of it looks like a group that was never synced.
            bool isTorn = isLast && i + run == all.Count;
            gone.AddRange(all.GetRange(i, run));
            if (!isTorn && !all[i + run - 1].IsShipped) told += run;
            i += run - 1;
        }

        return gone;
    }

    private void Reopen(List<LaidRecord> gone, long told)
    {
        Forgive(gone);
        StartAfterDamage();
        Assert.Equal(told, _test.Journal.Status.Counters.LostRecords);
        Assert.Equal(told > 0, _test.Logger.Has(LogLevel.Critical, "DAMAGED"));
    }

    private void Forgive(List<LaidRecord> gone)
    {
        _hasGaps = true;
        foreach (var record in gone) _fates[record.Id] = RecordFate.Lost;
    }

    private void StartAfterDamage()
    {
        _hasGaps = true;
        Reopen();
    }

    private void AfterStart()
    {
        _isAlive = true;
        _keptByThisProcess = 0;
        Figures.Lives++;
        Check(isStart: false);
    }

    private static List<ulong> Waiting(List<LaidRecord> all, List<LaidRecord> gone) =>
        [.. all.Where(record => !record.IsShipped).Except(gone).Select(record => record.Sequence)];

    private List<ulong> FoundSequences() =>
        _test.ReadAll(maxBytes: _random.Next(1, 50_000)).ConvertAll(record => record.Sequence);

    private sealed record LaidRecord(
        int Id, ulong Sequence, ulong Group, JournalPosition From, JournalPosition To, bool IsShipped);
}
