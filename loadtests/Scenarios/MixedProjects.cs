using System.Globalization;
using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Scenarios;

/// <summary>Single events of many projects, of which few send most, to both gateways.</summary>
internal static class MixedProjects
{
    private static readonly string[] Layers = ["process", "redis", "database"];

    public static async Task<ScenarioReport> RunAsync(
        Installation installation, Project[] projects, ScenarioRunner runner, CancellationToken cancellationToken)
    {
        var zipf = new Zipf(projects.Length);
        var scenario = Scenario.SingleEvents(
            $"{projects.Length} projects", _ => projects[zipf.Next(Random.Shared)].Token);
        GatewayServer[] both = [installation.One, installation.Other];

        // No warm-up: the first event of a project, whose token nobody has seen, belongs to it.
        var rows = new List<ReportRow>();
        foreach (double rate in runner.Options.Rates)
        {
            double[] before = await LookUpsAsync();
            var row = await runner.RunAsync(
                scenario, new(rate, runner.Options.During), [.. both.Select(one => one.Address)], cancellationToken);
            double[] after = await LookUpsAsync();
            var counts = Layers.Select((layer, i) =>
                string.Create(CultureInfo.InvariantCulture, $"{layer} {after[i] - before[i]}"));
            rows.Add(row with { Note = string.Join(", ", counts) });
        }

        return new ScenarioReport(
            "Mixed projects",
            $"Single events of {projects.Length} projects to two gateways; how often a project sends is Zipf's law "
            + $"with exponent 1, so that the first sends {zipf.FirstShare:P0} of all. Tokens are new at first: the "
            + "note says who knew them. Of what was acked nothing may be lost.",
            rows);

        async Task<double[]> LookUpsAsync()
        {
            double[] sums = new double[Layers.Length];
            foreach (var gateway in both)
            {
                var metrics = await gateway.ScrapeAsync(cancellationToken);
                for (int i = 0; i < Layers.Length; i++)
                    sums[i] += metrics[$"gateway_token_lookups_total{{layer=\"{Layers[i]}\"}}"];
            }

            return sums;
        }
    }

    /// <summary>The k-th of all comes up 1/k times as often as the first.</summary>
    private sealed class Zipf
    {
        private readonly double[] _upTo;

        public Zipf(int count)
        {
            _upTo = new double[count];
            double sum = 0;
            for (int i = 0; i < count; i++) _upTo[i] = sum += 1.0 / (i + 1);
        }

        /// <summary>Of all, what the first one has.</summary>
        public double FirstShare => 1 / _upTo[^1];

        public int Next(Random random)
        {
            int found = Array.BinarySearch(_upTo, random.NextDouble() * _upTo[^1]);
            return found < 0 ? ~found : found;
        }
    }
}
