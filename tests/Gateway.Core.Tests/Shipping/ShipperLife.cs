using System.Collections.Frozen;
using System.Globalization;
using System.Text;
using Gateway.Core.ClickHouse;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;
using Gateway.Core.Tests.Journal;
using Gateway.Core.Tokens;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Shipping;

/// <summary>
/// The lives of one journal, its ledger and its shipper beside a store that fails, all from a seed and on one thread:
/// whatever others do, and the end of the process, happens at the shipper's requests, pauses, transactions and calls of
/// the disk. What was settled and what was forgotten is held against what the store has all the time.
/// </summary>
internal sealed partial class ShipperLife : ISimulatedLife, ILogger
{
    private const string JournalId = "0123456789abcdef0123456789abcdef";
    private const int MostSteps = 24;
    private const int MostRecords = 40;
    private const int MostCalls = 5_000;
    private const int LongStep = 1_000;
    private const ulong Projects = 5;

    private static readonly int[] ServerCodes = [252, 516, 60, 243, 242, 202];
    private static readonly string[] Names = ["a", "b", "it's\\\t\n", "bad", "worse"];

    private readonly Random _random;
    private readonly StringBuilder _story = new();
    private readonly SimulatedDisk _disk;
    private readonly JumpingTime _time;
    private readonly SimulatedStore _store;
    private readonly ClickHouseClient _client;
    private readonly SqliteConnection _connection = new("Data Source=:memory:;Pooling=False");
    private readonly Dictionary<ulong, TokenEntry> _tokens = [];
    private readonly Dictionary<long, ModelRecord> _byReceipt = [];
    private readonly JournalBatch _batch = new();
    private readonly bool _mayDropRefused;
    private readonly Action[] _acts;
    private long _quarantineBytes;
    private DeadProjects _dead = new();
    private FrozenSet<ulong> _deadIds = [];
    private FrozenSet<ulong> _deadAtCall = [];
    private EventJournal _journal = null!;
    private EventLedger _ledger = null!;
    private Shipper _shipper = null!;
    private long _lastReceived;
    private long _moodEnds;
    private long _ledgerFailsUntil;
    private int _endsInCalls;
    private int _endsAtCommit;
    private long _calls;
    private int _hastySteps;
    private int _callsOfStep;
    private long _staleBefore;
    private bool _isAlive;
    private bool _isBusy;
    private bool _isEnding;

    public ShipperLife(int seed)
    {
        _random = new Random(seed);
        _disk = new SimulatedDisk(seed) { KeepsLog = false };
        _time = new JumpingTime(() => Passed(40));
        _store = new SimulatedStore(_random)
        {
            Called = OnCall,
            Asked = CheckAsked,
            Stores = OnStored,
            EndsHere = () => !_isEnding && _random.Next(60) == 0,
        };
        _client = new ClickHouseClient(
            () => new ClickHouseOptions(new Uri("http://127.0.0.1:8123"), "u", "p", "default"), new NoTimers(), _store);
        _quarantineBytes = _random.Next(4) == 0 ? _random.Next(800, 3000) : 1 << 30;
        _acts = Acts();
        _mayDropRefused = _quarantineBytes < 1 << 30;
        for (ulong project = 1; project <= Projects; project++)
            _tokens[project] = new TokenEntry((long)project, project, "phc_x"u8.ToArray());
        if (_random.Next(3) > 0) _store.Bad.Add("bad");
        _connection.Open();
    }

    private bool IsIdle => _shipper.BytesWaiting == 0 && _journal.ShippedPosition >= _ledger.Position;

    public string Story => _story.ToString();

    public ShipperFigures Figures { get; } = new();

    public void Run()
    {
        Start();
        int steps = _random.Next(4, MostSteps);
        for (int step = 0; step < steps; step++) Survive(Step);
        End();
    }

    public void Dispose()
    {
        if (_isAlive) _journal.DisposeAsync().AsTask().GetAwaiter().GetResult();
        _client.Dispose();
        _store.Dispose();
        _connection.Dispose();
    }

    public IDisposable? BeginScope<TState>(TState state)
        where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Warning;

