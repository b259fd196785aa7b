using System.Diagnostics;
using System.Globalization;
using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests;

/// <summary>
/// Half of the saturating load for a long time: the gateway's memory, handles and threads stay what they were once it
/// was warm, and everything that was acked is stored.
/// </summary>
internal static class SoakRun
{
    private const double MostMemoryGrowth = 0.05;

    // Its own files and its connections to the store come and go; ours stay open throughout.
    private const int MostHandleGrowth = 8;
    private const int MostThreadGrowth = 8;

    private static readonly Scenario SingleEvents =
        Scenario.SingleEvents("single event", _ => GatewayServer.ProjectToken);

    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(1);
    private static readonly TimeSpan Stretch = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Saturating = TimeSpan.FromSeconds(6);

    /// <returns>0 when all of it was so.</returns>
    public static async Task<int> RunAsync(int minutes, CancellationToken cancellationToken)
    {
        Console.WriteLine(Machine.LoadAverage);
        using var engine = await Engine.StartAsync(cancellationToken);
        using var gateway = await GatewayServer.StartAsync(
            cancellationToken, ("ConnectionStrings:ClickHouse", engine.ConnectionString));
        using var store = new StoredEvents(engine);
        int process = ProcessFacts.Find(gateway.Address.ToString());

        // Not counted: it warms up. Half of the second one is what the gateway can do while it ships.
        Console.WriteLine("Warming up ...");
        await SaturateAsync(gateway, cancellationToken);
        double rate = await SaturateAsync(gateway, cancellationToken) / 2;
        long before = (long)(await gateway.ScrapeAsync(cancellationToken))["gateway_events_accepted_total"];

        var total = TimeSpan.FromMinutes(minutes);
        var warmUp = total / 4;
        var history = new ProcessHistory();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var (acked, failed, sampling) = (0L, 0L, Task.CompletedTask);
        LeanConnection[] kept =
            [.. Enumerable.Range(0, SingleEvents.Connections).Select(_ => new LeanConnection(gateway.Address))];
        for (var clock = Stopwatch.StartNew(); clock.Elapsed < total;)
        {
            if (clock.Elapsed >= warmUp && sampling.IsCompleted)
                sampling = history.SampleAsync(process, Sample, stop.Token);
            var figures = await new LoadGenerator(SingleEvents, new(rate, Stretch))
                .InjectAsync(kept, cancellationToken);
            (acked, failed) = (acked + figures.EventsAcked, failed + figures.Failed);
            var now = ProcessFacts.Read(process);
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"{clock.Elapsed.TotalMinutes:0.0} min: acked {acked}, failed {failed}, "
                + $"p99 {figures.Latency.Percentile(0.99).TotalMilliseconds:0.0} ms, "
                + $"memory {now.MemoryBytes >> 20} MB, handles {now.Handles}, threads {now.Threads}"));
        }

        await stop.CancelAsync();
        await sampling;
        foreach (var connection in kept) connection.Dispose();
        long stored = await store.CountAsync([gateway], cancellationToken) - before;
        return Report(history, acked, failed, stored, minutes);
    }

    private static Task<double> SaturateAsync(GatewayServer gateway, CancellationToken cancellationToken) =>
        LoadGenerator.SaturateAsync(SingleEvents, gateway.Address, Saturating, cancellationToken);

    private static int Report(ProcessHistory history, long acked, long failed, long stored, int minutes)
    {
        Console.WriteLine(Machine.LoadAverage);
        bool isGood = history.MemoryGrowth < MostMemoryGrowth && history.HandleGrowth <= MostHandleGrowth
            && history.ThreadGrowth <= MostThreadGrowth && failed == 0 && stored == acked;
        if (!isGood) Console.WriteLine("FAILED");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"soak: minutes {minutes}, acked {acked}, failed {failed}, stored {stored}, "
            + $"memory MB {history.First.MemoryBytes >> 20} to {history.Last.MemoryBytes >> 20} "
            + $"({100 * history.MemoryGrowth:+0.0;-0.0} %), handles {history.First.Handles} to {history.Last.Handles}, "
            + $"threads {history.First.Threads} to {history.Last.Threads}"));
        return isGood ? 0 : 1;
    }
}
