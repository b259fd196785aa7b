using System.Text;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Tests.Journal;
using Gateway.Core.Tests.Shipping;
using Microsoft.Data.Sqlite;

namespace Gateway.Core.Tests.Ledger;

public sealed class HealthRecorderTests : IDisposable
{
    private const string JournalId = "0123456789abcdef0123456789abcdef";
    private const int Minute = 1000;

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-health-").FullName;
    private readonly TestJournal _test = new(1);
    private readonly SettableTime _time = new();
    private readonly Dictionary<string, ulong> _revoked = [];
    private readonly List<int> _asked = [];
    private bool _isDatabaseAway;
    private EventLedger _ledger = null!;
    private Freshness _freshness = null!;
    private Refusals _refusals = null!;
    private HealthRecorder _recorder = null!;

    public HealthRecorderTests() => Open();

    public void Dispose()
    {
        Close();
        _test.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public async Task Refusals_are_counted_by_project_minute_and_reason()
    {
        _refusals.Count(7, RejectionReason.RateLimited);
        _refusals.Count(7, RejectionReason.RateLimited);
        _refusals.Count(7, RejectionReason.OriginNotAllowed);
        _refusals.Count(8, RejectionReason.OriginNotAllowed);
        _refusals.Count(RejectionReason.MissingToken);
        _refusals.Count(RejectionReason.MistypedToken);
        _refusals.Count(RejectionReason.BadJson);
        _time.Advance(TimeSpan.FromMinutes(1));
        _refusals.Count(7, RejectionReason.RateLimited);
        await _recorder.FoldAsync(default);

        Assert.Equal(
            ["1000 origin_not_allowed 1", "1000 rate_limited 2", "1001 rate_limited 1"], RefusedOf(7));
        Assert.Equal(["1000 origin_not_allowed 1"], RefusedOf(8));
        Assert.Equal("missing_token 1, mistyped_token 1", Unattributed());
        Assert.Equal(["1001 rate_limited 1"], RefusedOf(7, Minute + 1));
        Assert.Empty(_ledger.Health.ReadUnattributed(Minute + 1, Minute + 9));
    }

    [Fact]
    public async Task An_unknown_token_is_told_to_the_project_that_had_it_and_to_no_other()
    {
        _revoked["old-of-7"] = 7;
        Unknown("old-of-7", "old-of-7", "never-one");
        _time.Advance(TimeSpan.FromMinutes(1));
        Unknown("old-of-7", "never-one");
        await _recorder.FoldAsync(default);

        Assert.Equal(["1000 revoked_token 2", "1001 revoked_token 1"], RefusedOf(7));
        Assert.Empty(RefusedOf(8));
        Assert.Equal("unknown_token 2", Unattributed());
        Assert.Equal([2], _asked);

        // Nothing new: nobody is asked.
        await _recorder.FoldAsync(default);
        Assert.Single(_asked);
    }

    [Fact]
    public async Task While_the_database_is_away_tokens_are_held_back_and_the_rest_is_kept()
    {
        _revoked["old"] = 7;
        _isDatabaseAway = true;
        Unknown("old", "never-one");
        _refusals.Count(7, RejectionReason.RateLimited);
        await _recorder.FoldAsync(default);
        Assert.Equal(["1000 rate_limited 1"], RefusedOf(7));
        Assert.Equal("", Unattributed());

        _time.Advance(TimeSpan.FromMinutes(3));
        Unknown("old");
        await _recorder.FoldAsync(default);
        _isDatabaseAway = false;
        await _recorder.FoldAsync(default);

        Assert.Equal(["1000 rate_limited 1", "1000 revoked_token 1", "1003 revoked_token 1"], RefusedOf(7));
        Assert.Equal("unknown_token 1", Unattributed());
    }

    [Fact]
    public async Task Made_up_tokens_take_half_of_the_room_and_none_of_them_is_lost()
    {
        _revoked["old"] = 7;
        for (int i = 0; i < 3000; i++) Unknown($"made-up-{i}");
        Unknown("made-up-0", new string('x', 65));
        for (int i = 0; i < 3000; i++) _refusals.CountUnknown(Encoding.ASCII.GetBytes(i == 9 ? "old" : $"ours-{i}"), true);
        await _recorder.FoldAsync(default);

        Assert.Equal([Refusals.MaxTokens], _asked);
        Assert.Equal(["1000 revoked_token 1"], RefusedOf(7));
        Assert.Equal("unknown_token 6001", Unattributed());
    }

    [Fact]
    public async Task Tokens_that_are_held_back_have_a_limit_and_none_of_them_is_lost()
    {
        _isDatabaseAway = true;
        const int Each = Refusals.MaxForeignTokens;
        const int Minutes = (HealthRecorder.MaxTokens / Each) + 3;
        for (int minute = 0; minute < Minutes; minute++)
        {
            for (int i = 0; i < Each; i++) Unknown($"{minute}-{i}");
            await _recorder.FoldAsync(default);
            _time.Advance(TimeSpan.FromMinutes(1));
        }

        Assert.Equal($"unknown_token {3 * Each}", Unattributed());
        Assert.Equal(HealthRecorder.MaxTokens, _asked[^1]);
        _isDatabaseAway = false;
        await _recorder.FoldAsync(default);
        Assert.Equal($"unknown_token {Minutes * Each}", Unattributed());
    }

    [Fact]
    public async Task Freshness_is_of_the_minute_in_which_events_became_visible_also_when_it_is_folded_in_parts()
    {
        _freshness.Add(7, 0, 10_000, 3);
        _time.Advance(TimeSpan.FromSeconds(30));
        Show(7, seconds: 0.01, events: 50);
        await _recorder.FoldAsync(default);
        Show(7, seconds: 4, events: 50);
        Show(8, seconds: 45, events: 1);
        await _recorder.FoldAsync(default);
        _time.Advance(TimeSpan.FromMinutes(1));
        Show(7, seconds: 1, events: 1);
        Close();
        Open();
        _time.Advance(TimeSpan.FromSeconds(-60));
        Show(7, seconds: 0.01, events: 1);
        await _recorder.FoldAsync(default);

        var minute = Assert.Single(_ledger.Health.Read(7, Minute, Minute + 9));
        Assert.Equal((Minute, 101), (minute.Minute, minute.Freshness.Events));
        Assert.InRange(minute.Freshness.P50!.Value.TotalSeconds, 0.01, 0.012);
        Assert.InRange(minute.Freshness.P99!.Value.TotalSeconds, 4, 4.8);
        Assert.Equal(1, Assert.Single(_ledger.Health.Read(8, Minute, Minute)).Freshness.Events);
        Assert.Equal(3, Assert.Single(_ledger.Health.Read(7, 0, 0)).Freshness.Events);
    }

    [Fact]
    public async Task What_waits_is_of_the_last_look_in_a_minute()
    {
        _ledger.Accept(1, 7, 0, new SampleRecord().Event("a").Event("b").ToPayload());
        _ledger.Accept(2, 7, 90_000_000, new SampleRecord().Event("c").ToPayload());
        _ledger.Accept(3, 8, 0, new SampleRecord().Event("d").ToPayload());
        await _recorder.FoldAsync(default);
        Assert.Equal([(Minute, 3L)], WaitingOf(7));
        Assert.Equal([(Minute, 1L)], WaitingOf(8));

        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 9000));
        settlement.Ship(1, 7, 0, 2, 0);
        settlement.Ship(2, 7, 90_000_000, 1, 0);
        _ledger.Settle(settlement);
        await _recorder.FoldAsync(default);
        Assert.Empty(WaitingOf(7));
        Assert.Equal([(Minute, 1L)], WaitingOf(8));

