using System.Diagnostics;
using System.Net.Sockets;

namespace Gateway.Core.Tests.Redis;

/// <summary>Each fault of the link befalls a real Redis behind it, and is over when it is said to be.</summary>
public sealed class FaultyLinkTests : IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Moment = TimeSpan.FromMilliseconds(100);

    private readonly RedisServer _redis = RedisServer.Start();
    private readonly FaultyLink _link;

    public FaultyLinkTests() => _link = new FaultyLink(_redis.Port);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync() => await _link.DisposeAsync();

    public void Dispose() => _redis.Dispose();

    [Fact]
    public void A_slow_link_is_slow_in_both_directions_and_no_narrower()
    {
        using var client = new RedisConnection(_link.Port);
        client.Ask("PING");
        _link.Delay(Moment);

        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 100; i++) client.Send(["PING"]);
        for (int i = 0; i < 100; i++) Assert.Equal("PONG", client.Read());

        Assert.InRange(Stopwatch.GetElapsedTime(started), 2 * Moment - TimeSpan.FromMilliseconds(5), 20 * Moment);
        _link.Heal();
        Assert.Equal("PONG", client.Ask("PING"));
    }

    [Fact]
    public async Task What_is_swallowed_never_comes_and_its_connection_does_not_outlive_the_fault()
    {
        using var before = new RedisConnection(_link.Port);
        before.Ask("PING");
        using var idle = new RedisConnection(_link.Port);
        idle.Ask("PING");
        _link.Drop();
        using var during = new RedisConnection(_link.Port);
        before.Send(["SET", "key", "1"]);
        during.Send(["SET", "key", "2"]);
        var waits = Task.WhenAny(Task.Run(before.Read), Task.Run(during.Read));
        await Assert.ThrowsAsync<TimeoutException>(() => waits.WaitAsync(Moment));

        _link.Heal();

        await Assert.ThrowsAnyAsync<IOException>(async () => await await waits);
        Assert.Equal("0", _redis.Command("EXISTS", "key"));
        Assert.Equal("PONG", idle.Ask("PING"));
    }

    [Fact]
    public async Task Answers_are_swallowed_as_well()
    {
        using var client = new RedisConnection(_link.Port);
        client.Ask("SUBSCRIBE", "hints");
        _link.Drop();
        var hint = Task.Run(client.Read);
        Assert.Equal("1", _redis.Command("PUBLISH", "hints", "1"));
        await Assert.ThrowsAsync<TimeoutException>(() => hint.WaitAsync(Moment));

        _link.Heal();

        await Assert.ThrowsAnyAsync<IOException>(() => hint);
    }

    [Fact]
    public void A_cut_link_refuses_until_it_is_healed()
    {
        using var client = new RedisConnection(_link.Port);
        client.Ask("PING");

        _link.Cut();

        Assert.ThrowsAny<IOException>(() => client.Ask("PING"));
        Assert.ThrowsAny<SocketException>(() => new RedisConnection(_link.Port));
        _link.Heal();
        using var again = new RedisConnection(_link.Port);
        Assert.Equal("PONG", again.Ask("PING"));
    }

    [Fact]
    public async Task A_message_is_held_back_with_what_is_behind_it_and_nothing_else()
    {
        using var client = new RedisConnection(_link.Port);
        using var other = new RedisConnection(_link.Port);
        _link.HoldBack("EVAL");

        // All in one piece: the first goes through.
        client.Send(["SET", "first", "1"], ["EVAL", "return redis.call('SET', 'held', '1')", "0"], ["SET", "behind", "1"]);
        await _link.Held.WaitAsync(TimeSpan.FromSeconds(10));
        Assert.Equal("OK", client.Read());
        Assert.Equal("OK", other.Ask("SET", "other", "1"));
        Assert.Equal("1", other.Ask("EVAL", "return 1", "0"));
        Assert.Equal("0", _redis.Command("EXISTS", "held", "behind"));

        _link.Release();

        Assert.Equal("OK", client.Read());
        Assert.Equal("OK", client.Read());
        Assert.Equal("4", _redis.Command("EXISTS", "first", "held", "behind", "other"));
    }
}
