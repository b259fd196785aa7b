using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>
/// Stands before a server. When told to, it lets one message through that holds a given text, keeps the answer to
/// itself and hangs up.
/// </summary>
internal sealed class CuttingProxy : IAsyncDisposable
{
    private static readonly TimeSpan UntilItIsDone = TimeSpan.FromMilliseconds(300);

    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly int _target;
    private readonly CancellationTokenSource _stop = new();
    private readonly Task _run;
    private volatile string? _text;
    private volatile bool _hasCut;

    public CuttingProxy(int target)
    {
        _target = target;
        _listener.Start();
        _run = AcceptAsync();
    }

    public int Port => ((IPEndPoint)_listener.LocalEndpoint).Port;

    public bool HasCut => _hasCut;

    public void CutAfter(string text) => _text = text;

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        _listener.Stop();
        await _run.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _stop.Dispose();
    }

    private async Task AcceptAsync()
    {
        while (true)
        {
            var client = await _listener.AcceptTcpClientAsync(_stop.Token);
            _ = ServeAsync(client);
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using (client)
        using (var server = new TcpClient())
        {
            try
            {
                await server.ConnectAsync(IPAddress.Loopback, _target, _stop.Token);
                var connection = new Connection();
                await Task.WhenAny(
                    ForwardAsync(client.GetStream(), server.GetStream(), connection, isRequest: true),
                    ForwardAsync(server.GetStream(), client.GetStream(), connection, isRequest: false));
            }
            catch (Exception exception) when (exception is IOException or SocketException or OperationCanceledException)
            {
                // Somebody hung up.
            }
        }
    }

    private async Task ForwardAsync(NetworkStream from, NetworkStream to, Connection connection, bool isRequest)
    {
        byte[] buffer = new byte[64 << 10];
        while (true)
        {
            int read = await from.ReadAsync(buffer, _stop.Token);
            if (read == 0) return;

            if (isRequest && _text is { } text && buffer.AsSpan(0, read).IndexOf(Encoding.ASCII.GetBytes(text)) >= 0)
            {
                connection.IsCut = _hasCut = true;
                _text = null;
                await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
                await Task.Delay(UntilItIsDone, _stop.Token);
                return;
            }

            // What is answered to the last message stays here.
            if (!isRequest && connection.IsCut) continue;
            await to.WriteAsync(buffer.AsMemory(0, read), _stop.Token);
        }
    }

    private sealed class Connection
    {
        public volatile bool IsCut;
    }
}
