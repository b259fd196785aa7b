using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Reports;

namespace Gateway.LoadTests.Scenarios;

/// <summary>A hundred events in a request, gzip.</summary>
internal static class BatchCapture
{
    private const int Events = 100;

    // A batch is a hundred events: the same requests a second would be a hundred times the work.
    private const int FewerBatches = 20;

    public static async Task<ScenarioReport> RunAsync(
        Uri gateway, string token, ScenarioRunner runner, CancellationToken cancellationToken)
    {
        var rows = new List<ReportRow>();
        double[] rates = [.. runner.Options.Rates.Select(rate => Math.Max(1, rate / FewerBatches))];
        await runner.WarmUpAsync(
            Batches(token, rates[0], ScenarioRunner.WarmUp), rates[0], [gateway], cancellationToken);
        foreach (double rate in rates)
        {
            var during = runner.Options.During;
            rows.Add(await runner.RunAsync(
                Batches(token, rate, during), new(rate, during), [gateway], cancellationToken));
        }

        return new ScenarioReport(
            "Batches",
            $"{Events} events in a request, gzip, all of one project. Of what was acked nothing may be lost.",
            rows);
    }

    /// <summary>Made before they are needed: to make one takes longer than to take it in.</summary>
    private static Scenario Batches(string token, double rate, TimeSpan during)
    {
        int count = (int)Math.Ceiling(rate * during.TotalSeconds);
        byte[][] made = [.. Enumerable.Range(0, count).Select(_ => Requests.GzippedBatch(token, Events))];
        return Scenario.Capture($"batch of {Events}, gzip", number => made[number], Events);
    }
}
