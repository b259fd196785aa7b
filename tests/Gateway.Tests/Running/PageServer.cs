using System.Net;
using System.Text;

namespace Gateway.Tests.Running;

/// <summary>Serves one page on a free port.</summary>
internal sealed class PageServer : IDisposable
{
    private readonly HttpListener _listener;

    public PageServer(string html)
    {
        (_listener, Address) = Listen();
        _ = ServeAsync(Encoding.UTF8.GetBytes(html));
    }

    public string Address { get; }

    public void Dispose() => _listener.Close();

    private static (HttpListener Listener, string Address) Listen()
    {
        while (true)
        {
            var listener = new HttpListener();
            string address = $"http://127.0.0.1:{Random.Shared.Next(20_000, 60_000)}/";
            listener.Prefixes.Add(address);
            try
            {
                listener.Start();
                return (listener, address);
            }
            catch (HttpListenerException)
            {
                listener.Close();
            }
        }
    }

    private async Task ServeAsync(byte[] html)
    {
        while (_listener.IsListening)
        {
            HttpListenerContext context;
            try
            {
                context = await _listener.GetContextAsync();
            }
            catch (Exception error) when (error is HttpListenerException or ObjectDisposedException)
            {
                return;
            }

            context.Response.ContentType = "text/html; charset=utf-8";
            await context.Response.OutputStream.WriteAsync(html);
            context.Response.Close();
        }
    }
}
