using System.Diagnostics;
using System.Globalization;
using Gateway.Engine;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Fuzz;

/// <summary>
/// Mutated bodies, half of them at the parser and half over HTTP at a real gateway: no 5xx, no hang, and what was
/// accepted is what the reference reads, in ClickHouse's table too. How many is for FUZZ_COUNT to say and which ones
/// for FUZZ_SEED; the line of figures goes to the file FUZZ_FIGURES as well, with the progress.
/// </summary>
public sealed class FuzzRunTests(ITestOutputHelper output)
{
    private const int DefaultCount = 1_000;
    private const int Workers = 8;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Mutated_bodies_are_answered_in_time_and_read_as_the_reference_reads_them()
    {
        bool isLong = Number("FUZZ_COUNT") is not null;
        long count = Number("FUZZ_COUNT") ?? DefaultCount;

        // Among all other tests always the same ones: what has not been found yet is for the long form to find.
        long seed = Number("FUZZ_SEED") ?? (isLong ? Random.Shared.Next(1_000_000) : 1);
        long first = seed * 1_000_000_000;
        Tell($"seed {seed}");

        // Beside other tests a request may wait for the processor; what hangs does so for good.
        var run = new FuzzRun(slowAfter: TimeSpan.FromSeconds(isLong ? 1 : 30));
        await using var gateway = await GatewayProcess.StartAsync(settings: FuzzRun.Settings);
        var clock = Stopwatch.StartNew();
        var running = RunAsync(run, gateway, first, count);
        while (await Task.WhenAny(running, Task.Delay(ProgressEvery)) != running)
            Tell($"{clock.Elapsed.TotalSeconds:0} s: {run.Figures}");
        await running;

        var engine = await StoredAsync(gateway, run.Expected.Count);
        int stored = run.Expected.Count;
        run.AddDifferences(await run.Expected.CompareAsync(engine, CancellationToken.None));
        string metrics = await gateway.Http.GetStringAsync("/metrics");

        Tell($"{count - (count / 2)} bodies over HTTP; rows compared in the store {stored}; seed {seed}");
        Tell($"fuzz: {run.Figures}, seconds {clock.Elapsed.TotalSeconds:0}");
        Assert.True(run.IsClean, run.Violations);
        Assert.Contains("gateway_capture_requests_total{outcome=\"failed\"} 0\n", metrics, StringComparison.Ordinal);
        Assert.DoesNotContain("fail:", gateway.Output, StringComparison.Ordinal);

        // Otherwise only refusals would have been tried.
        Assert.Equal(count, run.Bodies);
        Assert.InRange(run.Accepted, count / 5, count * 4 / 5);
        Assert.NotEqual(0, stored);
    }

    /// <summary>First the parser, which would take the gateway's processor.</summary>
    private static async Task RunAsync(FuzzRun run, GatewayProcess gateway, long first, long count)
    {
        long half = count / 2;
        await run.ParseAsync(first, half, Environment.ProcessorCount);
        await run.PostAsync(gateway.Address, first + half, count - half, Workers);
    }

    private static async Task<EngineEndpoint> StoredAsync(GatewayProcess gateway, int rows)
    {
        var files = new EngineFiles(Path.Combine(gateway.Data, "clickhouse"));
        EngineEndpoint? engine = null;
        await Eventually.HoldsAsync(
            // Shipped first, then counted: a store that the gateway has only just met has no table yet.
            async () => (engine = files.ReadEndpoint()) is not null
                && (await gateway.Http.GetStringAsync("/metrics")).Contains("gateway_journal_bytes_waiting 0\n", StringComparison.Ordinal)
                && await ExpectedStore.StoredAsync(engine, CancellationToken.None) >= rows,
            TimeSpan.FromMinutes(2), () => $"{rows} rows are stored; the gateway said:\n{gateway.Output}");
        return engine!;
    }

    private void Tell(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("FUZZ_FIGURES") is { Length: > 0 } file) File.AppendAllText(file, line + "\n");
    }

    private static long? Number(string name) => Environment.GetEnvironmentVariable(name) is { Length: > 0 } text
        ? long.Parse(text, CultureInfo.InvariantCulture)
        : null;
}
