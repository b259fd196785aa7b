using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Tests.Journal;
using Gateway.Core.Tests.Shipping;

namespace Gateway.Core.Tests.Ledger;

public sealed class EventLedgerTests : IDisposable
{
    private const string JournalId = "0123456789abcdef0123456789abcdef";
    private const long Minute = 60_000_000;

    private static readonly LedgerOptions Forever = new() { Keep = TimeSpan.FromDays(36_500) };

    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-ledger-").FullName;
    private readonly TestJournal _test = new(1);
    private EventLedger _ledger;

    public EventLedgerTests() => _ledger = Open();

    public void Dispose()
    {
        _ledger.Dispose();
        _test.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void An_event_waits_from_its_record_on_and_is_settled_with_its_range()
    {
        _ledger.Accept(1, 7, 5 * Minute, new SampleRecord().Event("a").Refused().Event("b").ToPayload());
        _ledger.Accept(2, 7, 6 * Minute, new SampleRecord().Event("c").ToPayload());
        _ledger.Accept(3, 8, 5 * Minute, new SampleRecord().Event("d").ToPayload());
        Assert.Equal(
            [new LedgerMinute { Minute = 5, Waiting = 2, Refused = 1 }, new LedgerMinute { Minute = 6, Waiting = 1 }],
            _ledger.Read(7, 0, 9));

        var settlement = Settle(1, 7, 5, events: 2, refused: 1);
        Assert.Equal(
            [new LedgerMinute { Minute = 5, Shipped = 2, Refused = 1 }, new LedgerMinute { Minute = 6, Waiting = 1 }],
            _ledger.Read(7, 0, 9));
        Assert.Equal((settlement.Next, 2ul), (_ledger.Position, _ledger.NextSequence));
        Assert.Equal(2, _ledger.Totals.Waiting);
        Assert.Empty(_ledger.Read(9, 0, 9));
        Assert.Equal(6, Assert.Single(_ledger.Read(7, 6, 6)).Minute);
    }

    [Fact]
    public void A_row_that_is_put_aside_is_quarantined_and_not_shipped()
    {
        _ledger.Accept(1, 7, Minute, new SampleRecord().Event("a").Event("b").Event("c").ToPayload());
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 9000));
        settlement.Ship(1, 7, Minute, 3, 0);
        settlement.Quarantine(QuarantineTests.Row(1, 1, 7));
        _ledger.Settle(settlement);

