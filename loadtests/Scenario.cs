using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;

namespace Gateway.LoadTests;

/// <summary>
/// One kind of request. <paramref name="Body"/> makes a fresh body each time: no event may be a duplicate.
/// </summary>
internal sealed record Scenario(string Name, string Path, HttpStatusCode Expected, Func<byte[]> Body);

/// <summary>Inject: so many requests a second for so long, whether or not earlier ones were answered.</summary>
internal sealed record LoadSimulation(int Rate, TimeSpan During);

/// <summary>What one run of a scenario gave.</summary>
internal sealed record ScenarioReport(
    Scenario Scenario, LoadSimulation Simulation, long Ok, long Failed, long Dropped, LatencyHistogram Latency);

/// <summary>
/// Open loop: a request starts when the clock says so, and its latency counts from that intended start. A server that
/// stalls is charged for every request that would have come meanwhile.
/// </summary>
internal sealed class ScenarioRunner(HttpClient http)
{
    // Past this many unanswered requests the run is beyond saturation; more would only measure this program.
    private const int MaxOutstanding = 20_000;

    private long _ok;
    private long _failed;
    private long _dropped;
    private int _outstanding;

    public async Task<ScenarioReport> RunAsync(
        Scenario scenario, LoadSimulation simulation, TextWriter progress, CancellationToken cancellationToken)
    {
        var latency = new LatencyHistogram();
        var clock = Stopwatch.StartNew();
        long total = (long)(simulation.Rate * simulation.During.TotalSeconds);
        long sent = 0;
        double nextProgress = 1;
        while (sent < total)
        {
            long due = Math.Min(total, (long)(clock.Elapsed.TotalSeconds * simulation.Rate) + 1);
            for (; sent < due; sent++)
            {
                Start(scenario, TimeSpan.FromSeconds((double)sent / simulation.Rate), clock, latency);
            }

            if (clock.Elapsed.TotalSeconds >= nextProgress)
            {
                await progress.WriteLineAsync($"  {scenario.Name}: {nextProgress:0} s, {latency.Count} answered");
                nextProgress++;
            }

            await Task.Delay(1, cancellationToken);
        }

        while (Volatile.Read(ref _outstanding) > 0) await Task.Delay(5, cancellationToken);

        return new ScenarioReport(scenario, simulation, _ok, _failed, _dropped, latency);
    }

    private void Start(Scenario scenario, TimeSpan intended, Stopwatch clock, LatencyHistogram latency)
    {
        if (Volatile.Read(ref _outstanding) >= MaxOutstanding)
        {
            _dropped++;
            return;
        }

        Interlocked.Increment(ref _outstanding);
        _ = Task.Run(() => SendAsync(scenario, intended, clock, latency));
    }

    private async Task SendAsync(Scenario scenario, TimeSpan intended, Stopwatch clock, LatencyHistogram latency)
    {
        try
        {
            using var content = new ByteArrayContent(scenario.Body());
            content.Headers.ContentType = new MediaTypeHeaderValue("application/json");
            using var answer = await http.PostAsync(new Uri(scenario.Path, UriKind.Relative), content);
            latency.Record(clock.Elapsed - intended);
            Interlocked.Increment(ref answer.StatusCode == scenario.Expected ? ref _ok : ref _failed);
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException)
        {
            Interlocked.Increment(ref _failed);
        }
        finally
        {
            Interlocked.Decrement(ref _outstanding);
        }
    }
}
