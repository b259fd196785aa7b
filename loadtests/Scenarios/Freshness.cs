using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json;
using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Scenarios;

/// <summary>
/// How long after its 200 an event is seen by a query, by a clock outside of the gateway. One query at a time asks for
/// the latest marked events, again and again, so that looking costs the same however many are waited for.
/// </summary>
internal sealed class Freshness(Installation installation, ScenarioRunner runner)
{
    private const double ProbesPerSecond = 20;
    private const string Marker = "freshness probe";
    private const string Metric = "gateway_freshness_seconds";

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(10);

    // Far beyond what is promised: it is lost.
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(30);

    private readonly ConcurrentDictionary<string, TimeSpan> _accepted = new();
    private readonly Measurement _measured = new();
    private readonly Stopwatch _clock = new();

    public async Task<ScenarioReport> RunAsync(CancellationToken cancellationToken)
    {
        Uri[] gateway = [installation.One.Address];
        var load = Scenario.SingleEvents("single event meanwhile", _ => GatewayServer.ProjectToken);
        await runner.WarmUpAsync(load, runner.Options.Rate, gateway, cancellationToken);

        var before = await installation.One.ScrapeAsync(cancellationToken);
        _clock.Start();
        var posting = Task.WhenAll(
            runner.RunAsync(
                new("probe", ProbeAsync), new(ProbesPerSecond, runner.Options.During), gateway, cancellationToken),
            runner.RunAsync(load, new(runner.Options.Rate, runner.Options.During), gateway, cancellationToken));
        await LookAsync(posting, cancellationToken);
        var rows = await posting;
        _measured.NotAnswered(_accepted.Count);
        _measured.Took = _clock.Elapsed;

        var own = await installation.One.ScrapeAsync(cancellationToken) - before;
        string figures = string.Create(
            CultureInfo.InvariantCulture,
            $"{Metric}: p50 {own.Percentile(Metric, 0.5).TotalMilliseconds:0} ms, "
            + $"p99 {own.Percentile(Metric, 0.99).TotalMilliseconds:0} ms");
        return new ScenarioReport(
            "Freshness",
            "Marked events are posted while load runs, and asked for until a query shows them. The gateway's own "
            + "figure, of all events and from their receipt, is read off a histogram with a bucket for each octave. An "
            + $"event that is not seen {Limit.TotalSeconds:0} s later is lost.",
            [new("200 to seen by a query", ProbesPerSecond, _measured) { Note = figures }, .. rows]);
    }

    private async ValueTask<StepResult> ProbeAsync(
        LeanConnection connection, long number, CancellationToken cancellationToken)
    {
        string id = number.ToString(CultureInfo.InvariantCulture);
        string json = $$"""
            {"api_key":"{{GatewayServer.ProjectToken}}","event":"{{Marker}}","distinct_id":"{{id}}",
            "uuid":"{{Guid.CreateVersion7()}}","properties":{} }
            """;
        var answer = await connection.SendAsync(Requests.Event(json), cancellationToken);
        if (answer.Status != 200) return new(IsGood: false);
        _accepted[id] = _clock.Elapsed;
        return new(IsGood: true, EventsAcked: 1);
    }

    /// <summary>Until all are seen, or those that are left are lost.</summary>
    private async Task LookAsync(Task posting, CancellationToken cancellationToken)
    {
        using var connection = new LeanConnection(installation.One.Address);
        string path = $"/api/projects/{installation.DefaultProject.Id}/query/";
        byte[] request = Requests.Api(path, GatewayServer.ApiKey, $$"""
            {"query":{"kind":"EventsQuery","select":["distinct_id"],"event":"{{Marker}}","after":"-1h",
            "orderBy":["timestamp DESC"],"limit":1000} }
            """);
        var giveUp = runner.Options.During + Limit;
        while (_clock.Elapsed < giveUp && !(posting.IsCompleted && _accepted.IsEmpty))
        {
            var answer = await connection.SendAsync(request, cancellationToken);
            var now = _clock.Elapsed;
            if (answer.Status != 200) throw new InvalidOperationException($"A query was answered {answer.Status}.");

            using var document = JsonDocument.Parse(answer.Body);
            foreach (var row in document.RootElement.GetProperty("results").EnumerateArray())
            {
                if (_accepted.TryRemove(row[0].GetString()!, out var accepted))
                    _measured.Answered(accepted, now, new(IsGood: true));
            }

            await Task.Delay(Pause, cancellationToken);
        }
    }
}
