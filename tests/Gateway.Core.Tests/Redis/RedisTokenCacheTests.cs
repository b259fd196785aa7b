using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Redis;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Core.Tests.Redis;

public sealed class RedisTokenCacheTests : IAsyncLifetime, IDisposable
{
    private static readonly byte[] Token = Encoding.ASCII.GetBytes("phc_thetoken");

    private readonly RedisServer _server = RedisServer.Start();
    private readonly SharedRedis _redis;

    public RedisTokenCacheTests() => _redis = Open("test", 1);

    public Task InitializeAsync() => Task.CompletedTask;

    public async Task DisposeAsync()
    {
        _server.Thaw();
        await _redis.DisposeAsync();
    }

    public void Dispose() => _server.Dispose();

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_one_gateway_keeps_another_finds(bool withRules)
    {
        var rules = withRules ? new CaptureRules(AnonymizesIps: true, ["https://*.shop.example"], new(70, 80)) : null;
        await KeepAsync(Reading(rules));

        await using var other = Open("test", 1);
        var found = await other.Tokens.FindAsync(Token, default);

        Assert.Equal(new EpochStamp(3, 33), found!.Value.Stamp);
        Assert.Equal((5, 6ul, true, false), (
            found.Value.Row!.Id, found.Value.Row.ProjectId, found.Value.Row.IsLive, found.Value.Row.IsImported));
        Assert.Equal(rules?.AnonymizesIps, found.Value.Row.Rules?.AnonymizesIps);
        Assert.Equal(rules?.Origins, found.Value.Row.Rules?.Origins);
        Assert.Equal(rules?.Quota, found.Value.Row.Rules?.Quota);
        Assert.Null(await other.Tokens.FindAsync(Encoding.ASCII.GetBytes("phc_another"), default));
    }

    /// <summary>Taken for what it says, it would lift a quota that the project has by now.</summary>
    [Fact]
    public async Task What_a_gateway_wrote_that_knew_no_quotas_is_asked_of_the_database_and_written_anew()
    {
        string key = await KeepAsync(Reading());
        const string Known = """{"Epoch":3,"Mark":33,"Id":5,"ProjectId":6,"AnonymizesIps":true,"Origins":null""";

        await SetAsync(key, Known + "}");
        Assert.Null(await _redis.Tokens.FindAsync(Token, default));

        // It was its age, and not its signature: the same with quotas is found.
        await SetAsync(key, Known + ""","EventsPerSecond":7,"BytesPerSecond":0}""");
        var found = await _redis.Tokens.FindAsync(Token, default);
        Assert.Equal(new ProjectQuota(7, 0), found!.Value.Row!.Rules!.Quota);
        Assert.True(found.Value.Row.Rules.AnonymizesIps);
    }

    [Fact]
    public async Task Redis_is_told_no_token_and_keeps_nothing_for_ever()
    {
        string key = await KeepAsync(Reading());

        Assert.DoesNotContain("thetoken", key, StringComparison.Ordinal);
        Assert.DoesNotContain("thetoken", _server.Command("GET", key), StringComparison.Ordinal);
        Assert.InRange(int.Parse(_server.Command("TTL", key)), 1, 86_400);
    }

    [Fact]
    public async Task Who_can_write_redis_makes_no_token()
    {
        string key = await KeepAsync(Reading());

        // The value of one token under the key of another.
        byte[] victim = Encoding.ASCII.GetBytes("phc_victim");
        string other = key[..^64] + Convert.ToHexStringLower(SHA256.HashData(victim));
        _server.Command("COPY", key, other);
        Assert.Null(await _redis.Tokens.FindAsync(victim, default));

        // Values of another secret, changed, cut short, of another type.
        await using (var stranger = Open("test", 2)) Assert.Null(await stranger.Tokens.FindAsync(Token, default));
        _server.Command("SETRANGE", key, "40", "x");
        Assert.Null(await _redis.Tokens.FindAsync(Token, default));
        _server.Command("SET", key, "short");
        Assert.Null(await _redis.Tokens.FindAsync(Token, default));
        _server.Command("DEL", key);
        _server.Command("LPUSH", key, "list");
        Assert.Null(await _redis.Tokens.FindAsync(Token, default));
    }

    [Fact]
    public async Task A_redis_that_is_frozen_costs_a_look_up_a_moment_and_then_nothing()
    {
        await KeepAsync(Reading());
        _server.Freeze();

        for (int i = 0; i < 3; i++) Assert.Null(await _redis.Tokens.FindAsync(Token, default));
        Assert.True(_redis.IsAway);
        var asked = _redis.Tokens.FindAsync(Token, default);
        Assert.True(asked.IsCompleted);
        Assert.Null(await asked);
        _redis.Tokens.Keep(Reading());
    }

    private static TokenReading Reading(CaptureRules? rules = null) => new(
        new TokenRow(5, 6, Token, IsImported: false, IsLive: true, rules), new EpochStamp(3, 33));

    private SharedRedis Open(string installation, byte secret)
    {
        Assert.True(RedisOptions.TryParse(_server.ConnectionString, out var options, out _));
        var redis = new SharedRedis(
            options!, installation, [.. Enumerable.Repeat(secret, 32)], TimeProvider.System, NullLogger.Instance);
        Assert.True(SpinWait.SpinUntil(() => !redis.IsAway, TimeSpan.FromSeconds(10)));
        return redis;
    }

    /// <summary>As a gateway of the same installation would sign it.</summary>
    private async Task SetAsync(string key, string json)
    {
        byte[] signature = HMACSHA256.HashData(
            [.. Enumerable.Repeat((byte)1, 32)], [.. Token, (byte)'\n', .. Encoding.UTF8.GetBytes(json)]);

        // Our client sends text only; Lua makes bytes of numbers.
        string bytes = string.Concat(signature.Select(value => $"\\{value:000}"));
        _server.Command("EVAL", $"return redis.call('SET', KEYS[1], '{bytes}' .. ARGV[1])", "1", key, json);
    }

    /// <summary>Waits until it is there; under which key.</summary>
    private async Task<string> KeepAsync(TokenReading reading)
    {
        _redis.Tokens.Keep(reading);
        while (true)
        {
            string keys = _server.Command("KEYS", "gateway:test:token:*");
            if (keys.Length > 0) return keys;
            await Task.Delay(10);
        }
    }
}
