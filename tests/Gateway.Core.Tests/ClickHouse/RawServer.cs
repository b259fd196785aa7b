using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Tests.ClickHouse;

/// <summary>Answers each request with the same bytes, and then hangs or closes: what no real server would do.</summary>
internal sealed class RawServer : IAsyncDisposable
{
    private readonly TcpListener _listener = new(IPAddress.Loopback, 0);
    private readonly CancellationTokenSource _stop = new();
    private readonly byte[] _answer;
    private readonly bool _hangs;
    private readonly Task _serving;

    public RawServer(string head, byte[] body, bool hangs = false)
    {
        _answer = [.. Encoding.ASCII.GetBytes("HTTP/1.1 200 OK\r\n" + head + "\r\n"), .. body];
        _hangs = hangs;
        _listener.Start();
        _serving = ServeAsync();
    }

    public ClickHouseOptions Target =>
        new(new Uri($"http://127.0.0.1:{((IPEndPoint)_listener.LocalEndpoint).Port}"), "u", "p", "default");

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _serving.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        _listener.Stop();
        _stop.Dispose();
    }

    private async Task ServeAsync()
    {
        var answering = new List<Task>();
        while (!_stop.IsCancellationRequested)
        {
            answering.Add(AnswerAsync(await _listener.AcceptTcpClientAsync(_stop.Token)));
        }

        await Task.WhenAll(answering);
    }

    private async Task AnswerAsync(TcpClient client)
    {
        using (client)
        {
            byte[] request = new byte[64 * 1024];
            await client.GetStream().ReadAtLeastAsync(request, 1, false, _stop.Token);
            await client.GetStream().WriteAsync(_answer, _stop.Token);
            if (_hangs) await Task.Delay(Timeout.Infinite, _stop.Token);
        }
    }
}
