using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>The checker finds each kind of broken promise, and nothing where none was broken.</summary>
public sealed class HistoryTests
{
    private readonly History _history = new();
    private readonly List<Guid> _stored = [];

    public HistoryTests()
    {
        _history.Created("project", "first", began: 0, returned: 10);
        _history.Regenerated("project", "first", "second", began: 100, returned: 110);
        _history.Regenerated("project", "second", "third", began: 200, returned: 210);
    }

    [Theory]
    [InlineData("first", 20, 30, Fate.Acked)]
    [InlineData("first", 5, 8, Fate.Refused)]       // It was not returned yet.
    [InlineData("first", 105, 300, Fate.Acked)]     // In flight when it ended,
    [InlineData("first", 90, 105, Fate.Refused)]    // it may go either way.
    [InlineData("first", 120, 130, Fate.Refused)]
    [InlineData("first", 120, 130, Fate.Unknown)]
    [InlineData("second", 120, 130, Fate.Acked)]
    [InlineData("third", 220, 230, Fate.Acked)]
    public void What_was_promised_is_no_finding(string token, long began, long ended, Fate fate)
    {
        Send(token, began, ended, fate, stored: fate == Fate.Acked ? 1 : 0);

        Assert.True(Check().AreNone, Check().ToString());
    }

    [Theory]
    [InlineData("first", 111)]
    [InlineData("first", 250)]
    [InlineData("second", 211)]
    public void An_ack_of_a_request_that_began_after_its_token_was_dead_is_a_violation(string token, long began)
    {
        Send(token, began, began + 5, Fate.Acked, stored: 1);

        Assert.Single(Check().Violations);
    }

    [Fact]
    public void So_is_its_event_in_the_store_without_an_ack()
    {
        Send("first", 120, 130, Fate.Unknown, stored: 1);

        Assert.Single(Check().Violations);
    }

    [Theory]
    [InlineData("first", 11, 99)]
    [InlineData("second", 120, 130)]
    [InlineData("third", 5_000, 6_000)]
    public void A_refusal_while_the_token_held_is_refused_wrongly(string token, long began, long ended)
    {
        Send(token, began, ended, Fate.Refused, stored: 0);

        Assert.Single(Check().RefusedWrongly);
    }

    [Fact]
    public void An_acked_event_that_is_not_stored_is_lost()
    {
        Send("first", 20, 30, Fate.Acked, stored: 0);

        Assert.Single(Check().Lost);
    }

    [Theory]
    [InlineData(Fate.Acked)]
    [InlineData(Fate.Unknown)]
    public void An_event_that_is_stored_twice_is_double(Fate fate)
    {
        Send("first", 20, 30, fate, stored: 2);

        Assert.Single(Check().Doubles);
    }

    [Fact]
    public void A_refused_event_that_is_stored_is_a_phantom_and_so_is_one_that_nobody_sent()
    {
        Send("first", 90, 105, Fate.Refused, stored: 1);
        _stored.Add(Guid.CreateVersion7());

        Assert.Equal(2, Check().Phantoms.Count);
    }

    [Fact]
    public void While_the_fate_of_a_regenerate_is_open_its_token_may_be_refused_and_may_be_acked()
    {
        _history.MayHaveRegenerated("project", "third", began: 300, settled: 400);
        Send("third", 310, 320, Fate.Refused, stored: 0);
        Send("third", 330, 340, Fate.Acked, stored: 1);
        Assert.True(Check().AreNone, Check().ToString());

        Send("third", 250, 299, Fate.Refused, stored: 0);
        Assert.Single(Check().RefusedWrongly);
    }

    [Fact]
    public void A_token_of_a_regenerate_that_is_still_open_may_end_with_it_and_the_next_one_may_not()
    {
        _history.MayHaveRegenerated("project", "third", began: 300, settled: 400);
        _history.Regenerated("project", "third", "fourth", began: 310, returned: 320);
        Send("fourth", 330, 340, Fate.Refused, stored: 0);
        Assert.True(Check().AreNone, Check().ToString());

        _history.Regenerated("project", "fourth", "fifth", began: 410, returned: 420);
        Send("fifth", 430, 440, Fate.Refused, stored: 0);
        Assert.Single(Check().RefusedWrongly);
    }

    [Fact]
    public void A_token_that_was_only_seen_may_not_hold_yet_but_is_dead_after_the_next()
    {
        _history.MayHaveRegenerated("project", "third", began: 300, settled: 310);
        _history.Learned("project", "fourth", at: 310);
        _history.Regenerated("project", "fourth", "fifth", began: 400, returned: 410);
        Send("fourth", 320, 330, Fate.Refused, stored: 0);
        Assert.True(Check().AreNone, Check().ToString());

        Send("third", 420, 430, Fate.Acked, stored: 1);
        Send("fourth", 420, 430, Fate.Acked, stored: 1);
        Assert.Equal(2, Check().Violations.Count);
    }

    [Fact]
    public void Of_two_at_once_either_token_may_be_the_one_that_lives_until_the_next()
    {
        _history.Regenerated("project", "third", "left", began: 300, returned: 400);
        _history.Regenerated("project", "third", "right", began: 310, returned: 390);
        Send("left", 450, 460, Fate.Refused, stored: 0);
        Send("right", 450, 460, Fate.Acked, stored: 1);
        Assert.True(Check().AreNone, Check().ToString());

        Send("third", 395, 399, Fate.Acked, stored: 1);
        _history.Regenerated("project", "right", "last", began: 500, returned: 510);
        Send("left", 520, 530, Fate.Acked, stored: 1);
        Send("right", 520, 530, Fate.Acked, stored: 1);
        Assert.Equal(3, Check().Violations.Count);
    }

    [Fact]
    public void One_project_says_nothing_of_another()
    {
        _history.Created("other", "theirs", began: 0, returned: 10);
        Send("theirs", 150, 160, Fate.Acked, stored: 1);
        Assert.True(Check().AreNone, Check().ToString());

        Send("theirs", 205, 209, Fate.Refused, stored: 0);
        Assert.Single(Check().RefusedWrongly);
    }

    private void Send(string token, long began, long ended, Fate fate, int stored)
    {
        var uuid = Guid.CreateVersion7();
        _history.Sent(token, gateway: 0, uuid, began, ended, fate);
        _stored.AddRange(Enumerable.Repeat(uuid, stored));
    }

    private Findings Check() => _history.Check(_stored);
}
