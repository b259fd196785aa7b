using Gateway.LoadTests.Running;
using StackExchange.Redis;

namespace Gateway.LoadTests.Compare;

/// <summary>A server that the gateway is compared with, from <c>loadtests/peers</c>, in a process of its own.</summary>
internal sealed class Peer : IDisposable
{
    // It does not run in the background, and its workers do not end with it when it is killed.
    private const string Nginx = "/usr/sbin/nginx";
    private const string NginxSignal = "TERM";
    private const string NginxSetup =
        """
        sed "s/@PORT@/$PEER_PORT/; s/@REDIS_PORT@/$PEER_REDIS_PORT/" "$PEER_FILES/nginx.conf" >nginx.conf
        cp "$PEER_FILES/capture.lua" .
        """;

    private readonly Server _server;

    private Peer(Server server, int port) =>
        (_server, Capture) = (server, new Uri($"http://127.0.0.1:{port}/i/v0/e/"));

    /// <summary>Where events go.</summary>
    public Uri Capture { get; }

    public TimeSpan CpuTime => _server.CpuTime;

    public long MemoryBytes => _server.MemoryBytes;

    /// <summary>Bare Kestrel.</summary>
    public static Task<Peer> StartKestrelAsync(CancellationToken cancellationToken) =>
        StartAsync(port => StartProgram("Kestrel", port), cancellationToken);

    /// <summary>A gateway as one would first write it, with its inserts held: it is given no store.</summary>
    public static Task<Peer> StartPlainAsync(Redis redis, CancellationToken cancellationToken) => StartAsync(
        port => StartProgram("Plain", port, $"--ConnectionStrings:Redis={redis.ConnectionString}"), cancellationToken);

    /// <summary>nginx with Lua.</summary>
    public static Task<Peer> StartNginxAsync(Redis redis, CancellationToken cancellationToken) => StartAsync(
        port => Server.Start(
            "nginx",
            [Nginx, "-e", "stderr", "-p", ".", "-c", "nginx.conf"],
            [
                ("PEER_PORT", $"{port}"),
                ("PEER_REDIS_PORT", $"{redis.Port}"),
                ("PEER_FILES", Path.Combine(AppContext.BaseDirectory, "peers", "nginx")),
            ],
            prepare: NginxSetup,
            signal: NginxSignal),
        cancellationToken);

    /// <summary>Lets those that ask Redis find the gateway's project by its token.</summary>
    public static async Task GiveTokenAsync(Redis redis)
    {
        using var connection = await ConnectionMultiplexer.ConnectAsync(redis.ConnectionString);
        await connection.GetDatabase().StringSetAsync($"token:{GatewayServer.ProjectToken}", "1");
    }

    public void Dispose() => _server.Dispose();

    private static async Task<Peer> StartAsync(Func<int, Server> start, CancellationToken cancellationToken)
    {
        int port = Server.FreePort();
        var peer = new Peer(start(port), port);
        using var http = new HttpClient(new SocketsHttpHandler { UseProxy = false });
        await peer._server.WaitUntilAsync(
            async () =>
            {
                using var anything = await http.GetAsync(peer.Capture, cancellationToken);
                return true;
            },
            cancellationToken);
        return peer;
    }

    private static Server StartProgram(string name, int port, params string[] arguments)
    {
        string project = $"Gateway.Peers.{name}";
        return Server.Start(
            name.ToLowerInvariant(),
            ["dotnet", Built.Path(project, $"{project}.dll"), "--urls", $"http://127.0.0.1:{port}", .. arguments]);
    }
}
