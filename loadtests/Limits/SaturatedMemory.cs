using System.Globalization;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// Memory of the gateway's process (its own pages, no file's) while as much comes as it can take and all is shipped:
/// at most, and at the end beside what it was after as many events went before.
/// </summary>
internal static class SaturatedMemory
{
    private const double MostMegabytes = 300;
    private const double MostGrowth = 0.05;
    private const int Connections = 64;
    private const int Bodies = 500;
    private static readonly int[] BatchEvents = [100, 1000];

    private static readonly TimeSpan Sample = TimeSpan.FromSeconds(1);

    public static async Task<Figure[]> RunAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        using var singles = new Flood(Enumerable.Range(0, Bodies).Select(
            _ => Events.Single(GatewayServer.ProjectToken, hasUuid: false)));
        var figures = new List<Figure>(
            await RunAsync("single events", singles, "/i/v0/e/", plan, cancellationToken));
        foreach (int events in BatchEvents)
        {
            using var batches = new Flood(Enumerable.Range(0, Bodies).Select(
                _ => Events.GzippedBatch(GatewayServer.ProjectToken, events, hasUuid: false)));
            figures.AddRange(await RunAsync($"batches of {events}", batches, "/batch/", plan, cancellationToken));
        }

        return [.. figures];
    }

    private static async Task<Figure[]> RunAsync(
        string name, Flood flood, string path, LimitsPlan plan, CancellationToken cancellationToken)
    {
        using var installation = await ShippingGateway.StartAsync(cancellationToken);
        var address = installation.Gateway.Address;
        int process = ProcessFacts.Find(address.ToString());
        await WarmUp.RunAsync(installation.Gateway, flood, path, Connections, cancellationToken);
        await flood.RunAsync(address, plan.Seconds, cancellationToken, Connections, path);

        var history = new ProcessHistory();
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        var sampling = history.SampleAsync(process, Sample, stop.Token);
        var sent = await flood.RunAsync(address, plan.Seconds, cancellationToken, Connections, path);
        await stop.CancelAsync();
        await sampling;

        await installation.DrainAsync(cancellationToken);
        long accepted = await installation.AcceptedAsync(cancellationToken);
        long stored = await installation.CountStoredAsync(cancellationToken);
        if (sent.Refused > 0 || stored != accepted)
        {
            throw new InvalidOperationException(
                $"{sent.Refused} requests were not answered 200, and of {accepted} events {stored} are stored.");
        }

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {name}: {sent.Requests:0} requests a second, {accepted} events in all; memory MB "
            + $"{history.First.MemoryBytes >> 20} at first, {history.Last.MemoryBytes >> 20} at the end, "
            + $"{history.MostMemoryBytes >> 20} at most"));
        return
        [
            Figure.AtMost(
                $"memory of the gateway at saturation, {name}",
                history.MostMemoryBytes / (double)(1 << 20), MostMegabytes, "0 MB"),
            Figure.AtMost(
                $"its growth over {plan.Seconds} s, {name}", history.MemoryGrowth, MostGrowth, "+0.0 %;-0.0 %"),
        ];
    }
}
