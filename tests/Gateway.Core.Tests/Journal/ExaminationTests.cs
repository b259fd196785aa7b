using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

/// <summary>What is told of a journal that no process uses, held against what was done to it.</summary>
public sealed class ExaminationTests : IDisposable
{
    private const int RecordBytes = 160; // A payload of 100 bytes.

    private readonly TestJournal _test = new();

    [Fact]
    public void A_whole_journal_is_told_record_by_record()
    {
        for (int id = 0; id < 3; id++) _test.Commit(TestJournal.Payload(id), TestJournal.Payload(id + 10));
        _test.Forget(_test.ReadAll(maxBytes: 1)[0].BatchEnd);
        _test.KillAndReopen();
        _test.Commit(TestJournal.Payload(3));
        _test.Disk.Kill();
        var report = Examine();

        Assert.Empty(report.Problems);
        Assert.Equal([6, 1], report.Segments.Select(segment => segment.Records));
        Assert.Equal([1, 7], report.Segments.Select(segment => (int)segment.FirstSequence!));
        Assert.Equal([6, 7], report.Segments.Select(segment => (int)segment.LastSequence!));
        Assert.Equal(SegmentHeader.Bytes + (6 * RecordBytes), report.Segments[0].End);
        Assert.Equal((6, 6 * RecordBytes), (report.RecordsWaiting, report.BytesWaiting));
        Assert.Equal(new JournalPosition(1, SegmentHeader.Bytes + RecordBytes), report.Position);
        Assert.Equal(2, report.Slots.Count);
        Assert.Single(report.Slots, slot => slot.Counts);
        var project = Assert.Single(report.Projects);
        Assert.Equal((7ul, 6, 12, 6), (project.ProjectId, project.Records, project.Events, project.Refused));
    }

    [Fact]
    public void Nothing_is_changed_by_looking()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2));
        _test.Disk.Kill();
        Corrupt(1, at: 1);
        _test.Disk.Log.Clear();
        Examine();

        Assert.Empty(_test.Disk.Log);
    }

    [Fact]
    public void A_running_gateway_is_left_alone()
    {
        var refusal = Assert.Throws<JournalException>(Examine);
        Assert.Contains("A gateway uses the journal", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_gateway_cannot_start_meanwhile()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.Kill();
        bool looked = false;
        JournalExamination.Run(TestJournal.Directory, _test.Disk, Count, _ =>
        {
            looked = true;
            Assert.Throws<JournalException>(_test.Open);
        });

        Assert.True(looked);
        _test.Reopen();
    }

    [Fact]
    public void Damage_is_told_with_what_it_costs()
    {
        _test.Commit(TestJournal.Payload(1), TestJournal.Payload(2));
        _test.Commit(TestJournal.Payload(3));
        _test.Disk.Kill();
        Corrupt(1, at: 1);
        var report = Examine();

        Assert.Equal([1, 3], FoundByAStart());
        Assert.Equal(2, report.RecordsWaiting);
        var damage = Assert.Single(Assert.Single(report.Segments).Damage);
        Assert.Equal((2ul, 1, false), (damage.FirstLost, damage.Records, damage.IsShipped));
        Assert.Contains("1 records are lost, from sequence 2", Assert.Single(report.Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_torn_tail_is_no_damage()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2));
        _test.Disk.Kill();
        Corrupt(1, at: 1);
        var report = Examine();

        Assert.Empty(report.Problems);
        Assert.True(Assert.Single(report.Segments).EndsTorn);
        Assert.Equal([1], FoundByAStart());
    }

    [Fact]
    public void Damage_in_what_was_shipped_is_told_as_no_loss()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2));
        _test.Forget(_test.ReadAll(maxBytes: 1)[0].BatchEnd);
        _test.Disk.Kill();
        Corrupt(1, at: 0);

        Assert.Contains("nothing is lost", Assert.Single(Examine().Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_segment_is_named()
    {
        for (int id = 0; id < 3; id++)
        {
            _test.Commit(TestJournal.Payload(id));
            _test.KillAndReopen();
        }

        _test.Disk.Kill();
        _test.Disk.Delete(_test.SegmentPath(2));

        Assert.Contains(Segment.NameOf(2), Assert.Single(Examine().Problems), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(true, false, "one of the two copies")]
    [InlineData(true, true, "no readable header")]
    public void A_damaged_header_is_told(bool first, bool second, string expected)
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.Kill();
        if (first) _test.Disk.Corrupt(_test.SegmentPath(1), 9);
        if (second) _test.Disk.Corrupt(_test.SegmentPath(1), 4096 + 9);

        Assert.Contains(expected, Assert.Single(Examine().Problems), StringComparison.Ordinal);
    }

    [Fact]
    public void An_unreadable_slot_is_told_and_the_other_one_counts()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Forget(_test.End());
        _test.Disk.Kill();
        _test.Disk.Corrupt($"{TestJournal.Directory}/position.0", 20);
        var report = Examine();

        Assert.Contains("position.0 cannot be read", Assert.Single(report.Problems), StringComparison.Ordinal);
        Assert.Equal("position.1", Assert.Single(report.Slots, slot => slot.Counts).Name);
    }

    public void Dispose() => _test.Dispose();

    private JournalReport Examine() =>
        JournalExamination.Run(TestJournal.Directory, _test.Disk, Count, _ => { });

    /// <summary>Two events and a refused one in each record.</summary>
    private static (long Events, long Refused) Count(ReadOnlySpan<byte> payload) => (2, 1);

    private List<int> FoundByAStart()
    {
        _test.Reopen();
        return _test.ReadIds();
    }

    private void Corrupt(ulong segment, int at) =>
        _test.Disk.Corrupt(_test.SegmentPath(segment), SegmentHeader.Bytes + (at * RecordBytes) + 80);
}
