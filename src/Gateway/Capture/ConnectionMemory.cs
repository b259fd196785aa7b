using System.Net.Sockets;
using Gateway.Core.Admission;
using Gateway.Hosting;
using Microsoft.AspNetCore.Connections;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Capture;

/// <summary>
/// What a connection's last request turned out to be: a guess at the next one's, when that does not say. Several
/// requests of one connection may be under way (HTTP/2); each leaves a whole value.
/// </summary>
/// <param name="socket">The connection's; null: it has none that could be marked.</param>
internal sealed class ConnectionMemory(Socket? socket)
{
    private ulong _project;
    private volatile bool _isOverQuota;
    private volatile bool _isQuick;

    /// <summary>Whose the last accepted request was; <see cref="TokenHints.None"/> before the first.</summary>
    public ulong Project
    {
        get => Volatile.Read(ref _project);
        set => Volatile.Write(ref _project, value);
    }

    /// <summary>Whether the last request was refused because its project had used up its quota.</summary>
    public bool IsOverQuota
    {
        get => _isOverQuota;
        set => _isOverQuota = value;
    }

    /// <summary>
    /// Whether the last request was small, and was kept. The next one is begun by the thread that hears of the socket,
    /// and waits for no turn if it is small as well. Who has no live token never comes so far.
    /// </summary>
    public bool IsQuick
    {
        get => _isQuick;
        set
        {
            if (_isQuick == value) return;

            _isQuick = value;
            if (socket is not null) SocketThreads.Mark(socket, value);
        }
    }

    /// <summary>For whatever is not small, or is answered without waiting for the journal.</summary>
    public static ValueTask LeaveAsync(HttpContext context)
    {
        if (context.Features.Get<ConnectionMemory>() is { } memory) memory.IsQuick = false;
        return SocketThreads.LeaveAsync();
    }

    /// <summary>Gives each connection a memory. Requests find it among their features.</summary>
    public static ConnectionDelegate Give(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new ConnectionMemory(connection.Features.Get<IConnectionSocketFeature>()?.Socket));
        return next(connection);
    };
}
