using Gateway.LoadTests.Reports;

namespace Gateway.LoadTests.Scenarios;

/// <summary>One event in a request, of one project, and beside it what is refused at once.</summary>
internal static class SingleEventCapture
{
    public static async Task<ScenarioReport> RunAsync(
        Uri gateway, string token, ScenarioRunner runner, CancellationToken cancellationToken)
    {
        var garbage = Scenario.SingleEvents("garbage token", _ => "an-unknown-token", expected: 401);
        var single = Scenario.SingleEvents("single event", _ => token);
        double rate = runner.Options.Rate;
        return new ScenarioReport(
            "Single events",
            "One event in a request, all of one project; and requests with a token that is none. Of what was acked "
            + "nothing may be lost.",
            [
                .. await runner.RunAtRatesAsync(garbage, [rate], [gateway], cancellationToken),
                .. await runner.RunAtRatesAsync(single, runner.Options.Rates, [gateway], cancellationToken),
            ]);
    }
}
