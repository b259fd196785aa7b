using System.Globalization;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// What the garbage collector must give for a request: counted by the gateway itself over many of them, less what it
/// takes when nobody asks anything. Nothing is shipped, as there is no events store.
/// </summary>
internal static class Allocation
{
    private const double MostForRequest = 1024;
    private const double MostForEvent = 50;
    private const int Connections = 64;
    private const int BatchEvents = 100;
    private const int Bodies = 500;
    private const string Allocated = "dotnet_gc_allocated_bytes_total";

    public static async Task<Figure[]> RunAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        using var gateway = await GatewayServer.StartAsync(cancellationToken, GatewayServer.ShippingHeld);
        using var singles = new Flood(Enumerable.Range(0, Bodies).Select(
            _ => Events.Single(GatewayServer.ProjectToken, hasUuid: false)));
        using var batches = new Flood(Enumerable.Range(0, Bodies).Select(
            _ => Events.GzippedBatch(GatewayServer.ProjectToken, BatchEvents, hasUuid: false)));

        await WarmUp.RunAsync(gateway, singles, "/i/v0/e/", Connections, cancellationToken);
        await WarmUp.RunAsync(gateway, batches, "/batch/", Connections, cancellationToken);
        double idle = await IdleAsync(gateway, plan.ShortSeconds, cancellationToken);
        double single = await CountAsync(gateway, singles, "/i/v0/e/", plan.ShortSeconds, idle, cancellationToken);
        double batched = await CountAsync(gateway, batches, "/batch/", plan.ShortSeconds, idle, cancellationToken);
        return
        [
            Figure.AtMost("allocated for a request of a single event", single, MostForRequest, "0 B"),
            Figure.AtMost(
                $"allocated for an event in a gzip batch of {BatchEvents}", batched, MostForEvent, "0.0 B"),
        ];
    }

    /// <returns>Bytes a second.</returns>
    private static async Task<double> IdleAsync(
        GatewayServer gateway, int seconds, CancellationToken cancellationToken)
    {
        var before = await gateway.ScrapeAsync(cancellationToken);
        await Task.Delay(TimeSpan.FromSeconds(seconds), cancellationToken);
        double allocated = (await gateway.ScrapeAsync(cancellationToken) - before)[Allocated];
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture, $"  idle: {allocated / seconds:0} bytes a second"));
        return allocated / seconds;
    }

    /// <returns>Bytes for an event.</returns>
    private static async Task<double> CountAsync(
        GatewayServer gateway,
        Flood flood,
        string path,
        int seconds,
        double idle,
        CancellationToken cancellationToken)
    {
        var before = await gateway.ScrapeAsync(cancellationToken);
        var sent = await flood.RunAsync(gateway.Address, seconds, cancellationToken, Connections, path);
        var counted = await gateway.ScrapeAsync(cancellationToken) - before;
        if (sent.Refused > 0) throw new InvalidOperationException($"{sent.Refused} requests were not answered 200.");

        double events = counted["gateway_events_accepted_total"];
        double allocated = counted[Allocated] - (idle * seconds);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {path}: {sent.Requests:0} requests a second, {allocated / sent.All:0} bytes a request, "
            + $"{allocated / events:0.0} an event"));
        return allocated / events;
    }
}
