using System.Net;
using System.Net.Sockets;
using Gateway.Engine;
using Gateway.Engine.Chdb;
using Gateway.Engine.Http;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Win32.SafeHandles;

// The runtime's own way out runs libchdb's exit handlers, with its threads still there.
LibC.ExitNow(await RunAsync(args));

static async Task<int> RunAsync(string[] args)
{
    // Disposed of at the end: until then, lines may wait to be written.
    using var logging = LoggerFactory.Create(ToStandardError);
    var log = logging.CreateLogger("Gateway.Engine");
    try
    {
        await EngineAsync(EngineArguments.Parse(args), log);
        return 0;
    }
    catch (Exception exception) when (exception is ArgumentException or InvalidOperationException or IOException)
    {
        EngineLog.CannotStart(log, exception.Message);
        return 1;
    }
}

static async Task EngineAsync(EngineArguments arguments, ILogger log)
{
    LibChdb.Load(arguments.Library);
    string store = Path.GetFullPath(Path.Combine(arguments.Data, "store"));
    await using var engine = await ChdbEngine.OpenAsync(new ChdbOptions(store, arguments.MemoryBytes));

    if (arguments.SelfTest > 0) EngineLog.Caught(log, await SelfTest.RunAsync(engine, arguments.SelfTest));
    else await ServeAsync(arguments, engine);
}

static async Task ServeAsync(EngineArguments arguments, ChdbEngine engine)
{
    // Empty: the environment is the gateway's, and so would be the addresses in it.
    var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
    ToStandardError(builder.Logging);
    builder.Services.AddRoutingCore();
    builder.WebHost.UseKestrelCore();
    builder.WebHost.ConfigureKestrel(options => Configure(options, FreeOrAny(arguments.Port)));
    // A write is over when the socket has it all, so that nothing is lost when an answer is broken off.
    builder.WebHost.UseSockets(options => options.MaxWriteBufferSize = 1);
    builder.Services.AddSingleton<IHostLifetime, EngineLifetime>();
    builder.Services.Configure<HostOptions>(options => options.ShutdownTimeout = TimeSpan.FromSeconds(3));

    await using var app = builder.Build();
    var endpoint = new QueryEndpoint(engine, Credentials.Load(arguments.Data));
    app.MapGet("/ping", endpoint.PingAsync);
    app.MapMethods("/", ["GET", "POST"], endpoint.QueryAsync);

    await app.StartAsync();
    if (arguments.PortFile is not null) await TellPortAsync(arguments.PortFile, new Uri(app.Urls.Single()).Port);
    _ = StopWithStandardInputAsync(app.Lifetime);
    await app.WaitForShutdownAsync();
}

static void ToStandardError(ILoggingBuilder logging) => logging
    .SetMinimumLevel(LogLevel.Warning)
    .AddFilter("Gateway.Engine", LogLevel.Information)
    .AddSimpleConsole(options => options.SingleLine = true)
    .AddConsole(options => options.LogToStandardErrorThreshold = LogLevel.Trace);

static void Configure(KestrelServerOptions options, int port)
{
    options.AddServerHeader = false;
    options.Listen(IPAddress.Loopback, port, listen => listen.Protocols = HttpProtocols.Http1);
    // Bodies are streams of any length and pace.
    options.Limits.MaxRequestBodySize = null;
    options.Limits.MinRequestBodyDataRate = null;
    options.Limits.MinResponseDataRate = null;
    // Parameters come in the URL, which ClickHouse lets be as long.
    options.Limits.MaxRequestLineSize = 1024 * 1024;
    options.Limits.MaxRequestBufferSize = 2 * 1024 * 1024;
}

static int FreeOrAny(int port)
{
    try
    {
        using var probe = new TcpListener(IPAddress.Loopback, port);
        probe.Start();
        return port;
    }
    catch (SocketException)
    {
        return 0;
    }
}

static async Task TellPortAsync(string path, int port)
{
    // Whole or not at all: somebody may be reading.
    string draft = path + ".new";
    await File.WriteAllTextAsync(draft, $$"""{"port":{{port}}}""");
    File.Move(draft, path, overwrite: true);
}

// The pipe that is standard input ends with the process that started this one, however that ends.
static async Task StopWithStandardInputAsync(IHostApplicationLifetime lifetime)
{
    using var handle = new SafeFileHandle(0, ownsHandle: false);
    await using var input = new FileStream(handle, FileAccess.Read, bufferSize: 0);
    byte[] ignored = new byte[256];
    while (await input.ReadAsync(ignored, lifetime.ApplicationStopping) > 0)
    {
        // Nothing is expected.
    }

    lifetime.StopApplication();
}
