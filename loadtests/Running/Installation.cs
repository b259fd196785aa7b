namespace Gateway.LoadTests.Running;

/// <summary>Two gateways on one PostgreSQL, one Redis and one ClickHouse engine, all of them its own.</summary>
internal sealed class Installation : IDisposable
{
    private readonly Stack<IDisposable> _started = new();

    private Installation()
    {
    }

    public GatewayServer One { get; private set; } = null!;

    public GatewayServer Other { get; private set; } = null!;

    /// <summary>Through <see cref="One"/>.</summary>
    public Management Management { get; private set; } = null!;

    /// <summary>Of the first start: its token is <see cref="GatewayServer.ProjectToken"/>.</summary>
    public Project DefaultProject { get; private set; } = null!;

    public StoredEvents Stored { get; private set; } = null!;

    public static async Task<Installation> StartAsync(CancellationToken cancellationToken)
    {
        var installation = new Installation();
        try
        {
            await installation.StartAllAsync(cancellationToken);
            return installation;
        }
        catch
        {
            installation.Dispose();
            throw;
        }
    }

    /// <summary>Events that are in the store once neither gateway has any left.</summary>
    public Task<long> CountStoredAsync(CancellationToken cancellationToken) =>
        Stored.CountAsync([One, Other], cancellationToken);

    public void Dispose()
    {
        while (_started.TryPop(out var last)) last.Dispose();
    }

    private async Task StartAllAsync(CancellationToken cancellationToken)
    {
        var postgres = Keep(await Postgres.StartAsync(cancellationToken));
        var redis = Keep(await Redis.StartAsync(cancellationToken));
        var engine = Keep(await Engine.StartAsync(cancellationToken));
        (string, string)[] settings =
        [
            ("ConnectionStrings:Postgres", await postgres.NewDatabaseAsync("load", cancellationToken)),
            ("ConnectionStrings:Redis", redis.ConnectionString),
            ("ConnectionStrings:ClickHouse", engine.ConnectionString),
        ];
        One = Keep(await GatewayServer.StartAsync(cancellationToken, settings));
        Other = Keep(await GatewayServer.StartAsync(cancellationToken, settings));

        // Until Redis has been met the database is the fence: that is not what is to be measured.
        foreach (var gateway in (GatewayServer[])[One, Other])
            await gateway.WaitUntilFencedByAsync("redis", cancellationToken);
        Management = Keep(new Management(One.Address, GatewayServer.ApiKey));
        DefaultProject = await Management.FindProjectAsync(cancellationToken);
        Stored = Keep(new StoredEvents(engine));
    }

    private T Keep<T>(T started)
        where T : IDisposable
    {
        _started.Push(started);
        return started;
    }
}
