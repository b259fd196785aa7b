using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Tests.Journal;

namespace Gateway.Core.Tests.Ledger;

public sealed class QuarantineTests : IDisposable
{
    private readonly string _folder = Directory.CreateTempSubdirectory("gateway-quarantine-").FullName;
    private readonly TestJournal _test = new(1);
    private EventLedger _ledger;

    public QuarantineTests() => _ledger = Open(100_000);

    public void Dispose()
    {
        _ledger.Dispose();
        _test.Dispose();
        Directory.Delete(_folder, recursive: true);
    }

    [Fact]
    public void A_project_sees_its_own_rows_the_latest_first_and_page_by_page()
    {
        Put(Row(1, 0, 7), Row(1, 1, 7), Row(2, 0, 8), Row(3, 0, 7));

        var (count, part) = _ledger.Quarantine.List(7, 0, 2);
        Assert.Equal(3, count);
        Assert.Equal([(3ul, 0u), (1ul, 1u)], part.Select(entry => (entry.Row.Sequence, entry.Row.Row)));
        Assert.Equal([(1ul, 0u)], _ledger.Quarantine.List(7, 2, 2).Part.Select(entry => (entry.Row.Sequence, entry.Row.Row)));
        var one = _ledger.Quarantine.List(8, 0, 9).Part.Single();
        Assert.Equal(("clickhouse_117", "no"), (one.Code, one.Reason));
        Assert.Equal(Row(2, 0, 8).Row.Bytes, one.Row.Bytes);
        Assert.Null(_ledger.Quarantine.Find(7, one.Id));
        Assert.NotNull(_ledger.Quarantine.Find(8, one.Id));
        Assert.Equal(2, _ledger.Quarantine.Ids(7, _ledger.Quarantine.Ids(7, 0, 1)[0], 9).Count);
    }

    [Fact]
    public void The_same_row_is_kept_once()
    {
        Put(Row(1, 0, 7));
        Put(Row(1, 0, 7));

        Assert.Equal((1L, 1L), (_ledger.Quarantine.Rows, _ledger.Quarantine.List(7, 0, 9).Count));
    }

    [Fact]
    public void A_deleted_row_is_gone_and_frees_its_room_and_others_stay()
    {
        Put(Row(1, 0, 7), Row(1, 1, 7), Row(2, 0, 8));
        long before = _ledger.Quarantine.Bytes;
        long id = _ledger.Quarantine.Ids(7, 0, 1)[0];

        Assert.Equal(0, _ledger.Quarantine.Delete(8, id));
        Assert.Equal(1, _ledger.Quarantine.Delete(7, id));
        Assert.Equal(0, _ledger.Quarantine.Delete(7, id));
        Assert.Equal(before / 3 * 2, _ledger.Quarantine.Bytes);
        Assert.Equal(1, _ledger.Quarantine.Delete(7, null));
        Assert.Equal((1L, 1L), (_ledger.Quarantine.Rows, _ledger.Quarantine.List(8, 0, 9).Count));

        // Their places are remembered until the store was asked for them.
        Assert.Equal(3, _ledger.Quarantine.RowsOf(1, 2).Count);
        _ledger.Quarantine.ForgetMarks(2);
        Assert.Equal([(2ul, 0u)], _ledger.Quarantine.RowsOf(1, 2));
    }

    [Fact]
    public void A_deleted_projects_rows_are_erased_and_counted()
    {
        Put(Row(1, 0, 7), Row(1, 1, 7), Row(2, 0, 8));

        Assert.Equal([KeyValuePair.Create(7ul, 2L)], _ledger.Quarantine.Erase([7, 9]));
        Assert.Equal(1, _ledger.Quarantine.Rows);
        Assert.Empty(_ledger.Quarantine.Erase([7, 9]));
    }

