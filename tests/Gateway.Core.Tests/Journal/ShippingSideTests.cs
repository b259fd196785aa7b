using Gateway.Core.Journal;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

/// <summary>Reading, waiting, forgetting and what limits the backlog.</summary>
public sealed class ShippingSideTests : IDisposable
{
    private readonly TestJournal _test = new();

    [Fact]
    public void Records_are_read_in_order_across_segments_whatever_the_batch_size()
    {
        for (int id = 0; id < 40; id++) _test.Commit(TestJournal.Payload(id, 10 + (id * 100)));
        Assert.True(_test.Journal.Status.Segments > 2);

        foreach (int maxBytes in (int[])[1, 500, 5_000, 1_000_000])
        {
            var read = _test.ReadAll(maxBytes: maxBytes);
            Assert.Equal(Enumerable.Range(0, 40), read.Select(record => TestJournal.IdOf(record.Payload)));
        }
    }

    [Fact]
    public void A_backlog_is_kept_in_memory_as_far_as_may_be_and_read_from_the_disk_beyond_that()
    {
        using var test = new TestJournal(options: new JournalOptions(TestJournal.Directory)
        {
            SegmentBytes = 32 << 10,
            QuotaBytes = 1 << 20,
            CachedBytes = 64 << 10,
        });
        for (int id = 0; id < 100; id++) test.Commit(TestJournal.Payload(id, 3000));

        // Two segments are kept, and the one that is not full.
        string[] uncached = [.. test.Disk.Log.Where(call => call.StartsWith("uncache ", StringComparison.Ordinal))];
        Assert.Equal(test.Journal.Status.Segments - 3, uncached.Length);
        Assert.Equal(uncached, uncached.Distinct());
        Assert.Equal(Enumerable.Range(0, 100), test.ReadAll().Select(record => TestJournal.IdOf(record.Payload)));
    }

    [Fact]
    public async Task Waiting_ends_with_the_next_durable_record()
    {
        _test.Commit(TestJournal.Payload(1));
        await _test.Journal.WaitForMoreAsync(default, CancellationToken.None);

        var end = _test.End();
        var waiting = _test.Journal.WaitForMoreAsync(end, CancellationToken.None).AsTask();
        _test.Append(TestJournal.Payload(2));
        Assert.False(waiting.IsCompleted);

        _test.Journal.CommitOnce();
        await waiting;
        Assert.Equal([2], _test.ReadAll(end).Select(record => TestJournal.IdOf(record.Payload)));
    }

    [Fact]
    public async Task Waiting_ends_when_it_is_cancelled_or_the_journal_is_disposed()
    {
        using var cancel = new CancellationTokenSource();
        var cancelled = _test.Journal.WaitForMoreAsync(default, cancel.Token).AsTask();
        var disposed = _test.Journal.WaitForMoreAsync(default, CancellationToken.None).AsTask();
        await cancel.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => cancelled);

