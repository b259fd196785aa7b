using System.Globalization;
using System.Net.Sockets;
using System.Reflection;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Hosting;

/// <summary>
/// Small capture requests are read, parsed and given to the journal by the thread that hears of their sockets: to wake
/// another one for each of them took a tenth of what they took. All of that thread's connections wait meanwhile, the
/// gateway's own to Redis too, so whatever may take long or wait for anything goes on elsewhere first.
/// </summary>
internal static class SocketThreads
{
    private const string CountVariable = "DOTNET_SYSTEM_NET_SOCKETS_THREAD_COUNT";

    // Internal to the runtime, which keeps it to be found like this; where it is gone, all goes through the pool. The
    // public switch is for all sockets of a process, and with it the answers of Redis and databases would go on here.
    private static readonly Action<Socket, bool>? PreferInline = typeof(Socket)
        .GetProperty("PreferInlineCompletions", BindingFlags.Instance | BindingFlags.NonPublic)
        ?.SetMethod?.CreateDelegate<Action<Socket, bool>>();

    /// <summary>Before any socket is made: the runtime asks once.</summary>
    public static void Configure(IWebHostBuilder host)
    {
        // As it is, the runtime has one for thirty processors, enough to hear of sockets but not to do their work.
        if (Environment.GetEnvironmentVariable(CountVariable) is null)
        {
            int count = Math.Max(1, Environment.ProcessorCount / 2);
            Environment.SetEnvironmentVariable(CountVariable, count.ToString(CultureInfo.InvariantCulture));
        }

        host.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
    }

    /// <summary>What this connection's requests do first, they do on the thread that hears of its socket.</summary>
    public static ConnectionDelegate Use(ConnectionDelegate next) => connection =>
    {
        if (connection.Features.Get<IConnectionSocketFeature>() is { } feature)
            PreferInline?.Invoke(feature.Socket, true);

        return next(connection);
    };

    /// <summary>Goes on on a thread of the pool, where it is not on one already.</summary>
    public static async ValueTask LeaveAsync()
    {
        if (!Thread.CurrentThread.IsThreadPoolThread) await Task.Yield();
    }

    /// <summary>Requests to an endpoint without <see cref="MayStay"/> leave before anything is done for them.</summary>
    public static Task LeaveUnlessMayStay(HttpContext context, RequestDelegate next) =>
        Thread.CurrentThread.IsThreadPoolThread || context.GetEndpoint()?.Metadata.GetMetadata<MayStay>() is not null
            ? next(context)
            : LeaveAsync(context, next);

    private static async Task LeaveAsync(HttpContext context, RequestDelegate next)
    {
        await LeaveAsync();
        await next(context);
    }

    /// <summary>The endpoint leaves by itself before it does what takes long.</summary>
    public sealed class MayStay
    {
        public static readonly MayStay Instance = new();
    }
}