    public void Log<TState>(
        LogLevel logLevel,
        EventId eventId,
        TState state,
        Exception? exception,
        Func<TState, Exception?, string> formatter)
    {
        string text = formatter(state, exception);
        Tell(text);
        if (text.StartsWith("LOST FROM THE STORE", StringComparison.Ordinal)) OnAlarm();
        else if (text.Contains("are in it again", StringComparison.Ordinal)) _isAlarmOn = false;
        else if (logLevel == LogLevel.Critical) throw new ViolationException("Ledger: " + text);
    }

    private void Step()
    {
        int die = _random.Next(100);
        if (die < 20) LoseRows();
        else if (die < 26) Fall();
        else if (die < 50) Append();
        Drive();
    }

    private void Drive()
    {
        if (IsIdle) Append();
        if (IsIdle) return;

        _callsOfStep = 0;
        _staleBefore = _store.StaleAnswers;
        bool isCountLeft = _shipper.BytesWaiting == 0;
        long before = _time.Micros;

        // With nothing left to do it waits for an append, which only comes when it is over.
        using var stop = new CancellationTokenSource();
        var step = _shipper.StepAsync(stop.Token);
        if (!step.IsCompleted && IsIdle) stop.Cancel();
        if (!step.IsCompleted) throw new ViolationException("Stuck: it waits for something real.");
        if (!step.IsCanceled) step.GetAwaiter().GetResult();
        Observe();

        // A count and the pause behind it are two steps: of a few in a row some are pauses.
        _hastySteps = isCountLeft && _time.Micros - before < 500_000 ? _hastySteps + 1 : 0;
        if (_hastySteps > 5) throw new ViolationException("Stuck: it asks without a pause.");
    }

    private void Survive(Action action)
    {
        try
        {
            action();
        }
        catch (SimulatedCrashException)
        {
            Fall();
        }
    }

    /// <summary>The process ends, or the machine, and the next one starts.</summary>
    private void Fall()
    {
        Figures.Crashes++;
        bool isPower = _random.Next(3) == 0;
        Tell(isPower ? "-- power lost" : "-- killed");
        _isAlive = false;
        if (isPower) _disk.LosePower();
        else _disk.Kill();
        Start();
    }

    private void Start()
    {
        (_endsInCalls, _endsAtCommit, _ledgerFailsUntil, _disk.Fault, _isBusy) = (0, 0, 0, null, false);
        (_hastySteps, _callsOfStep) = (0, 0);
        if (!_isEnding && _random.Next(20) == 0) _disk.CrashAt = _disk.Calls + _random.Next(30);
        while (true)
        {
            try
            {
                Open();
                break;
            }
            catch (SimulatedCrashException)
            {
                Tell("-- killed at the start");
                _disk.Kill();
            }
        }

        Figures.Lives++;
        _disk.CrashAt = -1;
        _isAlive = true;
        _isForgettingInDoubt = false;
        _isAlarmOn = false;
        FindDurable();
        Observe();
    }

    private void Open()
    {
        _journal = EventJournal.Open(
            new JournalOptions("/journal") { SegmentBytes = 16 << 10, QuotaBytes = 1 << 30, MinFreeBytes = 0 },
            _disk,
            (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch)),
            _time,
            this,
            () => (ulong)_random.NextInt64(),
            withThreads: false);

