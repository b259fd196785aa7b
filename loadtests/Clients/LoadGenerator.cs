using System.Diagnostics;
using System.Globalization;
using System.Text;
using System.Threading.Channels;

namespace Gateway.LoadTests.Clients;

/// <summary>What came of a stretch of load.</summary>
/// <param name="Acked">Answered 200.</param>
/// <param name="Failed">Answered otherwise, or not at all.</param>
/// <param name="Latency">Of all that were answered, from when they were meant to start.</param>
internal sealed record LoadFigures(long Acked, long Failed, LatencyHistogram Latency);

/// <summary>
/// Posts events over kept connections, single ones if nothing else is said, so cheaply that on a machine shared with the
/// gateway most of it is left to the gateway.
/// </summary>
internal sealed class LoadGenerator(Func<byte[]> nextRequest)
{
    private const string Path = "/i/v0/e/";

    private readonly LatencyHistogram _latency = new();
    private long _acked;
    private long _failed;

    /// <summary>As many as the gateway answers: each connection has its next request once it is answered.</summary>
    /// <returns>Answered 200, a second.</returns>
    public static Task<double> SaturateAsync(
        Uri gateway, string token, int connections, TimeSpan during, CancellationToken cancellationToken) =>
        SaturateAsync(gateway, () => Post(Path, Events.Single(token)), connections, during, cancellationToken);

    /// <summary>The same with requests of <see cref="Post"/>.</summary>
    public static async Task<double> SaturateAsync(
        Uri gateway,
        Func<byte[]> nextRequest,
        int connections,
        TimeSpan during,
        CancellationToken cancellationToken)
    {
        var generator = new LoadGenerator(nextRequest);
        var clock = Stopwatch.StartNew();
        await Task.WhenAll(Enumerable.Range(0, connections).Select(_ => Task.Run(
            async () =>
            {
                using var connection = new LeanConnection(gateway);
                while (clock.Elapsed < during)
                {
                    await generator.PostAsync(connection, clock.Elapsed, clock, cancellationToken);
                }
            },
            cancellationToken)));
        if (generator._failed > 0) throw new InvalidOperationException($"{generator._failed} requests failed.");
        return generator._acked / clock.Elapsed.TotalSeconds;
    }

    /// <summary>
    /// So many a second whether or not earlier ones were answered: when all connections are busy the next request
    /// waits, and its wait counts.
    /// </summary>
    public static async Task<LoadFigures> InjectAsync(
        Uri gateway, string token, int connections, double rate, TimeSpan during, CancellationToken cancellationToken)
    {
        LeanConnection[] fresh = [.. Enumerable.Range(0, connections).Select(_ => new LeanConnection(gateway))];
        try
        {
            return await InjectAsync(token, fresh, rate, during, cancellationToken);
        }
        finally
        {
            foreach (var connection in fresh) connection.Dispose();
        }
    }

    /// <summary>The same over connections that the caller keeps from one stretch to the next.</summary>
    public static Task<LoadFigures> InjectAsync(
        string token,
        IReadOnlyList<LeanConnection> connections,
        double rate,
        TimeSpan during,
        CancellationToken cancellationToken) =>
        InjectAsync(() => Post(Path, Events.Single(token)), connections, rate, during, cancellationToken);

    /// <summary>The same with requests of <see cref="Post"/>.</summary>
    public static async Task<LoadFigures> InjectAsync(
        Func<byte[]> nextRequest,
        IReadOnlyList<LeanConnection> connections,
        double rate,
        TimeSpan during,
        CancellationToken cancellationToken)
    {
        var generator = new LoadGenerator(nextRequest);
        await generator.InjectAsync(connections, rate, during, cancellationToken);
        return new LoadFigures(generator._acked, generator._failed, generator._latency);
    }

    /// <summary>A whole request.</summary>
    public static byte[] Post(string path, byte[] body)
    {
        string head = string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n");
        byte[] request = new byte[head.Length + body.Length];
        Encoding.ASCII.GetBytes(head, request);
        body.CopyTo(request, head.Length);
        return request;
    }

    private async Task InjectAsync(
        IReadOnlyList<LeanConnection> connections, double rate, TimeSpan during, CancellationToken cancellationToken)
    {
        var due = Channel.CreateUnbounded<TimeSpan>(new UnboundedChannelOptions { SingleWriter = true });
        var clock = Stopwatch.StartNew();
        var senders = connections.Select(connection => Task.Run(
            async () =>
            {
                await foreach (var intended in due.Reader.ReadAllAsync(cancellationToken))
                    await PostAsync(connection, intended, clock, cancellationToken);
            },
            cancellationToken)).ToArray();

        long total = (long)(rate * during.TotalSeconds);
        for (long sent = 0; sent < total;)
        {
            for (long now = Math.Min(total, (long)(clock.Elapsed.TotalSeconds * rate) + 1); sent < now; sent++)
                due.Writer.TryWrite(TimeSpan.FromSeconds(sent / rate));
            await Task.Delay(1, cancellationToken);
        }

        due.Writer.Complete();
        await Task.WhenAll(senders);
    }

    private async Task PostAsync(
        LeanConnection connection, TimeSpan intended, Stopwatch clock, CancellationToken cancellationToken)
    {
        try
        {
            var answer = await connection.SendAsync(nextRequest(), cancellationToken);
            _latency.Record(clock.Elapsed - intended);
            Interlocked.Increment(ref answer.Status == 200 ? ref _acked : ref _failed);
        }
        catch (IOException)
        {
            Interlocked.Increment(ref _failed);
        }
    }
}
