using Gateway.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

public sealed class DurabilityTests : IDisposable
{
    private readonly TestJournal _test = new();

    [Fact]
    public void Nothing_is_answered_or_readable_before_the_sync_returned()
    {
        var answer = _test.Append(TestJournal.Payload(1));
        bool looked = false;
        _test.Disk.FailSync = name =>
        {
            if (name != Segment.NameOf(1) && !name.StartsWith("spare", StringComparison.Ordinal)) return false;
            looked = true;
            Assert.False(answer.IsThere);
            Assert.Empty(_test.ReadIds());
            return false;
        };
        _test.Journal.CommitOnce();

        Assert.True(looked);
        Assert.Equal(AppendOutcome.Kept, answer.Outcome);
        Assert.Equal([1], _test.ReadIds());
    }

    [Fact]
    public void A_group_is_one_write_and_one_sync_in_that_order()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.Log.Clear();
        _test.Commit(TestJournal.Payload(2), TestJournal.Payload(3));

        // The file was opened under the name that it had as a spare.
        Assert.Equal(["write spare.0", "sync spare.0"], _test.Disk.Log);
    }

    [Fact]
    public void A_segment_is_synced_named_and_recorded_before_its_first_record()
    {
        _test.Disk.Log.Clear();
        _test.Commit(TestJournal.Payload(1));

        Assert.Equal(
            [
                "write spare.0", "sync spare.0", $"rename spare.0 {Segment.NameOf(1)}", "sync-directory",
                "write position.1", "sync position.1", "sync-directory",
                "write spare.0", "sync spare.0",
            ],
            _test.Disk.Log);
    }

    [Fact]
    public void A_failed_sync_fails_its_group_and_ends_the_segment_for_good()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.FailSync = _ => true;
        Assert.Equal([AppendOutcome.WriteFailed, AppendOutcome.WriteFailed],
            _test.Commit(TestJournal.Payload(2), TestJournal.Payload(3)));

        _test.Disk.FailSync = _ => false;
        _test.Disk.Log.Clear();
        Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(4)));

        Assert.DoesNotContain("sync spare.0", _test.Disk.Log); // The descriptor that failed.
        Assert.Equal([1, 4], _test.ReadIds());
        Assert.Equal([1ul, 2ul], _test.ReadAll().Select(record => record.Sequence));
        Assert.Equal(1, _test.Journal.Status.Counters.FailedGroups);
        Assert.True(_test.Logger.Has(LogLevel.Error, "failed"));

        _test.KillAndReopen();
        Assert.Equal([1, 4], _test.ReadIds()); // What the failed group left behind the end is discarded.
    }

    [Fact]
    public void A_write_that_fails_is_treated_like_a_failed_sync()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Disk.FailWrite = _ => true;
        Assert.Equal(AppendOutcome.WriteFailed, _test.Commit(TestJournal.Payload(2)));

        _test.Disk.FailWrite = _ => false;
        Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(3)));
        Assert.Equal([1, 3], _test.ReadIds());
    }

    [Fact]
    public void A_failure_is_told_until_a_group_is_written_or_none_has_tried_for_a_while()
    {
        _test.Disk.FailSync = _ => true;
        _test.Commit(TestJournal.Payload(1));
        Assert.Equal(AppendOutcome.WriteFailed, _test.Journal.Status.State);

        // Nobody may send to a gateway that is not ready: it has to say that it would try again.
        _test.Time.Advance(TimeSpan.FromSeconds(6));
        Assert.True(_test.Journal.Status.IsAccepting);
        _test.Commit(TestJournal.Payload(2));
        Assert.Equal(AppendOutcome.WriteFailed, _test.Journal.Status.State);

        _test.Disk.FailSync = _ => false;
        _test.Commit(TestJournal.Payload(3));
        Assert.True(_test.Journal.Status.IsAccepting);
    }

    [Fact]
    public void A_disk_that_proves_full_is_told_as_full()
    {
        _test.Disk.GrowthLeft = 0;
        while (_test.Commit(TestJournal.Payload(1, 4000)) == AppendOutcome.Kept)
        {
        }

        Assert.Equal(AppendOutcome.DiskFull, _test.Journal.Status.State);
    }

    [Fact]
    public void Short_writes_are_carried_on()
    {
        _test.Disk.IsShort = true;
        for (int id = 0; id < 50; id++) Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(id, 3000)));

        _test.LosePowerAndReopen();
        Assert.Equal(Enumerable.Range(0, 50), _test.ReadIds());
    }

    [Fact]
    public void A_full_disk_meets_no_acknowledgement_while_a_segment_lasts()
    {
        _test.Commit(TestJournal.Payload(0));
        _test.Disk.GrowthLeft = 0;

        int kept = 1;
        while (_test.Commit(TestJournal.Payload(kept, 4000)) == AppendOutcome.Kept) kept++;

        Assert.Equal(AppendOutcome.DiskFull, _test.Commit(TestJournal.Payload(-1, 4000)));
        Assert.Equal(Enumerable.Range(0, kept), _test.ReadIds());

        _test.Disk.GrowthLeft = long.MaxValue;
        Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(kept)));
        _test.LosePowerAndReopen();
        Assert.Equal(Enumerable.Range(0, kept + 1), _test.ReadIds());
    }

    [Fact]
    public void A_group_larger_than_allowed_is_synced_in_parts_under_one_fence()
    {
        using var test = new TestJournal(options: new JournalOptions(TestJournal.Directory)
        {
            SegmentBytes = 32 << 10,
            MaxGroupRecords = 3,
        });
        int asked = 0;
        var fence = test.Fence;
        test.Fence = (epoch, cancel) =>
        {
            asked++;
            return fence(epoch, cancel);
        };
        test.Commit([.. Enumerable.Range(0, 8).Select(id => (ReadOnlyMemory<byte>)TestJournal.Payload(id))]);

        Assert.Equal(1, asked);
        Assert.Equal([1, 1, 1, 4, 4, 4, 7, 7], test.ReadAll().Select(record => (int)record.Group));
    }

    [Fact]
    public void A_record_longer_than_a_segment_gets_its_own()
    {
        _test.Commit(TestJournal.Payload(1), TestJournal.Payload(2, 100_000), TestJournal.Payload(3));
        _test.LosePowerAndReopen();

        Assert.Equal([1, 2, 3], _test.ReadIds());
        Assert.Equal(100_000, _test.ReadAll()[1].Payload.Length);
        Assert.Equal(3, _test.Journal.Status.Segments);
    }

    [Fact]
    public void An_empty_payload_is_kept()
    {
        _test.Commit(ReadOnlyMemory<byte>.Empty, TestJournal.Payload(1));
        _test.LosePowerAndReopen();

        Assert.Equal([0, 100], _test.ReadAll().Select(record => record.Payload.Length));
    }

    public void Dispose() => _test.Dispose();
}
