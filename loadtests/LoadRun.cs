using Gateway.LoadTests.Running;

namespace Gateway.LoadTests;

/// <summary>
/// A short pass over an installation of its own: two gateways on one PostgreSQL, one Redis and one ClickHouse engine.
/// </summary>
internal static class LoadRun
{
    /// <returns>Everything that was measured.</returns>
    public static async Task<List<ReportRow>> RunAsync(
        int count, int rate, int seconds, CancellationToken cancellationToken)
    {
        Console.WriteLine(Machine.LoadAverage);
        Console.WriteLine("Starting PostgreSQL, Redis, ClickHouse's engine and two gateways ...");
        using var postgres = await Postgres.StartAsync(cancellationToken);
        using var redis = await Redis.StartAsync(cancellationToken);
        using var engine = await Engine.StartAsync(cancellationToken);
        (string, string)[] settings =
        [
            ("ConnectionStrings:Postgres", await postgres.NewDatabaseAsync("load", cancellationToken)),
            ("ConnectionStrings:Redis", redis.ConnectionString),
            ("ConnectionStrings:ClickHouse", engine.ConnectionString),
        ];
        using var one = await StartAsync(settings, cancellationToken);
        using var other = await StartAsync(settings, cancellationToken);

        // The look-ups first: what capture leaves to ClickHouse's engine keeps the machine busy for a while.
        Console.WriteLine($"Token checks, {count} of each kind:");
        var rows = await new LayerPass(maker: one, asked: other, count).RunAsync(cancellationToken);

        Console.WriteLine("Capture:");
        rows.AddRange(await CapturePass.RunAsync(
            one.Address, GatewayServer.ProjectToken, rate, seconds, cancellationToken));
        Console.WriteLine(Machine.LoadAverage);
        return rows;
    }

    /// <summary>Until Redis has been met, the database is the fence: that is not what is to be measured.</summary>
    private static async Task<GatewayServer> StartAsync(
        (string, string)[] settings, CancellationToken cancellationToken)
    {
        var gateway = await GatewayServer.StartAsync(cancellationToken, settings);
        await gateway.WaitUntilFencedByAsync("redis", cancellationToken);
        return gateway;
    }
}
