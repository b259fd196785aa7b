using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class RecentChangesTests
{
    private readonly RecentChanges _recent = new();

    [Fact]
    public void A_token_is_untouched_since_a_stamp_until_a_later_change_names_it()
    {
        _recent.Add([At(1, token: 7), At(2, token: null), At(3, token: 8)]);

        Assert.True(_recent.IsUntouchedSince(Stamp(1), 7));
        Assert.True(_recent.IsUntouchedSince(Stamp(2), 7));
        Assert.False(_recent.IsUntouchedSince(Stamp(2), 8));
        Assert.True(_recent.IsUntouchedSince(Stamp(3), 8));
        Assert.True(_recent.IsUntouchedSince(Stamp(1), 99));

        _recent.Add([At(4, token: 7)]);
        Assert.False(_recent.IsUntouchedSince(Stamp(3), 7));
    }

    [Fact]
    public void A_stamp_of_another_line_or_from_before_is_vouched_for_by_nothing()
    {
        _recent.Add([At(5, token: 1)]);

        Assert.False(_recent.Contains(Stamp(5) with { Mark = 4 }));
        Assert.False(_recent.IsUntouchedSince(Stamp(5) with { Mark = 4 }, 2));
        Assert.False(_recent.IsUntouchedSince(Stamp(4), 2));
        _recent.Clear();
        Assert.False(_recent.Contains(Stamp(5)));
    }

    [Fact]
    public void What_is_forgotten_is_forgotten_by_whole_epochs()
    {
        // Two lines each: one more than fits, and a whole epoch goes.
        for (int epoch = 1; epoch <= (RecentChanges.Capacity / 2) + 1; epoch++)
            _recent.Add([At(epoch, token: epoch), At(epoch, token: -epoch)]);

        Assert.False(_recent.Contains(Stamp(1)));
        Assert.False(_recent.IsUntouchedSince(Stamp(1), 12345));
        Assert.True(_recent.Contains(Stamp(2)));
        Assert.False(_recent.IsUntouchedSince(Stamp(2), -3));
        Assert.True(_recent.IsUntouchedSince(Stamp(3), -3));
    }

    [Fact]
    public void An_epoch_that_is_larger_than_everything_remembered_vouches_for_nothing()
    {
        _recent.Add([At(1, token: 1)]);
        _recent.Add([.. Enumerable.Range(0, RecentChanges.Capacity + 1).Select(token => At(2, token))]);

        Assert.False(_recent.Contains(Stamp(1)));
        Assert.False(_recent.Contains(Stamp(2)));
    }

    private static EpochStamp Stamp(long epoch) => new(epoch, epoch * 1_000);

    private static LoggedChange At(long epoch, long? token) => new(Stamp(epoch), token);
}