    [Fact]
    public void Another_journals_rows_are_taken_over_once_and_those_of_deleted_projects_are_not()
    {
        Put(Row(1, 0, 7));
        string folder = Directory.CreateTempSubdirectory("gateway-quarantine-").FullName;
        using var other = EventLedger.Open(
            _test.Journal, folder, new string('e', 32), new LedgerOptions(), TimeProvider.System, _test.Logger);
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 8192));
        foreach (var row in new[] { Row(1, 0, 7), Row(1, 1, 8), Row(2, 0, 9) }) settlement.Quarantine(row);
        other.Settle(settlement);

        Assert.Equal(2, _ledger.Quarantine.Adopt(other.Quarantine, new string('e', 32), [9]));
        Assert.Equal(0, _ledger.Quarantine.Adopt(other.Quarantine, new string('e', 32), [9]));

        Assert.Equal((3L, 0L), (_ledger.Quarantine.Rows, other.Quarantine.Rows));
        Assert.Equal(
            [new string('e', 32), ""], _ledger.Quarantine.List(7, 0, 9).Part.Select(entry => entry.JournalId));
        Assert.Equal([(1ul, 0u)], _ledger.Quarantine.RowsOf(0, 9));
        Directory.Delete(folder, recursive: true);
    }

    [Fact]
    public void What_capture_refused_is_kept_as_far_as_its_share_reaches_and_never_takes_the_room_of_accepted_events()
    {
        for (uint row = 0; row < 200; row++) Put(Refused(1, row, 7));
        var quarantine = _ledger.Quarantine;
        Assert.InRange(quarantine.Bytes, 4_000, 5_000);
        Assert.Equal(200, quarantine.Rows + quarantine.Dropped);

        for (ulong project = 10; project < 40; project++)
            for (uint row = 0; row < 200; row++) Put(Refused(project, row, project));
        Assert.InRange(quarantine.Bytes, 49_000, 50_000);

        Put(Row(500, 0, 7));
        Assert.Equal(1, quarantine.List(7, 0, 1).Part.Count(entry => entry.Row.IsEvent));
    }

    [Fact]
    public void What_a_failed_try_dropped_is_counted_by_the_one_that_comes_to_pass()
    {
        var row = Row(2, 0, 7);
        var large = row with
        {
            Row = row.Row with { Bytes = [EventPayload.EventKind, .. new byte[100_000]] },
        };
        for (int i = 0; i < 2; i++) Assert.Throws<LedgerException>(() => Put([.. ManyRefused(), large]));
        Assert.Equal((0L, 0L), (_ledger.Quarantine.Rows, _ledger.Quarantine.Dropped));

        Put([.. ManyRefused()]);
        Assert.Equal(200, _ledger.Quarantine.Rows + _ledger.Quarantine.Dropped);

        IEnumerable<QuarantinedRow> ManyRefused() => Enumerable.Range(0, 200).Select(i => Refused(1, (uint)i, 7));
    }

    [Fact]
    public void Ids_are_never_used_again_and_all_is_there_after_a_restart()
    {
        Put(Row(1, 0, 7));
        long id = _ledger.Quarantine.Ids(7, 0, 1)[0];
        _ledger.Quarantine.Erase([7]);
        Put(Row(2, 0, 7));
        long bytes = _ledger.Quarantine.Bytes;

        _test.Commit([.. Enumerable.Range(0, 8).Select(_ => (ReadOnlyMemory<byte>)new byte[2000])]);
        _ledger.Dispose();
        _ledger = Open(100_000);

        Assert.True(_ledger.Quarantine.Ids(7, 0, 1)[0] > id);
        Assert.Equal((1L, bytes), (_ledger.Quarantine.Rows, _ledger.Quarantine.Bytes));
    }

    internal static QuarantinedRow Row(ulong sequence, uint row, ulong project) => new(
        new JournalRow(sequence, row, project, 60_000_000, [], [EventPayload.EventKind, .. new byte[40]]),
        "clickhouse_117",
        "no");

    private static QuarantinedRow Refused(ulong sequence, uint row, ulong project) => new(
        new JournalRow(sequence, row, project, 60_000_000, [], [EventPayload.RefusedKind, .. new byte[40]]),
        "missing_event_name",
        "The event has no name.");

    private void Put(params QuarantinedRow[] rows)
    {
        var settlement = new Settlement();
        settlement.Start(new JournalPosition(1, 8192));
        foreach (var row in rows) settlement.Quarantine(row);
        _ledger.Settle(settlement);
    }

    private EventLedger Open(long quotaBytes) => EventLedger.Open(
        _test.Journal,
        _folder,
        "0123456789abcdef0123456789abcdef",
        new LedgerOptions { QuarantineBytes = quotaBytes },
        TimeProvider.System,
        _test.Logger);
}
