using Gateway.Core.Journal;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Journal;

public sealed class FenceTests : IDisposable
{
    private readonly TestJournal _test = new();
    private readonly TokenEntry _ended = new(2, 8, "phc_old"u8.ToArray());

    [Fact]
    public void A_group_is_closed_before_the_fence_is_asked()
    {
        Answer? late = null;
        _test.Fence = (epoch, _) =>
        {
            late ??= _test.Append(TestJournal.Payload(2));
            return ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch));
        };
        var early = _test.Append(TestJournal.Payload(1));
        _test.Journal.CommitOnce();

        Assert.Equal(AppendOutcome.Kept, early.Outcome);
        Assert.False(late!.IsThere); // It joined after the ask, so this answer is not for it.
        Assert.Equal([1], _test.ReadIds());

        _test.Journal.CommitOnce();
        Assert.Equal(AppendOutcome.Kept, late.Outcome);
    }

    [Fact]
    public void Nothing_is_written_or_answered_before_the_fence_answers()
    {
        List<string> seen = [];
        Answer answer = null!;
        _test.Fence = (epoch, _) =>
        {
            Assert.False(answer.IsThere);
            seen = [.. _test.Disk.Log.Where(entry => entry.StartsWith("write", StringComparison.Ordinal))];
            return ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch));
        };
        _test.Commit(TestJournal.Payload(1));
        answer = _test.Append(TestJournal.Payload(2));
        int written = _test.Disk.Log.Count(entry => entry.StartsWith("write", StringComparison.Ordinal));
        _test.Journal.CommitOnce();

        Assert.Equal(written, seen.Count);
        Assert.Equal(AppendOutcome.Kept, answer.Outcome);
    }

    [Fact]
    public void The_fence_is_asked_once_for_a_group_with_the_oldest_epoch_of_records_and_refusals()
    {
        List<long> asked = [];
        _test.Fence = (epoch, _) =>
        {
            asked.Add(epoch);
            return ValueTask.FromResult(new FenceAnswer(FenceVerdict.Moved, 12));
        };
        _test.Append(TestJournal.Payload(1), epoch: 9);
        _test.Append(TestJournal.Payload(2), epoch: 7);
        _test.Refuse(epoch: 5);
        _test.Append(TestJournal.Payload(3), epoch: 8);
        _test.Journal.CommitOnce();

        Assert.Equal([5], asked);
        Assert.All(_test.ReadAll(), record => Assert.Equal(12, record.Epoch));
    }

    [Fact]
    public void When_something_moved_only_records_of_current_entries_are_written()
    {
        _test.Fence = (_, _) =>
        {
            _ended.End();
            return ValueTask.FromResult(new FenceAnswer(FenceVerdict.Moved, 2));
        };
        var dead = _test.Append(TestJournal.Payload(1), entry: _ended);
        var alive = _test.Append(TestJournal.Payload(2));
        var refusal = _test.Refuse(1);
        _test.Journal.CommitOnce();

        Assert.Equal(AppendOutcome.Stale, dead.Outcome);
        Assert.Equal(AppendOutcome.Kept, alive.Outcome);
        Assert.Equal(AppendOutcome.Stale, refusal.Outcome);
        Assert.Equal([2], _test.ReadIds());
    }

    [Fact]
    public void A_refusal_waits_for_the_fence_and_stands_when_nothing_moved()
    {
        var refusal = _test.Refuse(1);
        Assert.False(refusal.IsThere);

        _test.Journal.CommitOnce();
        Assert.Equal(AppendOutcome.Kept, refusal.Outcome);
        Assert.DoesNotContain(_test.Disk.Log, entry => entry.StartsWith("write 0", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Without_an_answer_nothing_is_kept_and_no_refusal_stands(bool throws)
    {
        _test.Fence = (_, _) => throws
            ? throw new TimeoutException()
            : ValueTask.FromResult(new FenceAnswer(FenceVerdict.Unavailable, 0));
        var append = _test.Append(TestJournal.Payload(1));
        var refusal = _test.Refuse(1);
        _test.Journal.CommitOnce();

        Assert.Equal(AppendOutcome.Unfenced, append.Outcome);
        Assert.Equal(AppendOutcome.Unfenced, refusal.Outcome);
        Assert.Empty(_test.ReadIds());
    }

    [Fact]
    public async Task Closing_fences_writes_and_answers_what_was_taken()
    {
        var taken = _test.Append(TestJournal.Payload(1));
        await _test.Journal.CloseAsync();

        Assert.Equal(AppendOutcome.Kept, taken.Outcome);
        Assert.Equal(AppendOutcome.Closed, _test.Append(TestJournal.Payload(2)).Outcome);
        Assert.Equal(AppendOutcome.Closed, _test.Refuse(1).Outcome);
        Assert.Equal(AppendOutcome.Closed, _test.Journal.Status.State);
        Assert.Equal([1], _test.ReadIds());
    }

    public void Dispose() => _test.Dispose();
}
