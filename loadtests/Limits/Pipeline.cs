using System.Diagnostics;
using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// Events a second from the request to where queries see them, gateway, engine and client on the same processors,
/// beside what the engine alone stores of blocks that are ready: same table and statement, blocks of as many rows, one
/// at a time like the shipper. Each side begins with a table of as many rows, and its merges run all the while.
/// </summary>
internal static class Pipeline
{
    private const double LeastShare = 0.45;
    private const int Connections = 64;
    private const int BatchEvents = 100;
    private const int Bodies = 500;
    private const int BootstrapProject = 1;

    public static async Task<Figure[]> RunAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        Console.WriteLine(
            $"  {plan.Rounds} pairs of {plan.Seconds} s: gzip batches of {BatchEvents} over {Connections} connections "
            + "until all can be queried, and the engine alone with ready blocks");
        byte[][] bodies = [.. Enumerable.Range(0, Bodies).Select(
            _ => Events.GzippedBatch(GatewayServer.ProjectToken, BatchEvents, hasUuid: false))];
        var shares = new List<double>();
        for (int round = 0; round < plan.Rounds; round++)
        {
            var whole = await StoreByGatewayAsync(bodies, plan.Seconds, cancellationToken);
            var (rate, cost) = await StoreAloneAsync(bodies, whole, plan.Seconds, cancellationToken);
            shares.Add(whole.Rate / rate);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  share {shares[^1]:0.00}; by processor time, which others on the machine disturb less, "
                + $"{cost / whole.Cost:0.00}"));
        }

        shares.Sort();
        string range = string.Create(
            CultureInfo.InvariantCulture, $", median of {shares.Count} pairs, {shares[0]:0.00} to {shares[^1]:0.00}");
        return
        [
            Figure.AtLeast(
                "events/s from request to queryable, of what the engine alone stores",
                Pairs.Median(shares), LeastShare, "0.000", range),
        ];
    }

    private static async Task<Stored> StoreByGatewayAsync(
        byte[][] bodies, int seconds, CancellationToken cancellationToken)
    {
        using var installation = await ShippingGateway.StartAsync(cancellationToken);
        using var flood = new Flood(bodies);
        await WarmUp.RunAsync(installation.Gateway, flood, "/batch/", Connections, cancellationToken);
        await installation.SettleAsync(cancellationToken);
        long beforeRows = await installation.AcceptedAsync(cancellationToken);

        var before = await installation.Gateway.ScrapeAsync(cancellationToken);
        var cpuBefore = installation.CpuTimes;
        var clock = Stopwatch.StartNew();
        var sent = await flood.RunAsync(installation.Gateway.Address, seconds, cancellationToken, Connections);
        double flooded = clock.Elapsed.TotalSeconds;
        await installation.DrainAsync(cancellationToken);
        double took = clock.Elapsed.TotalSeconds;
        var cpu = installation.CpuTimes - cpuBefore;
        var done = await installation.Gateway.ScrapeAsync(cancellationToken) - before;

        long events = (long)done["gateway_events_accepted_total"];
        await InsistAsync(installation, sent, events, cancellationToken);
        int rows = (int)(done["gateway_ship_rows_total"] / done["gateway_ship_blocks_total"]);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  gateway: {events} events, acked in {flooded:0.0} s and queryable in {took:0.0} s: "
            + $"{events / took:0} a second, {rows} rows a block; {cpu.Describe(events)}"));
        double cost = (cpu.Gateway + cpu.Engine).TotalMicroseconds / events;
        return new Stored(events / took, cost, rows, beforeRows);
    }

    private static async Task InsistAsync(
        ShippingGateway installation, FloodFigures sent, long events, CancellationToken cancellationToken)
    {
        if (sent.Refused > 0) throw new InvalidOperationException($"{sent.Refused} batches were not answered 200.");

        // wrk breaks off what is under way at the end: that may be stored and not counted as acked.
        long acked = sent.All * BatchEvents;
        if (events < acked || events > acked + (Connections * BatchEvents))
            throw new InvalidOperationException($"{acked} events were acked, and {events} accepted.");

        long accepted = await installation.AcceptedAsync(cancellationToken);
        long stored = await installation.CountStoredAsync(cancellationToken);
        if (stored != accepted) throw new InvalidOperationException($"Of {accepted} events {stored} are stored.");
    }

    /// <returns>Events a second, and microseconds of the processor for one.</returns>
    private static async Task<(double Rate, double Cost)> StoreAloneAsync(
        byte[][] bodies, Stored whole, int seconds, CancellationToken cancellationToken)
    {
        using var engine = await Engine.StartAsync(cancellationToken);
        using var client = new ClickHouseClient(ClickHouseOptions.Parse(engine.ConnectionString));
        var table = new EventsTable(client);
        await table.EnsureAsync(cancellationToken);
        var blocks = new ReadyBlocks(bodies, [BootstrapProject], whole.BlockRows);
        long warm = await StoreAsync(table, blocks, whole.RowsBefore, TimeSpan.Zero, cancellationToken);

        var cpuBefore = engine.CpuTime;
        var clock = Stopwatch.StartNew();
        long events = await StoreAsync(table, blocks, 0, TimeSpan.FromSeconds(seconds), cancellationToken);
        double took = clock.Elapsed.TotalSeconds;
        double cost = (engine.CpuTime - cpuBefore).TotalMicroseconds / events;

        string stored = await client.QueryTextAsync(
            "SELECT count() FROM events FINAL", cancellationToken: cancellationToken);
        if (stored.Trim() != $"{warm + events}")
            throw new InvalidOperationException($"Of {warm + events} ready rows {stored} are stored.");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  engine alone: {events} events in {took:0.0} s: {events / took:0} a second, {blocks.Rows} rows a block; "
            + $"CPU s per million events: {cost:0.00}"));
        return (events / took, cost);
    }

    /// <summary>So many rows at least, for so long at least.</summary>
    /// <returns>Rows.</returns>
    private static async Task<long> StoreAsync(
        EventsTable table, ReadyBlocks blocks, long least, TimeSpan during, CancellationToken cancellationToken)
    {
        long stored = 0;
        for (var clock = Stopwatch.StartNew(); stored < least || clock.Elapsed < during; stored += blocks.Rows)
            await table.InsertAsync(blocks.Next(), cancellationToken);
        return stored;
    }

    /// <param name="Rate">Events a second.</param>
    /// <param name="Cost">Microseconds of the processor for one, by gateway and engine.</param>
    /// <param name="BlockRows">Of one insert, on the average.</param>
    /// <param name="RowsBefore">In the table at the start.</param>
    private sealed record Stored(double Rate, double Cost, int BlockRows, long RowsBefore);
}
