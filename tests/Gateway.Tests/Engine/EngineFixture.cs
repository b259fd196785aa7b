using System.Net.Http.Headers;
using System.Runtime.CompilerServices;
using System.Text;
using Gateway.Core.ClickHouse;
using Gateway.Engine;
using Gateway.Tests.Promises;

namespace Gateway.Tests.Engine;

/// <summary>
/// A real engine on a folder of its own, shared by the tests that name it, and gateways on it that some of them share.
/// </summary>
public sealed class EngineFixture : IAsyncLifetime
{
    private const long MemoryBytes = 2L << 30;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(1);

    private readonly TemporaryFolder _folder = new();
    private readonly RecordingLog<EngineProcess> _log = new();
    private EngineProcess? _engine;

    public EngineFixture()
    {
        ByDatabase = new SharedTrio(this, hasRedis: false);
        ByRedis = new SharedTrio(this, hasRedis: true);
        ByLinkedRedis = new SharedTrio(this, hasRedis: true, isLinked: true);
    }

    /// <summary>On one PostgreSQL and nothing else.</summary>
    internal SharedTrio ByDatabase { get; }

    /// <summary>With a Redis of their own.</summary>
    internal SharedTrio ByRedis { get; }

    /// <summary>With a Redis that each reaches over a link of its own.</summary>
    internal SharedTrio ByLinkedRedis { get; }

    public Uri Url => Endpoint.Url;

    public string User => Endpoint.User;

    public string Password => Endpoint.Password;

    /// <summary>As <c>ConnectionStrings:ClickHouse</c> takes it.</summary>
    public string ConnectionString => Endpoint.ToConnectionString();

    /// <summary>As the gateway's own client takes it.</summary>
    public ClickHouseOptions Target => new(Url, User, Password, EngineEndpoint.Database);

    internal EngineEndpoint Endpoint => _engine?.Endpoint ?? throw new InvalidOperationException("Not started.");

    public async Task InitializeAsync()
    {
        RequireLibrary();
        _engine = Supervise(new EngineOptions(_folder.Path), _log);
        _engine.Start();
        using var patience = new CancellationTokenSource(Patience);
        try
        {
            await _engine.WaitUntilReadyAsync(patience.Token);
        }
        catch (OperationCanceledException exception)
        {
            throw new InvalidOperationException($"The engine is not ready:\n{_log}", exception);
        }
    }

    public async Task DisposeAsync()
    {
        foreach (var trio in (SharedTrio[])[ByDatabase, ByRedis, ByLinkedRedis]) await trio.DisposeAsync();
        if (_engine is not null) await _engine.DisposeAsync();
        _folder.Remove();
    }

    /// <summary>A client that is let in, and whose tables come and go with the test.</summary>
    internal static HttpClient NewClient(EngineEndpoint endpoint)
    {
        string credentials = Convert.ToBase64String(Encoding.UTF8.GetBytes($"{endpoint.User}:{endpoint.Password}"));
        var client = new HttpClient { BaseAddress = endpoint.Url, Timeout = TimeSpan.FromMinutes(2) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Basic", credentials);
        return client;
    }

    internal static EngineProcess Supervise(EngineOptions options, RecordingLog<EngineProcess> log) =>
        new(options with { MemoryBytes = MemoryBytes }, TimeProvider.System, log);

    /// <summary>Says at once what is missing, rather than after waiting for an engine that cannot start.</summary>
    internal static void RequireLibrary([CallerFilePath] string here = "")
    {
        string engine = Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "../../../src/Gateway.Engine"));
        Assert.True(
            File.Exists(Path.Combine(engine, "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so")),
            $"libchdb is missing: run `npm ci` in {engine}.");
    }
}

[CollectionDefinition(Name)]
public sealed class EngineCollection : ICollectionFixture<EngineFixture>
{
    public const string Name = "engine";
}