        // What a dead process had not committed was taken back when its transaction was left.
        var file = LedgerFile.Over(_connection);
        file.OnTransaction = OnTransaction;
        var options = new LedgerOptions { QuarantineBytes = _quarantineBytes, Keep = TimeSpan.FromDays(1000) };
        _ledger = EventLedger.Open(file, _journal, "ledger.db", JournalId, options, _time, this);
        _ledger.Recover(_journal, _journal.DurableEnd);
        _journal.OnKept = _ledger.Accept;
        _dead = new DeadProjects();
        _dead.Replace(_deadIds);
        _shipper = new Shipper(
            _journal, _ledger, new EventsTable(_client), _dead, Options(), _time, new Random(_random.Next()), this);
    }

    private ShipperOptions Options() => new()
    {
        BlockBytes = 1 << _random.Next(9, 15),
        Pace = TimeSpan.FromMilliseconds(500),
        CheckEvery = TimeSpan.FromSeconds(_random.Next(1, 20)),
        UncheckedBytes = 1 << _random.Next(8, 16),
        LongestRetry = TimeSpan.FromMinutes(5),
        TriesBeforeCut = _random.Next(2, 6),
        RefusalsBeforeDoubt = _random.Next(2, 20),
    };

    private void OnCall()
    {
        _time.Advance(TimeSpan.FromMilliseconds(5));
        _deadAtCall = _deadIds;
        if (_endsInCalls > 0 && --_endsInCalls == 0) throw new SimulatedCrashException();
        Passed(12);
    }

    /// <summary>Time for others: something of what they may do happens, or nothing.</summary>
    private void Passed(int likelihood)
    {
        if (_isBusy || !_isAlive) return;
        if (_calls++ > MostCalls) throw new ViolationException("Stuck: it tries and tries.");

        Observe();
        if (_moodEnds != 0 && _time.Micros >= _moodEnds) CalmDown();
        if (_isEnding)
        {
            MakeRoom();
            return;
        }

        if (++_callsOfStep > LongStep) RaiseQuota();
        if (_random.Next(100) >= likelihood) return;
        _isBusy = true;
        _acts[_random.Next(_acts.Length)]();
        _isBusy = false;
    }

    /// <summary>What others may do, the more often the more often it stands here.</summary>
    private Action[] Acts() =>
    [
        Append, Append, Append, Append, Append, Append, Merge, StoreLate, StoreLate, ChangeMood, ChangeMood, ChangeMood,
        UseQuarantine, UseQuarantine, UseQuarantine, DeleteProject, EraseDead, EraseDead, Lag, FailLedger, EndAtCall,
        EndAtDisk, EndAtCommit, FailPosition, ChangeTaste,
    ];

    private void StoreLate()
    {
        if (_store.StoreLate()) Tell("stored late");
    }

    private void Lag()
    {
        _store.Lag(_random.Next(1, _random.Next(3) == 0 ? 40 : 6));
        Tell("a replica lags");
    }

    private void EndAtCall() => _endsInCalls = _random.Next(1, 12);

    private void EndAtDisk() => _disk.CrashAt = _disk.Calls + _random.Next(20);

    private void EndAtCommit() => _endsAtCommit = _random.Next(1, 3);

    /// <summary>One block's refused rows may need more room than all the quota: then somebody has to raise it.</summary>
    private void RaiseQuota()
    {
        _quarantineBytes *= 2;
        Tell($"the quota is raised to {_quarantineBytes}");
        throw new SimulatedCrashException();
    }

    private void Merge()
    {
        _store.Truth.Merge();
        Tell("merged");
    }

    private void ChangeMood()
    {
        CalmDown();
        var lasts = TimeSpan.FromSeconds(_random.Next(1, 30));
        switch (_random.Next(6))
        {
            case 0: return;
            case 1:
                _store.IsAway = true;
                lasts = TimeSpan.FromMinutes(_random.Next(1, _random.Next(4) == 0 ? 400 : 5));
                break;
            case 2:
                _store.ServerCode = ServerCodes[_random.Next(ServerCodes.Length)];
                lasts = TimeSpan.FromMinutes(_random.Next(1, 10));
                break;
            case 3: _store.Trouble = 85; break;
            default: _store.Trouble = _random.Next(10, 60); break;
        }

        _moodEnds = _time.Micros + (long)lasts.TotalMicroseconds;
        Tell($"away {_store.IsAway}, code {_store.ServerCode}, trouble {_store.Trouble} for {lasts}");
    }

    private void CalmDown()
    {
        (_store.IsAway, _store.ServerCode, _store.Trouble, _moodEnds) = (false, 0, 0, 0);
        _disk.Fault = null;
    }

    private void FailLedger()
    {
        _ledgerFailsUntil = _time.Micros + (_random.Next(1, 120) * 1_000_000L);
        Tell("the ledger fails");
    }

    private void FailPosition()
    {
        _disk.Fault = (call, name) =>
        {
            bool isHit = call is DiskCall.Write or DiskCall.Sync
                && name.Contains("position", StringComparison.Ordinal) && _random.Next(3) == 0;
            _isForgettingInDoubt |= isHit;
            return isHit ? SimulatedDisk.NoSpace : 0;
        };
        if (_moodEnds == 0) _moodEnds = _time.Micros + 60_000_000;
        Tell("positions cannot be written");
    }

    private void ChangeTaste()
    {
        string name = Names[_random.Next(3, Names.Length)];
        if (!_store.Bad.Remove(name)) _store.Bad.Add(name);
        Tell("refused: " + string.Join(',', _store.Bad));
    }

    private void OnTransaction(bool isCommitted)
    {
        if (!isCommitted && _time.Micros < _ledgerFailsUntil) throw new SqliteException("disk I/O error", 10);
        if (_endsAtCommit == 0 || isCommitted != (_endsAtCommit == 2)) return;

        Tell(isCommitted ? "ends behind a commit" : "ends before a commit");
        throw new SimulatedCrashException();
    }

    private void Append()
    {
        if (_byReceipt.Count >= MostRecords || _isEnding) return;

        List<ModelRecord> group = [];
        for (int count = _random.Next(1, 5); count > 0; count--)
        {
            ulong project = (ulong)_random.Next(1, (int)Projects + 1);
            group.Add(NewRecord(project, NewPayload(project)));
        }

        Append(group);
    }

    /// <summary>Those that are durable and answered now.</summary>
    private bool Append(List<ModelRecord> group)
    {
        var answers = group.ConvertAll(
            one => new Answer(_journal.AppendAsync(_tokens[one.ProjectId], 1, one.ReceivedAt, one.Payload)));
        _journal.CommitOnce();
        FindDurable();
        bool areKept = true;
        for (int i = 0; i < group.Count; i++)
        {
            bool isKept = answers[i].Outcome == AppendOutcome.Kept;
            areKept &= isKept;
            if (!isKept) continue;

            Figures.Acked += group[i].Events.Count;
            if (group[i].Sequence == 0) throw new ViolationException("Lost: a record that was acknowledged.");
        }

        return areKept;
    }

    private ModelRecord NewRecord(ulong project, byte[] payload)
    {
        _lastReceived = Math.Max(_lastReceived + 1, _time.Micros);
        var record = new ModelRecord(project, _lastReceived, payload);
        _byReceipt.Add(record.ReceivedAt, record);
        return record;
    }

    private byte[] NewPayload(ulong project)
    {
        if (_random.Next(12) == 0) return [];

        var record = new SampleRecord(_random.Next(2) == 0 ? "10.0.0.1" : "");
        int most = _random.Next(8) == 0 ? 24 : 5;
        for (int count = _random.Next(0, most); count >= 0; count--)
        {
            if (_random.Next(10) == 0) record.Refused();
            else AddEvent(record, project);
        }

        return record.ToPayload();
    }

    private void AddEvent(SampleRecord record, ulong project)
    {
        string properties = _random.Next(30) == 0 ? "{\"x\":\"" + new string('x', _random.Next(9000)) + "\"}" : "{}";
        if (_random.Next(6) == 0 && AnyEvent(project) is { } known)
        {
            record.Event(known.Name, "again", known.Uuid, known.Day, properties: properties);
            return;
        }

        byte[] uuid = new byte[16];
        _random.NextBytes(uuid);
        string name = Names[_random.Next(10) == 0 ? _random.Next(3, 5) : _random.Next(3)];
        record.Event(name, uuid: new Guid(uuid), day: 20_000 + _random.Next(2), properties: properties);
    }

    private (ulong Project, ushort Day, string Name, Guid Uuid)? AnyEvent(ulong project)
    {
        var records = _durable.FindAll(record => record.ProjectId == project && record.Events.Count > 0);
        if (records.Count == 0) return null;

        var events = records[_random.Next(records.Count)].Events;
        return events[_random.Next(events.Count)].Identity;
    }

    private void Tell(string what) =>
        _story.Append(CultureInfo.InvariantCulture, $"{_calls} {_time.Micros / 1000 % 100_000_000} {what}\n");
}
