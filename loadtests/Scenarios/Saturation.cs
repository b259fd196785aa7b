using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Scenarios;

/// <summary>
/// As many single events as one gateway takes. Closed loop: a latency would leave out whoever did not get to ask.
/// </summary>
internal static class Saturation
{
    private const int WarmUp = 2;

    public static async Task<ScenarioReport> RunAsync(
        Installation installation, ScenarioRunner runner, CancellationToken cancellationToken)
    {
        using var wrk = new Wrk(Events.Single(GatewayServer.ProjectToken));
        Console.WriteLine($"  wrk, {runner.Options.Seconds} s ...");
        ReportRow row;
        try
        {
            await wrk.RunAsync(installation.One.Capture, WarmUp, cancellationToken);
            var figures = await wrk.RunAsync(installation.One.Capture, runner.Options.Seconds, cancellationToken);
            row = new("saturation by wrk", Asked: null, Measured: null) { Achieved = figures.Rate };
        }
        catch (InvalidOperationException error)
        {
            row = new("saturation by wrk", Asked: null, Measured: null) { Problem = error.Message };
        }

        return new ScenarioReport(
            "Saturation",
            "wrk with 64 connections, each of which sends the same single event again once it is answered; all of it "
            + "is synced to the disk and shipped. Gateway, stores and wrk share the machine.",
            [row]);
    }
}