        await _test.Journal.DisposeAsync();
        await Assert.ThrowsAsync<ObjectDisposedException>(() => disposed);
    }

    [Fact]
    public void Position_and_ledger_survive_a_loss_of_power()
    {
        for (int id = 0; id < 40; id++) _test.Commit(TestJournal.Payload(id, 3000));
        var tenth = _test.ReadAll(maxBytes: 1)[9].BatchEnd;
        _test.Forget(tenth, "ledger"u8.ToArray());
        _test.LosePowerAndReopen();

        Assert.Equal(tenth, _test.Journal.ShippedPosition);
        Assert.Equal("ledger"u8.ToArray(), _test.Journal.Ledger.ToArray());
        Assert.Equal(Enumerable.Range(10, 30), _test.ReadIds());
    }

    [Fact]
    public void A_torn_position_slot_leaves_the_one_before()
    {
        for (int id = 0; id < 4; id++) _test.Commit(TestJournal.Payload(id));
        var ends = _test.ReadAll(maxBytes: 1).ConvertAll(record => record.BatchEnd);
        _test.Forget(ends[0]);
        _test.Forget(ends[1]);
        _test.Disk.Kill();
        _test.Disk.Corrupt($"{TestJournal.Directory}/position.1", 20); // The third save: begin, forget, forget.
        _test.Reopen();

        Assert.Equal(ends[0], _test.Journal.ShippedPosition);
    }

    [Fact]
    public void Two_unreadable_slots_ship_all_again_from_the_first_segment_and_say_so()
    {
        _test.Commit(TestJournal.Payload(1));
        _test.Forget(_test.End());
        CorruptSlots();
        _test.Reopen();

        Assert.Equal([1], _test.ReadIds());
        Assert.True(_test.Logger.Has(LogLevel.Warning, "shipped again"));
    }

    [Fact]
    public void Two_unreadable_slots_refuse_when_segments_were_forgotten_before()
    {
        for (int id = 0; id < 40; id++) _test.Commit(TestJournal.Payload(id, 3000));
        _test.Forget(_test.End());
        CorruptSlots();

        var refusal = Assert.Throws<JournalException>(_test.Open);
        Assert.Contains("position files", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void The_position_is_durable_before_a_segment_goes_and_the_directory_is_synced_after()
    {
        for (int id = 0; id < 60; id++) _test.Commit(TestJournal.Payload(id, 3000));
        var end = _test.End();
        _test.Disk.Log.Clear();
        _test.Forget(end);

        int saved = _test.Disk.Log.FindIndex(entry => entry.StartsWith("sync position", StringComparison.Ordinal));
        int gone = _test.Disk.Log.FindIndex(entry => entry.StartsWith("rename 0", StringComparison.Ordinal));
        Assert.InRange(saved, 0, gone);
        Assert.Equal("sync-directory", _test.Disk.Log[^1]);
        Assert.Equal(1, _test.Journal.Status.Segments);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void One_unreadable_slot_never_asks_for_a_segment_that_was_forgotten(bool endsBetweenTheTwo)
    {
        for (int id = 0; id < 40; id++) _test.Commit(TestJournal.Payload(id, 3000));
        var end = _test.End();
        if (endsBetweenTheTwo)
        {
            int writes = 0;
            _test.Disk.Fault = (call, name) =>
            {
                bool isSlot = call == DiskCall.Write && name.StartsWith("position", StringComparison.Ordinal);
                if (isSlot && ++writes == 2) _test.Disk.CrashAt = _test.Disk.Calls;
                return 0;
            };
            Assert.Throws<SimulatedCrashException>(() => _test.Forget(end));
            _test.Disk.Fault = null;
            _test.KillAndReopen();
        }
        else
        {
            _test.Forget(end);
        }

        foreach (string slot in (string[])["position.0", "position.1"])
        {
            _test.Disk.Kill();
            _test.Disk.Corrupt($"{TestJournal.Directory}/{slot}", 20);
            _test.Reopen();
            Assert.Equal(end, _test.Journal.ShippedPosition);
            _test.Disk.Corrupt($"{TestJournal.Directory}/{slot}", 20);
        }
    }

    [Fact]
    public void A_position_that_cannot_be_saved_forgets_nothing()
    {
        for (int id = 0; id < 40; id++) _test.Commit(TestJournal.Payload(id, 3000));
        var (end, before) = (_test.End(), _test.Journal.Status);
        _test.Disk.FailSync = name => name.StartsWith("position", StringComparison.Ordinal);
        Assert.Throws<IOException>(() => _test.Forget(end));
        Assert.Equal(before.Segments, _test.Journal.Status.Segments);

        _test.Disk.FailSync = _ => false;
        _test.Forget(end);
        _test.LosePowerAndReopen();
        Assert.Equal(end, _test.Journal.ShippedPosition);
    }

    [Fact]
    public void Only_what_is_durable_can_be_forgotten()
    {
        _test.Commit(TestJournal.Payload(1));
        var end = _test.End();
        Assert.Throws<ArgumentOutOfRangeException>(() => _test.Forget(end with { Offset = end.Offset + 8 }));
        _test.Forget(end);
        Assert.Throws<ArgumentOutOfRangeException>(() => _test.Forget(end with { Offset = end.Offset - 8 }));
    }

    [Fact]
    public void The_quota_refuses_appends_until_something_is_forgotten()
    {
        int kept = 0;
        while (_test.Commit(TestJournal.Payload(kept, 20_000)) == AppendOutcome.Kept) kept++;

        Assert.InRange(kept * 20_000L, _test.Options.QuotaBytes - 40_000, _test.Options.QuotaBytes + 40_000);
        Assert.Equal(AppendOutcome.QuotaReached, _test.Journal.Status.State);
        Assert.Equal(AppendOutcome.QuotaReached, _test.Commit(TestJournal.Payload(-1)));
        var refusal = _test.Refuse(1);
        _test.Journal.CommitOnce();
        Assert.Equal(AppendOutcome.Kept, refusal.Outcome); // Refusals need no room.

        _test.Forget(_test.End());
        Assert.True(_test.Journal.Status.IsAccepting);
        Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(-2)));
        Assert.True(_test.Logger.Has(LogLevel.Warning, "QuotaReached"));
        Assert.True(_test.Logger.Has(LogLevel.Information, "again"));
    }

    [Fact]
    public void Too_little_free_disk_refuses_appends_and_passes_by_itself()
    {
        Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(1)));
        _test.Disk.FreeBytes = (_test.Disk.TotalBytes / 10) - 1;
        _test.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.Equal(AppendOutcome.DiskFull, _test.Commit(TestJournal.Payload(2)));
        Assert.Equal(AppendOutcome.DiskFull, _test.Journal.Status.State);

        _test.Disk.FreeBytes = _test.Disk.TotalBytes / 10;
        _test.Time.Advance(TimeSpan.FromSeconds(2));
        Assert.True(_test.Journal.Status.IsAccepting);
        Assert.Equal(AppendOutcome.Kept, _test.Commit(TestJournal.Payload(3)));
    }

    [Theory]
    [InlineData(10L << 30, null, (2L << 30) - 1, false)]
    [InlineData(10L << 30, null, 2L << 30, true)]
    [InlineData(1L << 40, 1000L, 1000L, true)]
    [InlineData(1L << 40, 1000L, 999L, false)]
    public void The_floor_is_two_gigabytes_or_a_tenth_unless_it_is_set(long total, long? floor, long free, bool accepts)
    {
        _test.Dispose();
        _test.Options = _test.Options with { MinFreeBytes = floor };
        _test.Disk.TotalBytes = total;
        _test.Disk.FreeBytes = free;
        _test.Reopen();

        Assert.Equal(accepts, _test.Journal.Status.IsAccepting);
    }

    [Fact]
    public void The_status_tells_what_waits_and_since_when()
    {
        _test.Commit(TestJournal.Payload(1), TestJournal.Payload(2));
        var status = _test.Journal.Status;
        Assert.Equal(2 * 160, status.BytesWaiting);
        Assert.Equal(1_000, status.OldestWaitingMicros);
        Assert.Equal((2, 320, 1), (status.Counters.Records, status.Counters.Bytes, status.Counters.Groups));

        _test.Forget(_test.End());
        Assert.Equal(0, _test.Journal.Status.BytesWaiting);
        Assert.Null(_test.Journal.Status.OldestWaitingMicros);
    }

    public void Dispose() => _test.Dispose();

    private void CorruptSlots()
    {
        _test.Disk.Kill();
        foreach (string path in _test.Disk.Paths.Where(path => path.Contains("position", StringComparison.Ordinal)))
        {
            _test.Disk.Corrupt(path, 20);
        }
    }
}
