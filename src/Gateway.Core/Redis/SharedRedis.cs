using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Redis;

/// <summary>
/// What the gateways of one installation share in Redis; nothing of it is missed for long when it is lost:
/// <code>
/// gateway:{installation}:fence            the stamp in force: epoch and mark, since when it is kept, a checksum
/// gateway:{installation}:token:{sha256}   tokens as they were read
/// gateway:{installation}:hints            channel: there is something new
/// </code>
/// </summary>
public sealed class SharedRedis : IAsyncDisposable
{
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

    /// <summary>Calls that it answered with an error, since the start.</summary>
    public long Refusals => _connection.Refusals;

    /// <summary>How often all connections were thrown away and made anew.</summary>
    public long Rebuilds => _connection.Rebuilds;

    internal ITokenCache Tokens { get; }

    /// <summary>Called when there may be something new; must return at once.</summary>
    internal Action? Hinted { get; set; }

    private string Hints => _prefix + "hints";

    public ValueTask DisposeAsync() => _connection.DisposeAsync();

    internal RedisAuthority AuthorityOn(ITokenStore store, RaiseDatabaseAbove raiseDatabaseAbove) =>
        new(_connection, _prefix + "fence", Hints, store, raiseDatabaseAbove);
}
