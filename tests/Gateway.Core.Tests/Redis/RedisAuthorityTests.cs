using System.Diagnostics;
using System.Text;
using Gateway.Core.Redis;
using Gateway.Core.Tests.Tokens;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Core.Tests.Redis;

/// <summary>What a real Redis shows is believed only as far as it can be held to it.</summary>
public sealed class RedisAuthorityTests : IAsyncLifetime, IDisposable
{
    private const string Key = "gateway:test:fence";

    private readonly RedisServer _server = RedisServer.Start();
    private readonly FakeControlDatabase _database = new();
    private readonly SharedRedis _redis;
    private readonly RedisAuthority _authority;
    private int _hints;

    public RedisAuthorityTests()
    {
        Assert.True(RedisOptions.TryParse(_server.ConnectionString, out var options, out _));
        _redis = new SharedRedis(options!, "test", new byte[32], TimeProvider.System, NullLogger.Instance)
        {
            Hinted = () => Interlocked.Increment(ref _hints),
        };
        _authority = AuthorityOf(_redis);
        _authority.IsOpen = true;
        SpinWait.SpinUntil(() => !_redis.IsAway, TimeSpan.FromSeconds(10));
    }

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _server.Thaw();
        await _redis.DisposeAsync();
    }

    public void Dispose() => _server.Dispose();

    [Fact]
    public async Task A_run_is_believed_only_after_it_was_given_what_the_database_holds()
    {
        // Another gateway's, which may have read the database long before: it is whole, and proves nothing.
        var stamp = Change();
        var other = AuthorityOf(_redis);
        other.IsOpen = true;
        await other.RaiseAsync(stamp, default);
        Assert.Equal(stamp, await other.AskAsync(default));
        Assert.Null(await AskAsync());

        await _authority.RaiseAsync(stamp, default);
        Assert.Equal(stamp, await AskAsync());
    }

    [Fact]
    public async Task A_caller_with_an_old_change_does_not_make_a_new_run_believed_without_the_later_ones()
    {
        var old = Change();
        var latest = Change();

        await _authority.RaiseAsync(old, default);

        Assert.Equal(latest, await AskAsync());
    }

    [Fact]
    public async Task A_raise_that_was_held_back_lowers_nothing()
    {
        var first = Change();
        await _authority.RaiseAsync(first, default);
        var second = Change();
        await _authority.RaiseAsync(second, default);

        await _authority.RaiseAsync(first, default);

        Assert.Equal(second, await AskAsync());
    }

    [Fact]
    public async Task Emptied_it_shows_nothing_until_it_is_told_again()
    {
        var stamp = Change();
        await _authority.RaiseAsync(stamp, default);
        _server.FlushAll();
        Assert.Null(await AskAsync());

        await _authority.RaiseAsync(stamp, default);
        Assert.Equal(stamp, await AskAsync());
    }

    [Fact]
    public async Task Emptied_and_told_of_an_old_change_by_a_caller_that_was_held_back_it_shows_nothing()
    {
        var old = Change();
        await _authority.RaiseAsync(old, default);
        var latest = Change();
        await _authority.RaiseAsync(latest, default);
        _server.FlushAll();

        // Of another gateway that read it before, and has not read the database since.
        var late = AuthorityOf(_redis, stopsBeforeReading: true);
        late.IsOpen = true;
        await Assert.ThrowsAsync<TokenStoreException>(async () => await late.RaiseAsync(old, default));
        Assert.Equal($"{old.Epoch}", _server.Command("HGET", Key, "epoch"));

        Assert.Null(await AskAsync());
        await _authority.RaiseAsync(latest, default);
        Assert.Equal(latest, await AskAsync());
    }

    [Fact]
    public async Task Restarted_from_an_old_copy_it_shows_nothing_until_it_is_told_again()
    {
        var old = Change();
        await _authority.RaiseAsync(old, default);
        _server.SaveRdb();
        var latest = Change();
        await _authority.RaiseAsync(latest, default);

        await _server.KillAsync();
        _server.Restart();
        await AnswersAsync();

        Assert.Equal(old.Epoch.ToString(), _server.Command("HGET", Key, "epoch"));
        Assert.Null(await AskAsync());
        await _authority.RaiseAsync(latest, default);
        Assert.Equal(latest, await AskAsync());
    }

    [Fact]
    public async Task A_line_that_the_database_has_lost_is_passed_by_raising_the_database()
    {
        var first = Change();
        Change();
        var lost = Change();
        await _authority.RaiseAsync(lost, default);
        _database.Restore(first);
        var next = Change();

        await _authority.RaiseAsync(next, default);

        // Below it Redis would go on to show what gateways on the lost line know.
        var shown = await AskAsync();
        Assert.Equal(_database.Recorded, shown);
        Assert.True(shown!.Value.Epoch > lost.Epoch);
    }

    [Fact]
    public async Task The_same_number_of_a_lost_line_is_passed_too()
    {
        var first = Change();
        var lost = Change();
        await _authority.RaiseAsync(lost, default);
        _database.Restore(first);
        var next = Change();
        Assert.Equal(lost.Epoch, next.Epoch);

        await _authority.RaiseAsync(next, default);

        Assert.Equal(_database.Recorded, await AskAsync());
        Assert.True(_database.Recorded.Epoch > lost.Epoch);
    }

    [Theory]
    [InlineData("no-number", "1")]
    [InlineData("1", "no-number")]
    [InlineData("9223372036854775807", "1")]
    [InlineData("4503599627370496", "1")]
    [InlineData("1e300", "1")]
    [InlineData("-5", "1")]
    [InlineData("1", null)]
    public async Task What_others_write_gives_way_and_does_not_lower_it(string epoch, string? mark)
    {
        var old = Change();
        var latest = Change();
        await _authority.RaiseAsync(latest, default);
        _server.Command(["HSET", Key, "epoch", epoch, .. mark is null ? Array.Empty<string>() : ["mark", mark]]);
        Assert.Null(await AskAsync());

        // One that was held back before it: still nobody goes by what it brings.
        await _authority.RaiseAsync(old, default);
        Assert.Equal(latest, await AskAsync());
        Assert.Equal(latest, _database.Recorded);
    }

    [Fact]
    public async Task A_replica_is_not_believed_and_neither_is_who_was_one()
    {
        var stamp = Change();
        await _authority.RaiseAsync(stamp, default);
        using var primary = RedisServer.Start();
        _server.Command("REPLICAOF", "127.0.0.1", $"{primary.Port}");
        await Assert.ThrowsAsync<TokenStoreException>(async () => await AskAsync());

        _server.Command("REPLICAOF", "NO", "ONE");
        await AnswersAsync();
        Assert.Null(await AskAsync());
        await _authority.RaiseAsync(stamp, default);
        Assert.Equal(stamp, await AskAsync());
    }

    [Fact]
    public async Task A_key_of_another_type_gives_way()
    {
        var stamp = Change();
        await _authority.RaiseAsync(stamp, default);
        _server.Command("SET", Key, "mine");
        await Assert.ThrowsAsync<TokenStoreException>(async () => await AskAsync());
        Assert.Equal(1, _redis.Refusals);

        await _authority.RaiseAsync(stamp, default);
        Assert.Equal(stamp, await AskAsync());
    }

    [Fact]
    public async Task A_script_that_redis_forgot_is_taught_again()
    {
        var stamp = Change();
        await _authority.RaiseAsync(stamp, default);
        _server.Command("SCRIPT", "FLUSH");

        Assert.Equal(stamp, await AskAsync());
        await _authority.RaiseAsync(Change(), default);
    }

    [Fact]
    public async Task Frozen_it_is_given_up_within_the_deadline_then_at_once_and_found_again()
    {
        var stamp = Change();
        await _authority.RaiseAsync(stamp, default);
        _server.Freeze();

        long started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 3; i++) await Assert.ThrowsAsync<TokenStoreException>(async () => await AskAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.FromSeconds(0.6), TimeSpan.FromSeconds(5));
        Assert.True(_redis.IsAway);

        started = Stopwatch.GetTimestamp();
        for (int i = 0; i < 100; i++) await Assert.ThrowsAsync<TokenStoreException>(async () => await AskAsync());
        Assert.InRange(Stopwatch.GetElapsedTime(started), TimeSpan.Zero, TimeSpan.FromSeconds(1));

        _server.Thaw();
        await AnswersAsync();
        Assert.Equal(stamp, await AskAsync());
    }

    [Fact]
    public async Task Frozen_for_long_it_is_asked_over_new_connections()
    {
        var stamp = Change();
        await _authority.RaiseAsync(stamp, default);
        _server.Freeze();
        for (int i = 0; i < 3; i++) await Assert.ThrowsAsync<TokenStoreException>(async () => await AskAsync());
        Assert.True(SpinWait.SpinUntil(() => _redis.Rebuilds > 0, TimeSpan.FromSeconds(30)));

        _server.Thaw();
        await AnswersAsync();
        Assert.Equal(stamp, await AskAsync());
    }

    [Fact]
    public async Task Nobody_is_asked_before_it_is_known_whose_redis_it_is()
    {
        var stamp = Change();
        var closed = AuthorityOf(_redis);

        await Assert.ThrowsAsync<TokenStoreException>(async () => await closed.AskAsync(default));
        await Assert.ThrowsAsync<TokenStoreException>(async () => await closed.RaiseAsync(stamp, default));
        Assert.Equal("0", _server.Command("EXISTS", Key));
    }

    [Fact]
    public async Task A_raise_is_told_to_who_listens_and_one_that_changes_nothing_is_not()
    {
        var stamp = Change();
        int before = await ListeningAsync();

        await _authority.RaiseAsync(stamp, default);
        Assert.True(SpinWait.SpinUntil(() => Volatile.Read(ref _hints) > before, TimeSpan.FromSeconds(10)));

        int heard = Volatile.Read(ref _hints);
        await _authority.RaiseAsync(stamp, default);
        await AskAsync();
        Assert.Equal(heard, Volatile.Read(ref _hints));
    }

    [Fact]
    public async Task What_the_handbook_says_that_is_needed_is_enough()
    {
        // docs/operations.md
        _server.Command(
            "ACL", "SETUSER", "default", "reset", "on", "nopass", "~gateway:*", "&gateway:*",
            "+eval", "+evalsha", "+script", "+get", "+setex", "+exists", "+echo", "+ping", "+info", "+subscribe",
            "+hmget", "+hset", "+type", "+del", "+publish");
        Assert.True(RedisOptions.TryParse(_server.ConnectionString, out var options, out _));
        await using var restricted = new SharedRedis(
            options!, "acl", new byte[32], TimeProvider.System, NullLogger.Instance);
        Assert.True(SpinWait.SpinUntil(() => !restricted.IsAway, TimeSpan.FromSeconds(10)));
        var authority = AuthorityOf(restricted);
        authority.IsOpen = true;
        var stamp = Change();

        await authority.RaiseAsync(stamp, default);
        Assert.Equal(stamp, await authority.AskAsync(default));
        byte[] token = Encoding.ASCII.GetBytes("phc_x");
        restricted.Tokens.Keep(new TokenReading(new TokenRow(1, 1, token, false, true), stamp));
        long started = Stopwatch.GetTimestamp();
        while (await restricted.Tokens.FindAsync(token, default) is null)
            Assert.True(Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(10), "The token was not kept.");
        Assert.Equal(0, restricted.Refusals);
    }

    private RedisAuthority AuthorityOf(SharedRedis redis, bool stopsBeforeReading = false) => redis.AuthorityOn(
        stopsBeforeReading ? new FakeControlDatabase { IsDown = true } : _database,
        (above, _) =>
        {
            while (_database.Recorded.Epoch <= above) Change();
            return new(_database.Recorded);
        });

    private EpochStamp Change() => _database.Change(
        new TokenRow(1, 1, Encoding.ASCII.GetBytes("token"), IsImported: true, IsLive: true));

    private ValueTask<EpochStamp?> AskAsync() => _authority.AskAsync(default);

    private async Task AnswersAsync()
    {
        long started = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(started) < TimeSpan.FromSeconds(20))
        {
            try
            {
                await AskAsync();
                return;
            }
            catch (TokenStoreException)
            {
                await Task.Delay(20);
            }
        }

        Assert.Fail("Redis was not found again.");
    }

    private async Task<int> ListeningAsync()
    {
        while (_server.Command("PUBSUB", "NUMSUB", "gateway:test:hints").EndsWith('0')) await Task.Delay(10);
        return Volatile.Read(ref _hints);
    }
}
