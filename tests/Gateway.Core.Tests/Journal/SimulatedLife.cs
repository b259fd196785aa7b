using System.Globalization;
using System.Text;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

/// <summary>What is known of an append by its number.</summary>
internal enum RecordFate : byte
{
    /// <summary>Not answered, or answered with a failure: it may be found after the next start, or never.</summary>
    InDoubt,

    /// <summary>Acknowledged, or found by a start: from then on it is there until it is shipped.</summary>
    Kept,

    /// <summary>Refused without a write: never to be found.</summary>
    Refused,

    /// <summary>Was in doubt and not found by a start.</summary>
    Discarded,

    /// <summary>Acknowledged, and damaged by the test.</summary>
    Lost,
}

/// <summary>
/// The lives of one journal on one disk, all from a seed: groups, shipping, faults of every call, ends at any call,
/// also while it recovers, and one damage at the end. What is found is held against what was answered all the time.
/// </summary>
internal sealed partial class SimulatedLife : ISimulatedLife
{
    private const int Steps = 30;
    private const int MostAttempts = 4;

    private readonly Random _random;
    private readonly StringBuilder _story = new();
    private readonly TestJournal _test;
    private readonly JournalBatch _batch = new();
    private readonly List<byte[]> _payloads = [];
    private readonly List<RecordFate> _fates = [];

    /// <summary>Positions that were handed in: the last one known to be saved, then those in doubt.</summary>
    private readonly List<Save> _saves = [new Save(new JournalPosition(1, SegmentHeader.Bytes), -1, 0, false)];

    private bool _isAlive = true;
    private bool _mayReturn;
    private bool _hasGaps;
    private int _keptByThisProcess;

    public SimulatedLife(int seed)
    {
        _random = new Random(seed);
        long segment = 16 << 10 << _random.Next(2);
        _test = new TestJournal(seed, new JournalOptions(TestJournal.Directory)
        {
            SegmentBytes = segment,
            QuotaBytes = _random.Next(5) == 0 ? segment : 10 << 20,
            CachedBytes = seed % 2 == 0 ? 0 : 64 << 10,
            MaxGroupBytes = 8 << 10,
            MaxGroupRecords = 16,
        });
        _test.Disk.KeepsLog = false;
        _test.Disk.IsShort = _random.Next(4) == 0;
    }

    public string Story => _story.ToString();

    public SimulationFigures Figures { get; } = new();

    public void Run()
    {
        for (int step = 0; step < Steps; step++) Step();
        End();
    }

    public void Dispose()
    {
        if (_isAlive) _test.Dispose();
    }

    private void Step()
    {
        int die = _random.Next(100);
        if (die < 50) CommitGroup();
        else if (die < 62) Ship();
        else if (die < 76) WithFaults();
        else if (die < 87) WithEndAtSomeCall();
        else if (die < 91) Restart("closed", _test.Dispose);
        else if (die < 95) Restart("killed", _test.Disk.Kill);
        else Restart("power lost", LosePowerWithGroupUnderWay);
    }

    private void CommitGroup(bool isPlain = false)
    {
        var verdict = isPlain ? FenceVerdict.Same : _random.Next(10) switch
        {
            0 => FenceVerdict.Moved,
            1 => FenceVerdict.Unavailable,
            _ => FenceVerdict.Same,
        };
        _test.Fence = (epoch, _) => ValueTask.FromResult(new FenceAnswer(verdict, epoch + 1));
        var ended = new TokenEntry(2, 8, [1]);
        List<(int Id, Answer Answer)> answers = [];
        for (int count = _random.Next(1, 8); count > 0; count--)
        {
            int length = _random.Next(60) == 0 ? 20_000 : _random.Next(5) == 0 ? _random.Next(3000) : _random.Next(400);
            bool willEnd = !isPlain && _random.Next(4) == 0;
            answers.Add((_payloads.Count, _test.Append(NewPayload(length), entry: willEnd ? ended : null)));
        }

        ended.End();
        _test.Journal.CommitOnce();
        foreach (var (id, answer) in answers) Note(id, answer.Outcome);
    }

