using Gateway.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

public sealed class RecoveryTests : IDisposable
{
    private const int RecordBytes = 160; // A payload of 100 bytes.

    private readonly TestJournal _test = new();

    [Fact]
    public void A_new_journal_is_empty()
    {
        Assert.False(_test.Journal.Read(default, new JournalBatch(), 4096));
        Assert.Null(_test.Journal.Status.OldestWaitingMicros);
        Assert.True(_test.Journal.Status.IsAccepting);
        Assert.DoesNotContain(_test.Logger.Entries, entry => entry.Level > LogLevel.Information);
    }

    [Fact]
    public void Recovery_goes_on_in_a_new_segment()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.KillAndReopen();
        _test.Commit(TestJournal.Payload(2));

        var all = _test.ReadAll();
        Assert.Equal([1ul, 2ul], all.Select(record => record.Sequence));
        Assert.Equal([1ul, 2ul], all.Select(record => record.BatchEnd.Segment));
    }

    [Fact]
    public void A_torn_tail_is_left_out_and_told()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2));
        Corrupt(1, at: 1);
        _test.KillAndReopen();

        Assert.Equal([1], _test.ReadIds());
        Assert.True(_test.Logger.Has(LogLevel.Information, "torn"));
        Assert.Equal(0, _test.Journal.Status.Counters.LostRecords);
    }

    [Fact]
    public void A_hole_in_the_last_group_is_a_torn_tail()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2), TestJournal.Payload(3), TestJournal.Payload(4));
        Corrupt(1, at: 1); // Sequence 2, with 3 and 4 of the same group whole behind it.
        _test.KillAndReopen();

        Assert.Equal([1], _test.ReadIds());
        Assert.Equal(0, _test.Journal.Status.Counters.LostRecords);
    }

    [Fact]
    public void A_hole_with_a_later_group_behind_it_is_damage_and_costs_only_itself()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2), TestJournal.Payload(3));
        _test.Commit(TestJournal.Payload(4));
        Corrupt(1, at: 1);
        _test.KillAndReopen();

        Assert.Equal([1, 3, 4], _test.ReadIds());
        AssertDamage("sequences 2 to 2", lost: 1, quarantined: 1);
    }

    [Fact]
    public void Two_holes_in_the_last_two_groups_cost_no_whole_record_of_the_first()
    {
        _test.Commit(TestJournal.Payload(1), TestJournal.Payload(2), TestJournal.Payload(3), TestJournal.Payload(4));
        _test.Commit(TestJournal.Payload(5), TestJournal.Payload(6));
        Corrupt(1, at: 0);
        Corrupt(1, at: 4);
        _test.KillAndReopen();

        Assert.Equal([2, 3, 4], _test.ReadIds());
        AssertDamage("sequences 1 to 1", lost: 1, quarantined: 1);
    }

    [Fact]
    public void The_last_record_of_a_synced_group_is_damage_when_the_next_group_is_whole()
    {
        _test.Commit(TestJournal.Payload(1), TestJournal.Payload(2));
        _test.Commit(TestJournal.Payload(3));
        Corrupt(1, at: 1);
        _test.KillAndReopen();

        Assert.Equal([1, 3], _test.ReadIds());
        AssertDamage("sequences 2 to 2", lost: 1, quarantined: 1);
    }

    [Fact]
    public void The_next_segments_header_tells_damage_at_the_end_from_a_torn_tail()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2), TestJournal.Payload(3));
        _test.KillAndReopen();
        _test.Commit(TestJournal.Payload(4));
        Corrupt(1, at: 2);
        _test.KillAndReopen();

        Assert.Equal([1, 2, 4], _test.ReadIds());
        AssertDamage("sequences 3 to 3", lost: 1, quarantined: 1);
    }

    [Fact]
    public void A_segment_without_a_readable_header_is_lost_alone()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.KillAndReopen();
        _test.Commit(TestJournal.Payload(2));
        _test.KillAndReopen();
        _test.Commit(TestJournal.Payload(3));
        _test.Disk.Corrupt(_test.SegmentPath(2), 9);
        _test.Disk.Corrupt(_test.SegmentPath(2), 4096 + 9);
        _test.KillAndReopen();

        Assert.Equal([1, 3], _test.ReadIds());
        Assert.True(_test.Logger.Has(LogLevel.Critical, "no readable header"));
        Assert.Equal(1, _test.Journal.Status.Counters.LostRecords);

        _test.Commit(TestJournal.Payload(4));
        _test.KillAndReopen();
        Assert.Equal([1, 3, 4], _test.ReadIds());
    }

    [Fact]
    public void The_last_segment_without_a_header_is_told_and_its_sequences_are_not_used_again()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Commit(TestJournal.Payload(2));
        _test.Disk.Corrupt(_test.SegmentPath(1), 9);
        _test.Disk.Corrupt(_test.SegmentPath(1), 4096 + 9);
        _test.KillAndReopen();
        _test.Commit(TestJournal.Payload(3));

        Assert.True(_test.Logger.Has(LogLevel.Critical, "no readable header"));
        Assert.Equal([3], _test.ReadIds());
        Assert.True(_test.ReadAll()[0].Sequence > 2);
    }

    [Fact]
    public void What_a_recycled_file_held_before_never_passes_for_records()
    {
        for (int round = 0; round < 6; round++)
        {
            for (int id = 0; id < 20; id++) _test.Commit(TestJournal.Payload((round * 100) + id, 3000));
            _test.Forget(_test.End());
        }

        Assert.Contains(_test.Disk.Log, entry => entry.StartsWith("rename 0", StringComparison.Ordinal)); // Recycled.
        _test.Commit(TestJournal.Payload(-1));
        _test.KillAndReopen();
        Assert.Equal([-1], _test.ReadIds());
    }

    [Fact]
    public void Every_segment_draws_a_salt_of_its_own()
    {
        for (int id = 0; id < 40; id++) _test.Commit(TestJournal.Payload(id, 3000));

        var salts = _test.Disk.Paths
            .Where(path => path.EndsWith(Segment.Suffix, StringComparison.Ordinal))
            .Select(path => SegmentHeader.TryRead(_test.Disk.Bytes(path), out var header) ? header.Salt : 0)
            .ToList();
        Assert.True(salts.Count > 2);
        Assert.Distinct(salts);
    }

    [Fact]
    public void A_payload_that_imitates_records_of_its_own_segment_does_not_pass_for_one()
    {
        // The worst case: the client even knows the salt's magic and every field, but cannot know the seed.
        _test.Commit(TestJournal.Payload(1));
        byte[] bytes = _test.Disk.Bytes(_test.SegmentPath(1));
        byte[] imitation = bytes.AsSpan(SegmentHeader.Bytes, RecordBytes).ToArray();
        imitation[16] = 3; // A later sequence, and a later group.
        imitation[24] = 3;
        _test.Commit(imitation);
        Corrupt(1, at: 1);
        _test.KillAndReopen();

        Assert.Equal([1], _test.ReadIds());
    }

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    public void A_missing_segment_above_the_position_refuses_to_start(int missing)
    {
        for (int i = 0; i < 3; i++)
        {
            _test.Commit(TestJournal.Payload(i));
            _test.KillAndReopen();
        }

        _test.Disk.Kill();
        _test.Disk.Delete(_test.SegmentPath((ulong)missing));

        var refusal = Assert.Throws<JournalException>(_test.Open);
        Assert.Contains($"segment {missing} is missing", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_second_process_is_refused_with_the_reason()
    {
        var refusal = Assert.Throws<JournalException>(_test.Open);
        Assert.Contains("Another process uses the journal", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_refused_start_lets_go_of_the_lock()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.Kill();
        byte[] segment = [.. _test.Disk.Bytes(_test.SegmentPath(1))];
        _test.Disk.Delete(_test.SegmentPath(1));
        Assert.Throws<JournalException>(_test.Open);

        using (var file = _test.Disk.Create(_test.SegmentPath(1))) file.Write(segment, 0);
        _test.Reopen();
        Assert.Equal([1], _test.ReadIds());
    }

    [Fact]
    public void A_group_whose_sync_failed_is_written_again_before_it_counts()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.FailSync = _ => true;
        _test.Commit(TestJournal.Payload(2));
        _test.Disk.FailSync = _ => false;

        // The process ends; the kernel still shows the record, calls it clean, and may never have stored it.
        _test.KillAndReopen();
        var seen = _test.ReadIds();
        _test.Commit(TestJournal.Payload(3));
        _test.LosePowerAndReopen();

        Assert.Equal([.. seen, 3], _test.ReadIds());
        Assert.Equal(0, _test.Journal.Status.Counters.LostRecords);
    }

    [Fact]
    public void What_becomes_unreadable_later_is_quarantined_by_the_reader()
    {
        _test.Commit(TestJournal.Payload(1), TestJournal.Payload(2), TestJournal.Payload(3));
        Corrupt(1, at: 1);

        Assert.Equal([1, 3], _test.ReadIds());
        AssertDamage("sequences 2 to 2", lost: 1, quarantined: 1);
        Assert.Equal([1, 3], _test.ReadIds());
        Assert.Equal(1, _test.Journal.Status.Counters.LostRecords);
    }

    [Fact]
    public async Task Damage_at_the_end_leaves_nothing_to_wait_for()
    {
        _test.Commit(TestJournal.Payload(1));
        Corrupt(1, at: 0);
        Assert.Empty(_test.ReadIds());

        var waiting = _test.Journal.WaitForMoreAsync(_test.Journal.ShippedPosition, CancellationToken.None).AsTask();
        Assert.False(waiting.IsCompleted);
        _test.Commit(TestJournal.Payload(2));
        await waiting;
        Assert.Equal([2], _test.ReadIds());
    }

    public void Dispose() => _test.Dispose();

    /// <summary>Flips bits in the payload of the segment's nth record, all of which hold 100 bytes.</summary>
    private void Corrupt(ulong segment, int at) =>
        _test.Disk.Corrupt(_test.SegmentPath(segment), SegmentHeader.Bytes + (at * RecordBytes) + 80);

    private void AssertDamage(string range, int lost, ulong quarantined)
    {
        Assert.True(_test.Logger.Has(LogLevel.Critical, range));
        Assert.Equal(lost, _test.Journal.Status.Counters.LostRecords);
        Assert.Contains($"{TestJournal.Directory}/quarantine/{Segment.NameOf(quarantined)}", _test.Disk.Paths);
    }
}
