using Gateway.LoadTests.Running;
using Gateway.LoadTests.Scenarios;

namespace Gateway.LoadTests;

/// <summary>
/// What it costs to ask somebody else for each group: durable capture of single events at saturation, by the same
/// program with its fence in the process (SQLite), in Redis and in the database. Nothing is shipped, as there is no
/// events store, so that all three do the same but for their fence.
/// </summary>
internal static class FenceCost
{
    private const int FirstWarmUp = 8;
    private const int WarmUp = 1;

    public static async Task RunAsync(int rounds, int seconds, CancellationToken cancellationToken)
    {
        Console.WriteLine(Machine.LoadAverage);
        Console.WriteLine($"token check in the process: {TokenCheckInProcess.DescribeHit()}");

        using var postgres = await Postgres.StartAsync(cancellationToken);
        using var redis = await Redis.StartAsync(cancellationToken);
        (string, string)[] shared = [("ConnectionStrings:Redis", redis.ConnectionString)];
        string forRedis = await postgres.NewDatabaseAsync("fenced_by_redis", cancellationToken);
        string forItself = await postgres.NewDatabaseAsync("fenced_by_itself", cancellationToken);

        // All three run all the time. What an idle one does (a few calls a second, and its store that is not there)
        // is the same for whoever is measured; one that was started anew for each round would be compiled anew too.
        using var first = await StartAsync("process", [], cancellationToken);
        using var second = await StartAsync(
            "redis", [.. shared, ("ConnectionStrings:Postgres", forRedis)], cancellationToken);
        using var third = await StartAsync(
            "database",
            [.. shared, ("ConnectionStrings:Postgres", forItself), ("Gateway:Fence", "Database")],
            cancellationToken);
        using var wrk = new Wrk(Events.Single(GatewayServer.ProjectToken));
        Contender[] contenders =
        [
            new("process", first, wrk, Stores), new("redis", second, wrk, Stores), new("database", third, wrk, Stores),
        ];

        Console.WriteLine("Warming up ...");
        foreach (var contender in contenders)
        {
            await contender.RunAsync(FirstWarmUp, WarmUp, cancellationToken);
            contender.Forget();
        }

        Console.WriteLine($"Requests a second, rounds of {seconds} s:");
        Console.WriteLine("round" + string.Concat(contenders.Select(contender => $"{contender.Authority,11}")));
        for (int round = 0; round < rounds; round++)
        {
            // Each comes first as often as the others: what the one before left to be done is charged to all alike.
            for (int turn = 0; turn < contenders.Length; turn++)
            {
                var contender = contenders[(round + turn) % contenders.Length];
                await contender.RunAsync(WarmUp, seconds, cancellationToken);
            }

            Console.WriteLine(
                $"{round + 1,5}" + string.Concat(contenders.Select(contender => $"{contender.Rounds[round],11:0}")));
        }

        Report(contenders);

        TimeSpan Stores() => postgres.CpuTime + redis.CpuTime;
    }

    private static async Task<GatewayServer> StartAsync(
        string authority, (string, string)[] settings, CancellationToken cancellationToken)
    {
        var gateway = await GatewayServer.StartAsync(
            cancellationToken, [.. settings, .. GatewayServer.ShippingHeld]);
        await gateway.WaitUntilFencedByAsync(authority, cancellationToken);
        return gateway;
    }

    private static void Report(Contender[] contenders)
    {
        foreach (var contender in contenders)
            Console.WriteLine($"fence {contender.Authority}: {contender.DescribeFence()}");
        foreach (var contender in contenders)
            Console.WriteLine($"processor time a request, {contender.Authority}: {contender.DescribeCpuTime()}");
        Console.WriteLine("(p50 and p99 of fences are interpolated in the buckets of gateway_fence_seconds)");
        Console.WriteLine(Machine.LoadAverage);

        foreach (var contender in contenders[1..])
        {
            var pairs = new Pairs(contender.Rounds, contenders[0].Rounds);
            Console.WriteLine($"ratio requests {contender.Authority}/process: {pairs}");
        }
    }
}