    private byte[] NewPayload(int length)
    {
        byte[] payload = TestJournal.Payload(_payloads.Count, length);
        if (payload.Length > 200 && _random.Next(2) == 0) Imitate(payload);
        _payloads.Add(payload);
        _fates.Add(RecordFate.InDoubt);
        return payload;
    }

    /// <summary>Lays a record into the payload that would pass for one if the segment's salt were known.</summary>
    private void Imitate(byte[] payload)
    {
        int kept = _fates.Count(fate => fate == RecordFate.Kept);
        ulong sequence = (ulong)(kept + _random.Next(1, 8));
        var fields = new JournalRecordFields(sequence, sequence, 1, 7, 1_000);
        byte[] inner = TestJournal.Payload(-7, 16);
        int at = _random.Next(1, 10) * JournalRecord.Alignment;
        JournalRecord.WriteHeader(
            payload.AsSpan(at, JournalRecord.HeaderBytes), new SegmentKey(0), fields, inner);
        inner.CopyTo(payload, at + JournalRecord.HeaderBytes);
    }

    private void Note(int id, AppendOutcome outcome)
    {
        if (outcome == AppendOutcome.Kept) _keptByThisProcess++;
        _story.Append(CultureInfo.InvariantCulture, $"{id} {outcome}\n");
        _fates[id] = outcome switch
        {
            AppendOutcome.Kept => RecordFate.Kept,
            AppendOutcome.WriteFailed or AppendOutcome.DiskFull => RecordFate.InDoubt,
            _ => RecordFate.Refused,
        };
        if (_fates[id] == RecordFate.InDoubt && !IsFaulty)
            Assert.Fail($"Refused: {outcome} though the disk does all that it is asked.");
        if (outcome == AppendOutcome.Kept) Figures.Acked++;
    }

    private void Ship()
    {
        var from = _test.Journal.ShippedPosition;
        if (!_test.Journal.Read(from, _batch, _random.Next(1, 20_000))) return;

        var save = _saves[0];
        foreach (var record in _batch)
            save = save with { UpToId = TestJournal.IdOf(record.Payload), UpToSequence = record.Sequence };

        save = save with { Position = _batch.Next, HasLedger = true };
        _saves.Add(save);
        _story.Append(CultureInfo.InvariantCulture, $"ships to {_batch.Next}\n");
        _test.Forget(save.Position, LedgerOf(save.Position));
        _history.Add(save);
        _saves.RemoveRange(0, _saves.Count - 1);
    }

    private static byte[] LedgerOf(JournalPosition position) =>
        TestJournal.Payload((int)(position.Segment << 20) + (int)position.Offset, 4 + ((int)position.Offset % 2000));

    private bool IsFaulty => _test.Disk.Fault is not null || _test.Disk.GrowthLeft != long.MaxValue;

    private void SetFaults()
    {
        var random = _random;
        int error = random.Next(3) == 0 ? SimulatedDisk.NoSpace : SimulatedDisk.InputOutputError;
        var only = (DiskCall)random.Next((int)DiskCall.SetLength + 1);
        int oneIn = random.Next(1, 4);
        bool isAny = random.Next(3) == 0;
        _story.Append(CultureInfo.InvariantCulture, $"fails: {(isAny ? "any" : only)} by {error}, 1 in {oneIn}\n");
        _test.Disk.Fault = isAny
            ? (_, _) => random.Next(8) == 0 ? error : 0
            : (call, _) => call == only && random.Next(oneIn) == 0 ? error : 0;
        if (random.Next(4) == 0) _test.Disk.GrowthLeft = random.Next(40_000);
        Figures.Faults++;
    }

