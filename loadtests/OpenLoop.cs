using System.Diagnostics;
using System.Globalization;
using System.Net.Sockets;
using System.Text;

namespace Gateway.LoadTests;

/// <summary>What the posts of one run came to.</summary>
/// <param name="Latency">From the moment at which each was to begin.</param>
/// <param name="Failed">Answered otherwise than 200, or not at all.</param>
internal sealed record OpenLoopReport(LatencyHistogram Latency, long Failed);

/// <summary>
/// Posts single events at a steady rate over connections that are kept, each with a thread of its own that waits in
/// the kernel: on a machine that is busy with other things this adds less to what is measured than a client library
/// would. A post that cannot begin in time, because its connection waits, is charged from when it should have.
/// </summary>
internal static class OpenLoop
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(30);

    /// <param name="gateway">Whom to post to.</param>
    /// <param name="tokens">One for each connection.</param>
    /// <param name="rate">Posts a second, over all connections.</param>
    /// <param name="seconds">For how long.</param>
    public static OpenLoopReport Run(Uri gateway, IReadOnlyList<string> tokens, int rate, int seconds)
    {
        var latency = new LatencyHistogram();
        long failed = 0;
        long began = Stopwatch.GetTimestamp() + Stopwatch.Frequency / 10;
        double every = (double)tokens.Count / rate;
        var threads = tokens.Select((token, index) => new Thread(() =>
        {
            using var client = new TcpClient(gateway.Host, gateway.Port) { NoDelay = true };
            client.ReceiveTimeout = (int)AnswerLimit.TotalMilliseconds;
            for (int i = 0; i < seconds / every; i++)
            {
                byte[] post = Post(gateway, token);
                var due = TimeSpan.FromSeconds(((double)index / rate) + (i * every));
                var early = due - Stopwatch.GetElapsedTime(began);
                if (early > TimeSpan.Zero) Thread.Sleep(early);

                bool isKept = IsKept(client, post);
                latency.Record(Stopwatch.GetElapsedTime(began) - due);
                if (!isKept) Interlocked.Increment(ref failed);
            }
        })).ToList();
        foreach (var thread in threads) thread.Start();
        foreach (var thread in threads) thread.Join();

        return new(latency, failed);
    }

    private static byte[] Post(Uri gateway, string token)
    {
        byte[] body = Events.Single(token);
        string head = string.Create(CultureInfo.InvariantCulture,
            $"POST /i/v0/e/ HTTP/1.1\r\nHost: {gateway.Authority}\r\nContent-Type: application/json\r\n")
            + $"Content-Length: {body.Length}\r\n\r\n";
        return [.. Encoding.ASCII.GetBytes(head), .. body];
    }

    /// <summary>Answers are short, and come whole.</summary>
    private static bool IsKept(TcpClient client, byte[] post)
    {
        try
        {
            Span<byte> answer = stackalloc byte[4096];
            client.Client.Send(post);
            int length = client.Client.Receive(answer);
            return answer[..length].StartsWith("HTTP/1.1 200"u8);
        }
        catch (SocketException)
        {
            return false;
        }
    }
}
