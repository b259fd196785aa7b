using System.Globalization;
using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Reports;

namespace Gateway.LoadTests;

/// <summary>Runs scenarios and says how far they are; keeps the sum of what was acked.</summary>
internal sealed class ScenarioRunner(LoadOptions options, TextWriter progress)
{
    public static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(1);

    private static readonly TimeSpan Between = TimeSpan.FromSeconds(1);

    private long _eventsAcked;

    public LoadOptions Options => options;

    /// <summary>Of all runs so far, warm-ups too.</summary>
    public long EventsAcked => Volatile.Read(ref _eventsAcked);

    /// <summary>Code that runs for the first time is slower by far than what is to be measured: not reported.</summary>
    public async Task WarmUpAsync(
        Scenario scenario, double rate, Uri[] gateways, CancellationToken cancellationToken)
    {
        var warmUp = new LoadSimulation(rate, WarmUp);
        Count(await new LoadGenerator(scenario, warmUp).InjectAsync(gateways, cancellationToken));
    }

    public async Task<ReportRow> RunAsync(
        Scenario scenario, LoadSimulation simulation, Uri[] gateways, CancellationToken cancellationToken)
    {
        var generator = new LoadGenerator(scenario, simulation);
        var run = generator.InjectAsync(gateways, cancellationToken);
        for (int seconds = 1; await Task.WhenAny(run, Task.Delay(Between, cancellationToken)) != run; seconds++)
            Say(scenario, simulation, $"{seconds} s", generator.Measured);

        var measured = await run;
        Count(measured);
        Say(scenario, simulation, "done", measured);
        return new ReportRow(scenario.Name, simulation.Rate, measured);
    }

    /// <summary>The same at one rate after the other.</summary>
    public async Task<List<ReportRow>> RunAtRatesAsync(
        Scenario scenario, IEnumerable<double> rates, Uri[] gateways, CancellationToken cancellationToken)
    {
        await WarmUpAsync(scenario, options.Rate, gateways, cancellationToken);
        var rows = new List<ReportRow>();
        foreach (double rate in rates)
            rows.Add(await RunAsync(scenario, new(rate, options.During), gateways, cancellationToken));
        return rows;
    }

    public void Count(Measurement measured) => Interlocked.Add(ref _eventsAcked, measured.EventsAcked);

    private void Say(Scenario scenario, LoadSimulation simulation, string when, Measurement measured) =>
        progress.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {scenario.Name}, {simulation.Rate:0}/s: {when}, {measured.Latency.Count} answered, "
            + $"{measured.Failed} failed, p99 {measured.Latency.Percentile(0.99).TotalMilliseconds:0.0} ms"));
}
