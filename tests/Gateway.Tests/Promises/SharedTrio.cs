using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;

namespace Gateway.Tests.Promises;

/// <summary>Three gateways of the tests' build, for all tests of a class.</summary>
/// <param name="engine">The engine that keeps the events.</param>
/// <param name="redis">Theirs alone; null: they fence by the database.</param>
/// <param name="isLinked">Whether there is a <see cref="FaultyLink"/> between each gateway and Redis.</param>
public abstract class SharedTrio(EngineFixture engine, RedisServer? redis, bool isLinked) : IAsyncLifetime
{
    private Trio? _trio;

    internal RedisServer Redis => redis!;

    /// <summary>Whatever an earlier test left behind, all of them are at work when this returns.</summary>
    internal async Task<Trio> CalmAsync()
    {
        _trio!.Calm();
        for (int i = 0; i < Trio.Size; i++) await _trio[i].WaitUntilReadyAsync();
        await _trio.WaitUntilFencedByAsync(redis is null ? "database" : "redis");
        return _trio;
    }

    public async Task InitializeAsync() =>
        _trio = await Trio.StartAsync(engine, redis, isLinked, testBuild: true);

    public async Task DisposeAsync()
    {
        if (_trio is not null) await _trio.DisposeAsync();
        redis?.Dispose();
    }
}

/// <summary>On one PostgreSQL and nothing else.</summary>
public sealed class DatabaseTrio(EngineFixture engine) : SharedTrio(engine, redis: null, isLinked: false);

/// <summary>With a Redis of their own.</summary>
public sealed class RedisTrio(EngineFixture engine) : SharedTrio(engine, RedisServer.Start(), isLinked: false);

/// <summary>With a Redis that each reaches over a link of its own.</summary>
public sealed class LinkedRedisTrio(EngineFixture engine) : SharedTrio(engine, RedisServer.Start(), isLinked: true);
