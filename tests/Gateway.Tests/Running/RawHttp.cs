using System.Net.Sockets;
using System.Text;

namespace Gateway.Tests.Running;

/// <summary>HTTP as bytes on a socket, for what no client library would send.</summary>
internal static class RawHttp
{
    /// <summary>Sends the bytes and reads until the peer closes or the answer is complete by its Content-Length.</summary>
    public static async Task<string> SendAsync(Uri address, string request, int seconds = 20)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, limit.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), limit.Token);

        var answer = new StringBuilder();
        byte[] buffer = new byte[4096];
        while (!IsComplete(answer.ToString()))
        {
            int read;
            try
            {
                read = await stream.ReadAsync(buffer, limit.Token);
            }
            catch (IOException)
            {
                break;
            }

            if (read == 0) break;
            answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }

        return answer.ToString();
    }

    /// <summary>
    /// Sends the text a piece at a time and then nothing, and waits until the peer has closed; what it answered.
    /// </summary>
    public static async Task<string> SendSlowlyAsync(Uri address, IEnumerable<string> pieces, TimeSpan pause, int seconds)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(address.Host, address.Port, limit.Token);
        var stream = client.GetStream();
        var reading = ReadToEndAsync(stream, limit.Token);
        try
        {
            foreach (string piece in pieces)
            {
                if (reading.IsCompleted) break;
                await stream.WriteAsync(Encoding.Latin1.GetBytes(piece), limit.Token);
                await Task.Delay(pause, limit.Token);
            }
        }
        catch (IOException)
        {
            // It has closed, which is what is waited for.
        }

        return await reading;
    }

    /// <summary>Sends the text, says that nothing follows, and reads to the end.</summary>
    public static async Task<string> SendAndFinishAsync(Uri address, string request, int seconds = 30)
    {
        using var limit = new CancellationTokenSource(TimeSpan.FromSeconds(seconds));
        using var client = new TcpClient();
        await client.ConnectAsync(address.Host, address.Port, limit.Token);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.Latin1.GetBytes(request), limit.Token);
        client.Client.Shutdown(SocketShutdown.Send);
        return await ReadToEndAsync(stream, limit.Token);
    }

    private static async Task<string> ReadToEndAsync(NetworkStream stream, CancellationToken limit)
    {
        var answer = new StringBuilder();
        byte[] buffer = new byte[4096];
        try
        {
            int read;
            while ((read = await stream.ReadAsync(buffer, limit)) > 0)
                answer.Append(Encoding.Latin1.GetString(buffer, 0, read));
        }
        catch (IOException)
        {
            // Closed by a reset: there is no more to read either.
        }

        return answer.ToString();
    }

    private static bool IsComplete(string answer)
    {
        int end = answer.IndexOf("\r\n\r\n", StringComparison.Ordinal);
        if (end < 0) return false;

        const string Name = "Content-Length: ";
        int at = answer.IndexOf(Name, StringComparison.OrdinalIgnoreCase);
        if (at < 0 || at > end) return false;

        int length = int.Parse(answer[(at + Name.Length)..answer.IndexOf('\r', at)]);
        return answer.Length >= end + 4 + length;
    }
}
