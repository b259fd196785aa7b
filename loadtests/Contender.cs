using Gateway.LoadTests.Running;

namespace Gateway.LoadTests;

/// <summary>One gateway, told apart from the others by who is asked by its fence, and what it did in each round.</summary>
internal sealed class Contender(string authority, GatewayServer gateway)
{
    private const string Capture = "/i/v0/e/";
    private const double LeastShare = 0.99;

    private Metrics? _counted;

    public string Authority => authority;

    /// <summary>Requests a second of each round.</summary>
    public List<double> Rounds { get; } = [];

    /// <summary>One round; its warm-up counts nowhere.</summary>
    public async Task RunAsync(int warmUp, int seconds, CancellationToken cancellationToken)
    {
        var url = new Uri(gateway.Address, Capture);
        await Wrk.RunAsync(url, GatewayServer.ProjectToken, warmUp, cancellationToken);

        var before = await gateway.ScrapeAsync(cancellationToken);
        Rounds.Add(await Wrk.RunAsync(url, GatewayServer.ProjectToken, seconds, cancellationToken));
        var counted = await gateway.ScrapeAsync(cancellationToken) - before;
        _counted = _counted is null ? counted : _counted + counted;
    }

    /// <summary>What was done up to here was to warm up.</summary>
    public void Forget()
    {
        Rounds.Clear();
        _counted = null;
    }

    /// <summary>What its groups waited for the fence, and how large they were.</summary>
    /// <exception cref="InvalidOperationException">Somebody else vouched for them: it is not what its name says.</exception>
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

    private string Microseconds(double share) =>
        $"{_counted!.Percentile("gateway_fence_seconds", share).TotalMicroseconds:0.0}";
}
