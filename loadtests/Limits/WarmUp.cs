using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// What the runtime sees called often it compiles anew, twice, and what it makes meanwhile is slower than at first. How
/// far that is goes by what was done, not by the time: on a busy machine little is done in it.
/// </summary>
internal static class WarmUp
{
    private const int Requests = 30_000;
    private const int Events = 3_000_000;
    private const int Seconds = 5;
    private const int MostStretches = 12;

    /// <summary>Returns when enough requests were kept, or events, or it has taken too long.</summary>
    public static async Task RunAsync(
        GatewayServer gateway, Flood flood, string path, int connections, CancellationToken cancellationToken)
    {
        var before = await gateway.ScrapeAsync(cancellationToken);
        for (int stretch = 0; stretch < MostStretches; stretch++)
        {
            await flood.RunAsync(gateway.Address, Seconds, cancellationToken, connections, path);
            var done = await gateway.ScrapeAsync(cancellationToken) - before;
            if (done["gateway_capture_requests_total{outcome=\"kept\"}"] >= Requests
                || done["gateway_events_accepted_total"] >= Events)
            {
                return;
            }
        }

        Console.WriteLine($"  warmed up with less than {Requests} requests: the machine is too busy for figures");
    }
}
