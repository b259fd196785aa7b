using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;

namespace Gateway.Tests.Promises;

/// <summary>Three gateways of the tests' build with a Redis of their own, for all tests of a class.</summary>
public class RedisTrio(EngineFixture engine) : IAsyncLifetime
{
    private Trio? _trio;

    internal RedisServer Redis { get; } = RedisServer.Start();

    /// <summary>Whatever an earlier test left behind, all of them are at work when this returns.</summary>
    internal async Task<Trio> CalmAsync()
    {
        _trio!.Calm();
        for (int i = 0; i < Trio.Size; i++) await _trio[i].WaitUntilReadyAsync();
        await _trio.WaitUntilFencedByAsync();
        return _trio;
    }

    public async Task InitializeAsync() =>
        _trio = await Trio.StartAsync(engine, Redis, linked: IsLinked, testBuild: true);

    public async Task DisposeAsync()
    {
        if (_trio is not null) await _trio.DisposeAsync();
        Redis.Dispose();
    }

    /// <summary>Whether each gateway has a link of its own to Redis.</summary>
    protected virtual bool IsLinked => false;
}

/// <summary>The same with a <see cref="FaultyLink"/> between each gateway and Redis.</summary>
public sealed class LinkedRedisTrio(EngineFixture engine) : RedisTrio(engine)
{
    protected override bool IsLinked => true;
}