    private void ClearFaults()
    {
        _test.Disk.Fault = null;
        _test.Disk.FailSync = _ => false;
        _test.Disk.GrowthLeft = long.MaxValue;
        _test.Disk.CrashAt = -1;
        _test.Time.Advance(TimeSpan.FromSeconds(2)); // The disk is asked for its room again.
    }

    private void WithFaults()
    {
        SetFaults();
        for (int count = _random.Next(1, 4); count > 0; count--)
        {
            _ = _test.Journal.Status; // Must not throw, whatever the disk does.
            if (_random.Next(3) > 0) CommitGroup();
            else TryToShip();
        }

        ClearFaults();
        if (_random.Next(3) == 0) Check(isStart: false);
    }

    private void TryToShip()
    {
        try
        {
            Ship();
        }
        catch (IOException)
        {
            _story.AppendLine("shipping failed");
        }
    }

    private void WithEndAtSomeCall()
    {
        _test.Disk.CrashAt = _test.Disk.Calls + _random.Next(25);
        if (_random.Next(4) == 0) SetFaults();
        try
        {
            for (int count = _random.Next(1, 4); count > 0; count--)
            {
                if (_random.Next(3) > 0) CommitGroup();
                else TryToShip();
            }

            if (_random.Next(4) == 0) _test.Dispose();
        }
        catch (SimulatedCrashException)
        {
            _story.AppendLine("ends at a call");
        }

        ClearFaults();
        Fall();
        Reopen();
    }

    private void Fall()
    {
        _isAlive = false;
        Figures.Crashes++;
        bool isPower = _random.Next(2) == 0;
        _story.AppendLine(isPower ? "power lost" : "killed");
        if (isPower) _test.Disk.LosePower();
        else _test.Disk.Kill();
    }

    /// <summary>The power goes during a sync: part of the group is on disk, and nobody is answered.</summary>
    private void LosePowerWithGroupUnderWay()
    {
        if (_random.Next(3) > 0)
        {
            _test.Disk.FailSync = _ => true;
            for (int count = _random.Next(1, 8); count > 0; count--) _test.Append(NewPayload(_random.Next(4, 3000)));
            _test.Journal.CommitOnce();
            ClearFaults();
        }

        Figures.Crashes++;
        _test.Disk.LosePower();
    }

    private void Restart(string how, Action stop)
    {
        Check(isStart: false);
        _story.AppendLine(how);
        stop();
        _isAlive = false;
        Reopen();
    }

    /// <summary>Starts a process; it may end, or meet faults, while it recovers, and is started again then.</summary>
    private void Reopen()
    {
        for (int attempt = 0; !TryReopen(attempt); attempt++)
        {
            Assert.True(attempt < MostAttempts, "Refused: no start succeeds.");
        }

        _isAlive = true;
        _keptByThisProcess = 0;
        Figures.Lives++;
        Check(isStart: true);
    }

    private bool TryReopen(int attempt)
    {
        int die = attempt < MostAttempts - 1 ? _random.Next(6) : -1;
        if (die is 0 or 1) _test.Disk.CrashAt = _test.Disk.Calls + _random.Next(40);
        if (die is 1 or 2) SetFaults();
        _test.Logger.Entries.Clear();
        try
        {
            _test.Reopen();
            return true;
        }
        catch (SimulatedCrashException)
        {
            _story.AppendLine("ends while it recovers");
            Fall();
            return false;
        }
        catch (Exception refusal) when (IsFaulty && IsForTheFault(refusal))
        {
            _story.AppendLine("does not start");
            if (_random.Next(2) == 0) Fall();
            return false;
        }
        finally
        {
            ClearFaults();
        }
    }

    private static bool IsForTheFault(Exception refusal) =>
        refusal is IOException
        || (refusal is JournalException && refusal.InnerException is IOException);

