using System.Globalization;
using System.Net.Sockets;
using System.Reflection;

namespace Gateway.Hosting;

/// <summary>
/// Small events are read, parsed and given to the journal by the thread that hears of their socket: to wake another one
/// for each of them took a tenth of what they took. All of that thread's connections wait meanwhile, the gateway's own
/// to Redis and the database too. So a connection goes on there only while it is marked (see
/// <see cref="Capture.ConnectionMemory.IsQuick"/>), and what may take long or wait for anything leaves first.
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
        // By itself the runtime has one for many processors, enough to hear of sockets but not to do their work.
        if (Environment.GetEnvironmentVariable(CountVariable) is null)
        {
            int count = Math.Max(1, Environment.ProcessorCount / 2);
            Environment.SetEnvironmentVariable(CountVariable, count.ToString(CultureInfo.InvariantCulture));
        }

        host.UseSockets(sockets => sockets.UnsafePreferInlineScheduling = true);
    }

    /// <summary>From its next event on, a marked socket's go on where they are heard of.</summary>
    public static void Mark(Socket socket, bool isMarked)
    {
        try
        {
            PreferInline?.Invoke(socket, isMarked);
        }
        catch (ObjectDisposedException)
        {
            // The client has gone.
        }
    }

    /// <summary>Goes on on a thread of the pool, where it is not on one already.</summary>
    public static async ValueTask LeaveAsync()
    {
        if (!Thread.CurrentThread.IsThreadPoolThread) await Task.Yield();
    }
}