        _time.Advance(TimeSpan.FromMinutes(1));
        await _recorder.FoldAsync(default);
        Assert.Equal([(Minute, 1L), (Minute + 1, 1L)], WaitingOf(8));
    }

    [Fact]
    public async Task What_is_written_down_survives_a_restart_and_is_added_to()
    {
        _refusals.Count(7, RejectionReason.RateLimited);
        Unknown("never-one");
        await _recorder.FoldAsync(default);
        Close();
        Open();
        _refusals.Count(7, RejectionReason.RateLimited);
        Unknown("never-one");
        await _recorder.FoldAsync(default);

        Assert.Equal(["1000 rate_limited 2"], RefusedOf(7));
        Assert.Equal("unknown_token 2", Unattributed());
    }

    [Fact]
    public async Task Old_minutes_are_forgotten_an_hour_later_at_most()
    {
        Show(7, seconds: 1, events: 1);
        _refusals.Count(7, RejectionReason.RateLimited);
        Unknown("never-one");
        await _recorder.FoldAsync(default);
        _time.Advance(TimeSpan.FromDays(7) - TimeSpan.FromMinutes(2));
        await _recorder.FoldAsync(default);
        Assert.Single(_ledger.Health.Read(7, 0, int.MaxValue));

        _time.Advance(TimeSpan.FromMinutes(61));
        await _recorder.FoldAsync(default);
        Assert.Empty(_ledger.Health.Read(7, 0, int.MaxValue));
        Assert.Equal("", Unattributed());
    }

    [Fact]
    public async Task Nothing_is_lost_or_counted_twice_when_the_file_cannot_be_written_for_a_while()
    {
        var connection = new SqliteConnection("Data Source=:memory:");
        connection.Open();
        using var file = LedgerFile.Over(connection);
        var history = new HealthHistory(file, TimeSpan.FromDays(7), _time);
        using var recorder = Recorder(history);
        for (ulong project = 1; project <= 1000; project++) _refusals.Count(project, RejectionReason.RateLimited);

        // The second part of four fails, and twice so.
        int steps = 0;
        file.OnTransaction = isCommitted =>
        {
            if (!isCommitted && ++steps is 2 or 3) throw new SqliteException("disk full", 13);
        };
        for (int i = 0; i < 3; i++) await recorder.FoldAsync(default);

        for (ulong project = 1; project <= 1000; project++)
            Assert.Equal(1, Assert.Single(history.Read(project, 0, int.MaxValue)).Refused["rate_limited"]);
        Assert.Single(_test.Logger.Entries, entry => entry.Text.Contains("How projects fare", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Who_reads_folds_at_most_once_a_second()
    {
        _refusals.Count(7, RejectionReason.RateLimited);
        await _recorder.FoldIfDueAsync(default);
        _refusals.Count(7, RejectionReason.RateLimited);
        _time.Advance(TimeSpan.FromMilliseconds(900));
        await _recorder.FoldIfDueAsync(default);
        Assert.Equal(["1000 rate_limited 1"], RefusedOf(7));

        _time.Advance(TimeSpan.FromMilliseconds(100));
        await _recorder.FoldIfDueAsync(default);
        Assert.Equal(["1000 rate_limited 2"], RefusedOf(7));
    }

    [Fact]
    public async Task It_is_folded_once_more_at_the_end()
    {
        using var stop = new CancellationTokenSource();
        var run = _recorder.RunAsync(stop.Token);
        _refusals.Count(7, RejectionReason.RateLimited);
        await stop.CancelAsync();
        await run;

        Assert.Equal(["1000 rate_limited 1"], RefusedOf(7));
    }

    private void Unknown(params string[] tokens)
    {
        foreach (string token in tokens) _refusals.CountUnknown(Encoding.ASCII.GetBytes(token), isOurs: false);
    }

    private void Show(ulong project, double seconds, int events)
    {
        long now = _time.GetUtcNow().ToUnixMicroseconds();
        _freshness.Add(project, now - (long)(seconds * 1e6), now, events);
    }

    private List<string> RefusedOf(ulong project, int from = 0) =>
    [
        .. _ledger.Health.Read(project, from, int.MaxValue).SelectMany(minute => minute.Refused
            .OrderBy(count => count.Key, StringComparer.Ordinal)
            .Select(count => $"{minute.Minute} {count.Key} {count.Value}")),
    ];

    private string Unattributed() => string.Join(
        ", ",
        _ledger.Health.ReadUnattributed(0, int.MaxValue)
            .OrderBy(count => count.Key, StringComparer.Ordinal)
            .Select(count => $"{count.Key} {count.Value}"));

    private List<(int Minute, long Waiting)> WaitingOf(ulong project) =>
        [.. _ledger.Health.Read(project, 0, int.MaxValue).Select(minute => (minute.Minute, minute.Waiting))];

    private void Open()
    {
        _ledger = EventLedger.Open(_test.Journal, _folder, JournalId, new LedgerOptions(), _time, _test.Logger);
        (_freshness, _refusals) = (new Freshness(_time), new Refusals(_time));
        _recorder = Recorder(_ledger.Health);
    }

    private void Close()
    {
        _recorder.Dispose();
        _ledger.Dispose();
    }

    private HealthRecorder Recorder(HealthHistory history) => new(
        history, [_ledger], _freshness, _refusals, FindRevokedAsync, _time, _test.Logger);

    private ValueTask<IReadOnlyDictionary<string, ulong>?> FindRevokedAsync(
        IReadOnlyCollection<string> tokens, CancellationToken cancellationToken)
    {
        _asked.Add(tokens.Count);
        return new(_isDatabaseAway
            ? null
            : tokens.Where(_revoked.ContainsKey).ToDictionary(token => token, token => _revoked[token]));
    }

    private sealed class SettableTime : TimeProvider
    {
        private DateTimeOffset _now = DateTimeOffset.UnixEpoch.AddMinutes(Minute);

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public void Advance(TimeSpan by) => _now += by;

        public override long GetTimestamp() => _now.Ticks;

        public override DateTimeOffset GetUtcNow() => _now;
    }
}
