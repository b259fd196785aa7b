using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;

namespace Gateway.Tests.Promises;

/// <summary>
/// Three gateways of the tests' build that many tests share, one after the other; started when one first asks for them.
/// </summary>
/// <param name="engine">The engine that keeps the events.</param>
/// <param name="hasRedis">Whether they fence by a Redis, which is theirs alone, or by the database.</param>
/// <param name="isLinked">Whether there is a <see cref="FaultyLink"/> between each gateway and Redis.</param>
internal sealed class SharedTrio(EngineFixture engine, bool hasRedis, bool isLinked = false) : IAsyncDisposable
{
    private Trio? _trio;
    private RedisServer? _redis;

    public RedisServer Redis => _redis!;

    /// <summary>Whatever an earlier test left behind, all of them are at work when this returns.</summary>
    public async Task<Trio> CalmAsync()
    {
        if (hasRedis) _redis ??= RedisServer.Start();
        _trio ??= await Trio.StartAsync(engine, _redis, isLinked, testBuild: true);
        _trio.Calm();
        for (int i = 0; i < Trio.Size; i++) await _trio[i].WaitUntilReadyAsync();
        await _trio.WaitUntilFencedByAsync(hasRedis ? "redis" : "database");
        return _trio;
    }

    public async ValueTask DisposeAsync()
    {
        if (_trio is not null) await _trio.DisposeAsync();
        _redis?.Dispose();
    }
}