    /// <summary>Holds what is found against what was answered; a start settles what was in doubt.</summary>
    private void Check(bool isStart)
    {
        if (isStart) SettlePosition();

        var shipped = _saves[0];
        long bytes = 0;
        int next = shipped.UpToId + 1;
        ulong sequence = shipped.UpToSequence;
        foreach (var record in _test.ReadAll(maxBytes: _random.Next(1, 50_000)))
        {
            int id = TestJournal.IdOf(record.Payload);
            Assert.True(id >= 0 && id < _payloads.Count, $"Wrong: {id} was never sent.");
            Assert.True(id >= next, $"Twice: {id} is there again.");
            Assert.True(_payloads[id].AsSpan().SequenceEqual(record.Payload), $"Wrong: {id} has other bytes.");
            Pass(ref next, id, isStart);
            Take(id, isStart);
            Assert.True(
                _hasGaps ? record.Sequence > sequence : record.Sequence == sequence + 1,
                $"Lost: sequence {record.Sequence} follows {sequence}.");
            sequence = record.Sequence;
            bytes += JournalRecord.SizeOf(record.Payload.Length);
            next = id + 1;
        }

        Pass(ref next, _payloads.Count, isStart);
        CheckStatus(bytes);
    }

    /// <summary>These were not found.</summary>
    private void Pass(ref int next, int upTo, bool isStart)
    {
        for (; next < upTo; next++)
        {
            Assert.True(_fates[next] != RecordFate.Kept, $"Lost: {next} was acknowledged.");
            if (isStart && _fates[next] == RecordFate.InDoubt) _fates[next] = RecordFate.Discarded;
        }
    }

    private void Take(int id, bool isStart)
    {
        bool mayBeThere = _fates[id] == RecordFate.Kept
            || (isStart && _fates[id] == RecordFate.InDoubt)
            || (_mayReturn && _fates[id] == RecordFate.Discarded);
        Assert.True(mayBeThere, $"Wrong: {id} is there, though it is {_fates[id]}.");
        _fates[id] = RecordFate.Kept;
    }

    private void SettlePosition()
    {
        var position = _test.Journal.ShippedPosition;
        int index = _saves.FindLastIndex(save => save.Position == position);
        Assert.True(index >= 0, $"Wrong: nobody shipped to {position}; the last was {_saves[^1]}.");

        var save = _saves[index];
        Assert.True(
            !save.HasLedger || _test.Journal.Ledger.Span.SequenceEqual(LedgerOf(position)),
            $"Wrong: the ledger at {position} is another.");
        _saves.Clear();
        _saves.Add(save);
        _history.Add(save);
    }

    private void CheckStatus(long bytes)
    {
        var status = _test.Journal.Status;
        Assert.Equal(_keptByThisProcess, status.Counters.Records);
        Assert.Equal(bytes > 0 ? 1_000 : null, status.OldestWaitingMicros);
        if (_hasGaps || _mayReturn) return; // Damage is counted, and waits too.

        Assert.Equal(bytes, status.BytesWaiting);
        Assert.True(
            status.Counters.LostRecords == 0 && !_test.Logger.Has(LogLevel.Critical, ""),
            "False damage: nothing was damaged.");
    }

    /// <param name="Position">What was handed in.</param>
    /// <param name="UpToId">The last append before it.</param>
    /// <param name="UpToSequence">Its sequence.</param>
    /// <param name="HasLedger">Whether bytes were handed in with it.</param>
    private sealed record Save(JournalPosition Position, int UpToId, ulong UpToSequence, bool HasLedger);
}

/// <summary>What was gone through.</summary>
internal sealed class SimulationFigures
{
    public long Lives { get; set; } = 1;

    public long Crashes { get; set; }

    public long Faults { get; set; }

    public long Damages { get; set; }

    public long Acked { get; set; }

    public void Add(SimulationFigures other)
    {
        Lives += other.Lives;
        Crashes += other.Crashes;
        Faults += other.Faults;
        Damages += other.Damages;
        Acked += other.Acked;
    }
}
