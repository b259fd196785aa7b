using System.Net;

namespace Gateway.LoadTests;

/// <summary>Capture at a rate that the gateway did not choose: a stall is charged for what came meanwhile.</summary>
internal static class CapturePass
{
    private const int BatchEvents = 100;
    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(2);

    public static async Task<List<ReportRow>> RunAsync(
        Uri gateway, string token, int rate, int seconds, CancellationToken cancellationToken)
    {
        Scenario[] scenarios =
        [
            new("garbage token", "/i/v0/e/", HttpStatusCode.Unauthorized, () => Events.Single("an-unknown-token")),
            new("single event", "/i/v0/e/", HttpStatusCode.OK, () => Events.Single(token)),
            new("batch of 100, gzip", "/batch/", HttpStatusCode.OK, () => Events.GzippedBatch(token, BatchEvents)),
        ];

        var connections = new SocketsHttpHandler { UseProxy = false, MaxConnectionsPerServer = 256 };
        using var http = new HttpClient(connections) { BaseAddress = gateway };
        var rows = new List<ReportRow>();
        foreach (var scenario in scenarios)
        {
            // A batch is a hundred events: the same events a second would be a hundred times the work.
            int scaled = scenario.Path == "/batch/" ? Math.Max(1, rate / 20) : rate;
            await new ScenarioRunner(http).RunAsync(scenario, new(scaled, WarmUp), TextWriter.Null, cancellationToken);
            var report = await new ScenarioRunner(http).RunAsync(
                scenario, new(scaled, TimeSpan.FromSeconds(seconds)), Console.Out, cancellationToken);

            long failed = report.Failed + report.Dropped;
            rows.Add(new(scenario.Name, $"{scaled}/s for {seconds} s", failed, report.Latency, "", failed == 0));
        }

        return rows;
    }
}
