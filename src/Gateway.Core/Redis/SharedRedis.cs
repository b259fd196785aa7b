using System.Globalization;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Gateway.Core.Redis;

/// <summary>
/// What the gateways of one installation share in Redis; nothing of it is missed for long when it is lost:
/// <code>
/// gateway:{installation}:fence            the stamp in force: epoch and mark
/// gateway:{installation}:gateways         who was here, and when by Redis' clock
/// gateway:{installation}:token:{sha256}   tokens as they were read
/// gateway:{installation}:hints            channel: there is something new
/// </code>
/// </summary>
public sealed class SharedRedis : IAsyncDisposable
{
    private static readonly TimeSpan Deadline = TimeSpan.FromSeconds(1);

    private static readonly RedisScript Report = new(
        """
        local now = redis.call('TIME')[1]
        redis.call('HSET', KEYS[1], ARGV[1], now)
        local ages = {}
        local all = redis.call('HGETALL', KEYS[1])
        for i = 1, #all, 2 do
            local age = now - all[i + 1]
            if age > 3600 then redis.call('HDEL', KEYS[1], all[i]) end
            table.insert(ages, all[i])
            table.insert(ages, tostring(age))
        end
        return ages
        """);

    private readonly RedisConnection _connection;
    private readonly string _prefix;

    internal SharedRedis(
        RedisOptions options, string installationId, byte[] signingKey, TimeProvider time, ILogger logger)
    {
        _prefix = $"gateway:{installationId}:";
        _connection = new RedisConnection(options, Hints, () => Hinted?.Invoke(), time, logger);
        Tokens = new RedisTokenCache(_connection, _prefix, signingKey);
    }

    /// <summary>True while nobody answers there.</summary>
    public bool IsAway => _connection.IsAway;

    /// <summary>Calls that nobody answered in time, since the start.</summary>
    public long Misses => _connection.Misses;

    /// <summary>How often all connections were thrown away and made anew.</summary>
    public long Rebuilds => _connection.Rebuilds;

    internal ITokenCache Tokens { get; }

    /// <summary>Called when there may be something new; must return at once.</summary>
    internal Action? Hinted { get; set; }

    private string Hints => _prefix + "hints";

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    internal RedisAuthority AuthorityOn(ITokenStore store, RaiseDatabaseAbove raiseDatabaseAbove) =>
        new(_connection, _prefix + "fence", Hints, store, raiseDatabaseAbove);

    /// <summary>Says that a gateway is here; how long ago each was, itself among them.</summary>
    /// <exception cref="TokenStoreException">Nobody answers.</exception>
    internal async Task<IReadOnlyDictionary<string, TimeSpan>> ReportAsync(string gatewayId)
    {
        var reply = await _connection.EvaluateAsync(Report, _prefix + "gateways", Deadline, gatewayId);
        return reply.Chunk(2).ToDictionary(
            pair => (string)pair[0],
            pair => TimeSpan.FromSeconds(double.Parse((string)pair[1], CultureInfo.InvariantCulture)));
    }
}
