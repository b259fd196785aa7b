using System.Net;
using System.Net.Sockets;

namespace Gateway.Core.Tests.Redis;

/// <summary>
/// Ports for who leaves one and comes back to it: below those that the system gives to outgoing connections, so that
/// none of them takes the place meanwhile.
/// </summary>
internal static class LocalPort
{
    private const int First = 20_000;
    private const int End = 32_000;

    public static int Free()
    {
        for (int attempt = 0; attempt < 100; attempt++)
        {
            int port = Random.Shared.Next(First, End);
            try
            {
                using var listener = new TcpListener(IPAddress.Loopback, port);
                listener.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody has it.
            }
        }

        throw new InvalidOperationException($"No port is free from {First} to {End}.");
    }
}
