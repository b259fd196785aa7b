using Gateway.LoadTests.Running;

namespace Gateway.LoadTests;

/// <summary>One gateway, told from the others by whom its fence asks, and what it did in each round.</summary>
/// <param name="authority">Who is asked.</param>
/// <param name="gateway">The gateway.</param>
/// <param name="wrk">What sends it events.</param>
/// <param name="storesCpuTime">Of the processor, by PostgreSQL and Redis so far.</param>
internal sealed class Contender(
    string authority, GatewayServer gateway, Wrk wrk, Func<TimeSpan> storesCpuTime)
{
    private const double LeastShare = 0.99;

    private Metrics? _counted;
    private TimeSpan _gatewayCpuTime;
    private TimeSpan _storesCpuTime;

    public string Authority => authority;

    /// <summary>Requests a second of each round.</summary>
    public List<double> Rounds { get; } = [];

    /// <summary>One round; its warm-up counts nowhere.</summary>
    public async Task RunAsync(int warmUp, int seconds, CancellationToken cancellationToken)
    {
        await wrk.RunAsync(gateway.Capture, warmUp, cancellationToken);

        var before = await gateway.ScrapeAsync(cancellationToken);
        var (gatewayBefore, storesBefore) = (gateway.CpuTime, storesCpuTime());
        Rounds.Add((await wrk.RunAsync(gateway.Capture, seconds, cancellationToken)).Rate);
        _gatewayCpuTime += gateway.CpuTime - gatewayBefore;
        _storesCpuTime += storesCpuTime() - storesBefore;
        var counted = await gateway.ScrapeAsync(cancellationToken) - before;
        _counted = _counted is null ? counted : _counted + counted;
    }

    /// <summary>What was done up to here was to warm up.</summary>
    public void Forget()
    {
        Rounds.Clear();
        (_counted, _gatewayCpuTime, _storesCpuTime) = (null, default, default);
    }

    /// <summary>What its groups waited for the fence, and how large they were.</summary>
    /// <exception cref="InvalidOperationException">Somebody else vouched for them.</exception>
    public string DescribeFence()
    {
        double groups = _counted!["gateway_fence_seconds_count"];
        double answered = _counted[GatewayServer.Groups(authority)];
        if (answered < LeastShare * groups)
            throw new InvalidOperationException($"{authority} vouched for {answered} of {groups} groups only.");

        double records = _counted["gateway_journal_records_total"] / _counted["gateway_journal_groups_total"];
        return $"p50 {Microseconds(0.5)} µs, p99 {Microseconds(0.99)} µs, of {groups} groups with {records:0.0} "
            + "requests each";
    }

    /// <summary>Of the processor: it tells more than requests a second on a machine that others use too.</summary>
    public string DescribeCpuTime()
    {
        double requests = _counted!["gateway_journal_records_total"];
        return $"gateway {_gatewayCpuTime.TotalMicroseconds / requests:0} µs, "
            + $"PostgreSQL and Redis {_storesCpuTime.TotalMicroseconds / requests:0} µs, of {requests} requests";
    }

    private string Microseconds(double share) =>
        $"{_counted!.Percentile("gateway_fence_seconds", share).TotalMicroseconds:0.0}";
}