        var minute = Assert.Single(_ledger.Read(7, 0, 9));
        Assert.Equal((3, 2, 1, 0), (minute.Accepted, minute.Shipped, minute.Quarantined, minute.Waiting));
    }

    [Fact]
    public void Counts_position_and_quarantine_survive_together()
    {
        _ledger.Accept(1, 7, Minute, new SampleRecord().Event("a").ToPayload());
        _ledger.Accept(2, 7, Minute, new SampleRecord().Event("b").ToPayload());
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 8200));
        settlement.Ship(1, 7, Minute, 1, 0);
        settlement.Quarantine(QuarantineTests.Row(1, 0, 7));
        _ledger.Settle(settlement);

        Reopen();

        // The second was never settled: its journal is read again.
        Assert.Equal([new LedgerMinute { Minute = 1, Quarantined = 1 }], _ledger.Read(7, 0, 9));
        Assert.Equal(1, _ledger.Quarantine.Rows);
    }

    [Fact]
    public void Nothing_of_a_settlement_is_kept_when_a_part_of_it_cannot_be()
    {
        _ledger.Dispose();
        _ledger = Open(Forever with { QuarantineBytes = 400 });
        _ledger.Accept(1, 7, Minute, new SampleRecord().Event("a").Event("b").Event("c").ToPayload());
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 9000));
        settlement.Ship(1, 7, Minute, 3, 0);
        for (uint row = 0; row < 3; row++) settlement.Quarantine(QuarantineTests.Row(1, row, 7));

        var failure = Assert.Throws<LedgerException>(() => _ledger.Settle(settlement));
        Assert.Contains("quota of 400 bytes", failure.Message, StringComparison.Ordinal);
        Assert.Equal([new LedgerMinute { Minute = 1, Waiting = 3 }], _ledger.Read(7, 0, 9));
        Assert.Equal((0L, 0L), (_ledger.Quarantine.Rows, _ledger.Quarantine.Bytes));
        Assert.Equal(0ul, _ledger.NextSequence);
    }

    [Fact]
    public void A_gap_between_sequences_is_a_lost_record_and_is_told()
    {
        _ledger.Accept(1, 7, Minute, new SampleRecord().Event("a").ToPayload());
        _ledger.Accept(9, 7, Minute, new SampleRecord().Event("b").ToPayload());
        Settle(1, 7, 1, events: 1);
        Assert.Equal(0, _ledger.Totals.LostRecords);

        Settle(5, 7, 1, events: 0, alsoSequence: 8);
        Assert.Equal(5, _ledger.Totals.LostRecords);
        Assert.True(_test.Logger.Has(Microsoft.Extensions.Logging.LogLevel.Critical, "LOST: 5 records"));

        Reopen();
        Assert.Equal(5, _ledger.Totals.LostRecords);
    }

    [Fact]
    public void What_waits_when_all_is_settled_was_lost_on_the_way()
    {
        _ledger.Accept(1, 7, Minute, new SampleRecord().Event("a").Event("b").ToPayload());
        _ledger.Accept(2, 7, Minute, new SampleRecord().Event("c").ToPayload());
        Settle(2, 7, 1, events: 1);

        var minute = Assert.Single(_ledger.Read(7, 0, 9));
        Assert.Equal((3, 1, 2, 0), (minute.Accepted, minute.Shipped, minute.Damaged, minute.Waiting));
        Assert.True(_test.Logger.Has(Microsoft.Extensions.Logging.LogLevel.Critical, "LOST: 2 events"));
    }

    [Fact]
    public void What_the_journal_holds_is_counted_as_waiting_at_the_start()
    {
        _test.Commit(new SampleRecord().Event("a").Event("b").ToPayload(), new SampleRecord().Event("c").ToPayload());
        var end = _test.Journal.DurableEnd;
        _test.Commit(new SampleRecord().Event("told by the observer").ToPayload());

        Assert.Equal(7ul, _ledger.Recover(_test.Journal, end));
        Assert.Equal(3, _ledger.Totals.Waiting);
    }

    [Fact]
    public void A_project_that_only_the_books_know_keeps_its_id()
    {
        Settle(1, 57, 1, events: 0);

        Assert.Equal(57ul, _ledger.Recover(_test.Journal, _test.Journal.DurableEnd));
    }

    [Fact]
    public void Another_journals_ledger_is_refused()
    {
        Settle(1, 7, 1, events: 0);
        Reopen();
        _ledger.Dispose();

        var failure = Assert.Throws<LedgerException>(() => EventLedger.Open(
            _test.Journal, _folder, new string('f', 32), Forever, TimeProvider.System, _test.Logger));
        Assert.Contains("is of the journal " + JournalId, failure.Message, StringComparison.Ordinal);
        _ledger = Open();
    }

    [Fact]
    public void A_ledger_that_knows_more_than_its_journal_is_refused()
    {
        _test.Commit("x"u8.ToArray());
        var settlement = new Settlement();
        settlement.Start(_test.Journal.DurableEnd with { Offset = _test.Journal.DurableEnd.Offset + 8 });
        settlement.Ship(1, 7, Minute, 0, 0);
        _ledger.Settle(settlement);
        _ledger.Dispose();

        var failure = Assert.Throws<LedgerException>(() => Open());
        Assert.Contains("an older copy", failure.Message, StringComparison.Ordinal);
        File.Delete(Path.Combine(_folder, EventLedger.FileName));
        _ledger = Open();
    }

    [Fact]
    public void A_file_that_is_no_ledger_is_refused_and_left_alone()
    {
        _ledger.Dispose();
        string path = Path.Combine(_folder, EventLedger.FileName);
        byte[] garbage = new byte[9000];
        new Random(1).NextBytes(garbage);
        File.WriteAllBytes(path, garbage);

        var failure = Assert.Throws<LedgerException>(() => Open());
        Assert.Contains(path, failure.Message, StringComparison.Ordinal);
        Assert.Equal(garbage, File.ReadAllBytes(path));
        File.Delete(path);
        _ledger = Open();
    }

    [Fact]
    public void Old_minutes_are_forgotten()
    {
        _ledger.Dispose();
        _ledger = Open(new LedgerOptions());
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 9000));
        long now = (DateTimeOffset.UtcNow - DateTimeOffset.UnixEpoch).Ticks / 10;
        ulong[] projects = [7, 8, ulong.MaxValue >> 1];
        ulong sequence = 0;
        foreach (ulong project in projects)
        {
            foreach (long at in new[] { Minute, now })
            {
                settlement.Ship(++sequence, project, at, 1, 0);
                _ledger.Accept(sequence, project, at, new SampleRecord().Event("a").ToPayload());
            }
        }

        _ledger.Settle(settlement);

        foreach (ulong project in projects)
            Assert.Equal(now / Minute, Assert.Single(_ledger.Read(project, 0, int.MaxValue)).Minute);
    }

    [Fact]
    public void Its_file_is_only_its_owners()
    {
        if (OperatingSystem.IsWindows()) return;
        Assert.Equal(
            UnixFileMode.UserRead | UnixFileMode.UserWrite,
            File.GetUnixFileMode(Path.Combine(_folder, EventLedger.FileName)));
    }

    private EventLedger Open(LedgerOptions? options = null) => EventLedger.Open(
        _test.Journal, _folder, JournalId, options ?? Forever, TimeProvider.System, _test.Logger);

    private void Reopen()
    {
        // What was settled here lies beyond the journal of the test, which has nothing to do with it.
        _test.Commit([.. Enumerable.Range(0, 20).Select(_ => (ReadOnlyMemory<byte>)new byte[2000])]);
        _ledger.Dispose();
        _ledger = Open();
    }

    private Settlement Settle(
        ulong sequence, ulong project, int minute, int events, int refused = 0, ulong? alsoSequence = null)
    {
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 8192 + ((long)sequence * 64)));
        settlement.Ship(sequence, project, minute * Minute, events, refused);
        if (alsoSequence is { } other) settlement.Ship(other, project, minute * Minute, 0, 0);
        _ledger.Settle(settlement);
        return settlement;
    }
}
