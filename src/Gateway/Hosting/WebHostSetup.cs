using Gateway.Capture;

namespace Gateway.Hosting;

/// <summary>Kestrel's limits and the log: what holds for every request, whatever its path.</summary>
internal static class WebHostSetup
{
    /// <summary>How long a connection may wait for its next request.</summary>
    public static readonly TimeSpan KeepAlive = TimeSpan.FromSeconds(75);

    private const string DefaultUrl = "http://127.0.0.1:8000";

    public static void Configure(WebApplicationBuilder builder, GatewayOptions options)
    {
        builder.WebHost.UseKestrelHttpsConfiguration();
        SocketThreads.Configure(builder.WebHost);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            kestrel.ConfigureEndpointDefaults(endpoint => endpoint.Use(ConnectionMemory.Give));

            // Events may come in the query of a GET, and some SDKs' are long.
            kestrel.Limits.MaxRequestLineSize = 64 << 10;
            kestrel.Limits.MaxRequestBufferSize = 128 << 10;

            // Capture has its own limit and answers 413 by name; twice that is drained, so that the answer arrives.
            kestrel.Limits.MaxRequestBodySize = 2L * options.Limits.BodyBytes;

            // Slow clients hold a connection, not more: they are closed in time.
            kestrel.Limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
            kestrel.Limits.MinRequestBodyDataRate = CaptureBody.LeastRate;

            // Longer than a load balancer keeps its own (60 s is usual), so that it never sends into one that we close.
            kestrel.Limits.KeepAliveTimeout = KeepAlive;
        });
        if (builder.Configuration["urls"] is null && !builder.Configuration.GetSection("Kestrel:Endpoints").Exists())
            builder.WebHost.UseUrls(DefaultUrl);

        LeaveThreadsFree(options.Admission.Slots);
        ConfigureLogging(builder.Logging);
        builder.Services.Configure<HostOptions>(host => host.ShutdownTimeout = TimeSpan.FromSeconds(15));
    }

    /// <summary>
    /// Threads that parse are busy for milliseconds at a time. As many as there are processors stay beside them, so
    /// that connections are read and answers written meanwhile: the machine's scheduler is fair to those, and the
    /// pool's own line is not.
    /// </summary>
    private static void LeaveThreadsFree(int slots)
    {
        ThreadPool.GetMinThreads(out int workers, out int ports);
        ThreadPool.SetMinThreads(Math.Max(workers, Environment.ProcessorCount + slots), ports);
    }

    public static void ConfigureLogging(ILoggingBuilder logging) => logging
        .ClearProviders()
        .AddSimpleConsole(console => console.SingleLine = true)
        .AddFilter("Microsoft", LogLevel.Warning)

        // Its lines hold whole URLs, and some of ours hold tokens: whatever else is turned up, not this. Failures of
        // requests are Kestrel's to tell; and while this may speak at all, each request gets an activity and a scope.
        .AddFilter("Microsoft.AspNetCore.Hosting.Diagnostics", LogLevel.None)
        .AddFilter("Microsoft.AspNetCore.Routing", LogLevel.Warning)

        // Why a start failed is said by Program, in one line.
        .AddFilter("Microsoft.Extensions.Hosting", LogLevel.None);
}
