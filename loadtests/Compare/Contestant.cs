using System.Net;

namespace Gateway.LoadTests.Compare;

/// <param name="Requests">A second.</param>
/// <param name="CpuSeconds">Of the server, for a million events.</param>
/// <param name="RedisCpuSeconds">Of the Redis that it asks, for as many.</param>
/// <param name="P50">Of the answers, in milliseconds.</param>
/// <param name="P99">As well.</param>
/// <param name="MemoryMegabytes">At the end.</param>
internal sealed record RoundFigures(
    double Requests, double CpuSeconds, double RedisCpuSeconds, double P50, double P99, double MemoryMegabytes);

/// <summary>One of those that are compared, and what it did in each round.</summary>
internal sealed class Contestant
{
    /// <summary>Seconds, until what runs often is compiled as well as it will be.</summary>
    public const int FirstWarmUp = 8;

    // On a machine that others use too that may take longer.
    private const int WarmUpRequests = 30_000;
    private const int MostWarmUps = 5;

    private static readonly HttpClient Http = new(new SocketsHttpHandler { UseProxy = false });

    public required string Name { get; init; }

    /// <summary>Where it takes events.</summary>
    public required Uri Capture { get; init; }

    public required Func<TimeSpan> CpuTime { get; init; }

    public required Func<long> MemoryBytes { get; init; }

    /// <summary>Of the Redis that it asks, if it does.</summary>
    public Func<TimeSpan> RedisCpuTime { get; init; } = () => TimeSpan.Zero;

    /// <summary>It does more than to read bodies.</summary>
    public bool ChecksBodies { get; init; } = true;

    public List<RoundFigures> Rounds { get; } = [];

    /// <summary>So that nobody wins by taking what it ought to refuse.</summary>
    /// <exception cref="InvalidOperationException">It did.</exception>
    public async Task VerifyAsync(CaptureLoad load, CancellationToken cancellationToken)
    {
        await ExpectAsync(HttpStatusCode.OK, load.Good, load.Encoding, cancellationToken);
        if (!ChecksBodies) return;

        await ExpectAsync(HttpStatusCode.Unauthorized, load.Unknown, load.Encoding, cancellationToken);
        await ExpectAsync(HttpStatusCode.BadRequest, load.Broken, load.Encoding, cancellationToken);
    }

    public async Task WarmUpAsync(Wrk wrk, CancellationToken cancellationToken)
    {
        long sent = 0;
        for (int i = 0; i < MostWarmUps && sent < WarmUpRequests; i++)
            sent += (await wrk.RunAsync(Capture, FirstWarmUp, cancellationToken)).Requests;
    }

    /// <summary>One round; its warm-up counts nowhere.</summary>
    public async Task RunAsync(Wrk wrk, CaptureLoad load, int warmUp, int seconds, CancellationToken cancellationToken)
    {
        await wrk.RunAsync(Capture, warmUp, cancellationToken);

        var (own, redis) = (CpuTime(), RedisCpuTime());
        var figures = await wrk.RunAsync(Capture, seconds, cancellationToken);
        (own, redis) = (CpuTime() - own, RedisCpuTime() - redis);
        double millions = figures.Requests * load.Events / 1e6;
        Rounds.Add(new RoundFigures(
            figures.Rate,
            own.TotalSeconds / millions,
            redis.TotalSeconds / millions,
            figures.P50.TotalMilliseconds,
            figures.P99.TotalMilliseconds,
            MemoryBytes() / 1e6));
    }

    private async Task ExpectAsync(
        HttpStatusCode expected, byte[] body, string? encoding, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(body);
        if (encoding is not null) content.Headers.ContentEncoding.Add(encoding);
        using var answer = await Http.PostAsync(Capture, content, cancellationToken);
        if (answer.StatusCode == expected) return;

        string said = await answer.Content.ReadAsStringAsync(cancellationToken);
        throw new InvalidOperationException($"{Name} said {answer.StatusCode} where {expected} was due: {said}");
    }
}
