using System.Net;
using Gateway.Tenancy;
using Microsoft.AspNetCore.Http;

namespace Gateway.Tests.Tenancy;

public sealed class AttemptLimitsTests
{
    private readonly Clock _clock = new();
    private readonly AttemptLimits _limits;

    public AttemptLimitsTests() => _limits = new AttemptLimits(_clock);

    [Fact]
    public void A_guesser_has_ten_wrong_guesses_a_minute_at_an_account_and_its_owner_elsewhere_has_theirs()
    {
        for (int i = 0; i < 10; i++) Assert.True(_limits.TryTake(From("10.0.0.1"), "a@x"));
        Assert.False(_limits.TryTake(From("10.0.0.1"), "a@x"));
        Assert.True(_limits.TryTake(From("10.0.0.1"), "b@x"));
        Assert.True(_limits.TryTake(From("10.0.1.1"), "a@x"));

        _clock.Now += TimeSpan.FromSeconds(_limits.RetryAfter);
        Assert.True(_limits.TryTake(From("10.0.0.1"), "a@x"));
    }

    [Fact]
    public void An_account_has_a_hundred_from_wherever_and_what_is_refused_counts_nowhere()
    {
        for (int i = 0; i < 100; i++) Assert.True(_limits.TryTake(From($"10.0.0.{i}"), "a@x"));
        for (int i = 0; i < 100; i++) Assert.False(_limits.TryTake(From("10.0.1.1"), "a@x"));
        Assert.True(_limits.TryTake(From("10.0.1.1"), "b@x"));

        _limits.GiveBack(From("10.0.0.1"), "a@x");
        Assert.True(_limits.TryTake(From("10.0.1.1"), "a@x"));
        Assert.False(_limits.TryTake(From("10.0.1.1"), "a@x"));
    }

    [Theory]
    [InlineData("10.0.0.1", "10.0.0.1")]
    [InlineData("10.0.0.1", "::ffff:10.0.0.1")]
    [InlineData("2001:db8::1", "2001:db8::ffff:ffff:ffff:2")]
    public void An_address_has_thirty_and_a_network_of_IPv6_is_one_address(string one, string other)
    {
        for (int i = 0; i < AttemptLimits.PerAddress; i++) Assert.True(_limits.TryTake(From(one), $"{i}@x"));

        Assert.False(_limits.TryTake(From(other), "other@x"));
        Assert.True(_limits.TryTake(From("192.0.2.7"), "other@x"));
    }

    [Fact]
    public void A_right_guess_costs_nothing()
    {
        for (int i = 0; i < 100; i++)
        {
            Assert.True(_limits.TryTake(From("10.0.0.1"), "a@x"));
            _limits.GiveBack(From("10.0.0.1"), "a@x");
        }
    }

    private static DefaultHttpContext From(string address)
    {
        var context = new DefaultHttpContext();
        context.Connection.RemoteIpAddress = IPAddress.Parse(address);
        return context;
    }

    private sealed class Clock : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = new(2026, 1, 2, 3, 4, 5, TimeSpan.Zero);

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
