using Gateway.Core.Admission;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Capture;

/// <summary>
/// What a connection's last request turned out to be: a guess at the next one's, when that does not say. Several
/// requests of one connection may be under way (HTTP/2); each leaves a whole value.
/// </summary>
internal sealed class ConnectionMemory
{
    private ulong _project;
    private volatile bool _isOverQuota;

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

    /// <summary>Gives each connection a memory. Requests find it among their features.</summary>
    public static ConnectionDelegate Give(ConnectionDelegate next) => connection =>
    {
        connection.Features.Set(new ConnectionMemory());
        return next(connection);
    };
}
