using System.Diagnostics;
using System.Net.Sockets;

namespace Gateway.Core.Tests.Redis;

/// <summary>What the tests about Redis rest on: it can be stopped, killed, emptied and brought back.</summary>
public sealed class RedisServerTests
{
    [Fact]
    public async Task It_comes_back_on_its_port_with_what_was_saved_and_nothing_else()
    {
        using var redis = RedisServer.Start();
        redis.Command("SET", "old", "1");
        redis.SaveRdb();
        redis.Command("SET", "new", "1");

        await redis.KillAsync();
        var refused = Record.Exception(() => redis.Command("PING"));
        Assert.True(refused is SocketException or IOException, $"{refused}");
        redis.Restart();

        Assert.Equal("old", redis.Command("KEYS", "*"));
        redis.FlushAll();
        Assert.Equal("0", redis.Command("DBSIZE"));
    }

    [Fact]
    public async Task One_that_saves_loses_nothing_and_one_that_does_not_comes_back_empty()
    {
        using var keeps = RedisServer.Start(save: true);
        using var forgets = RedisServer.Start();
        foreach (var redis in (RedisServer[])[keeps, forgets])
        {
            redis.Command("SET", "key", "1");
            await redis.KillAsync();
            redis.Restart();
        }

        Assert.Equal("1", keeps.Command("GET", "key"));
        Assert.Equal("", forgets.Command("GET", "key"));
    }

    [Fact]
    public async Task Nothing_is_answered_while_it_is_frozen()
    {
        using var redis = RedisServer.Start();
        redis.Freeze();
        var asked = Task.Run(() => redis.Command("PING"));
        await Assert.ThrowsAsync<TimeoutException>(() => asked.WaitAsync(TimeSpan.FromMilliseconds(100)));

        redis.Thaw();
        Assert.Equal("PONG", await asked);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Hints_can_be_cut_off_while_all_else_works(bool publishingToo)
    {
        using var redis = RedisServer.Start();
        using var listener = new RedisConnection(redis.Port);
        Assert.Equal("subscribe\nhints\n1", listener.Ask("SUBSCRIBE", "hints"));
        Assert.Equal("1", redis.Command("PUBLISH", "hints", "7"));
        Assert.Equal("message\nhints\n7", listener.Read());

        redis.CutHints(publishingToo);

        Assert.ThrowsAny<IOException>(listener.Read);
        Assert.Throws<RedisReplyException>(() => redis.Command("SUBSCRIBE", "hints"));
        if (publishingToo) Assert.Throws<RedisReplyException>(() => redis.Command("PUBLISH", "hints", "8"));
        else Assert.Equal("0", redis.Command("PUBLISH", "hints", "8"));
        Assert.Equal("OK", redis.Command("SET", "key", "1"));

        redis.RestoreHints();
        Assert.Equal("subscribe\nhints\n1", redis.Command("SUBSCRIBE", "hints"));
    }

    [Fact]
    public async Task It_ends_with_who_started_it()
    {
        // The end of the shell's input is all that is left of a test process that was killed.
        var redis = RedisServer.Start();
        redis.Freeze();
        long started = Stopwatch.GetTimestamp();
        redis.Dispose();

        await Task.Yield();
        var refused = Record.Exception(() => redis.Command("PING"));
        Assert.True(refused is SocketException or IOException, $"{refused}");
        Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10));
    }
}
