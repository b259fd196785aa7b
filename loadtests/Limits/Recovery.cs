using System.Diagnostics;
using System.Globalization;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// From the start of the process to a gateway that is ready, with a journal of a gigabyte of which nothing was shipped,
/// after it was killed under load. What it wrote is in the page cache, as it is when only the process dies. In the end
/// an events store appears, and each event must be in it.
/// </summary>
internal static class Recovery
{
    private const double MostSeconds = 5;
    private const long JournalBytes = 1 << 30;
    private const int Starts = 5;
    private const int Connections = 64;
    private const int BatchEvents = 100;
    private const int Bodies = 500;
    private const int Stretch = 2;

    public static async Task<Figure[]> RunAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        string data = Path.Combine(Path.GetTempPath(), $"gateway-limits-{Guid.NewGuid():N}");
        try
        {
            return await RunAsync(data, cancellationToken);
        }
        finally
        {
            if (Directory.Exists(data)) Directory.Delete(data, recursive: true);
        }
    }

    private static async Task<Figure[]> RunAsync(string data, CancellationToken cancellationToken)
    {
        var (acked, most) = await FillAsync(data, cancellationToken);
        var starts = new List<double>();
        for (int i = 0; i < Starts; i++)
        {
            long began = Stopwatch.GetTimestamp();
            using var gateway = await StartAsync(data, GatewayServer.NoStore, cancellationToken);
            starts.Add(Stopwatch.GetElapsedTime(began).TotalSeconds);

            await gateway.WaitUntilAsync(ShippingGateway.HasBooks, cancellationToken);
            double counted = Stopwatch.GetElapsedTime(began).TotalSeconds;
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  ready after {starts[^1]:0.00} s, all counted after {counted:0.00} s"));
            Insist(await gateway.ScrapeAsync(cancellationToken), acked, most);
        }

        starts.Sort();
        await InsistOnStoreAsync(data, acked, most, cancellationToken);
        return
        [
            Figure.AtMost(
                "start to ready with 1 GB of journal", starts[^1], MostSeconds, "0.00 s",
                string.Create(
                    CultureInfo.InvariantCulture, $", the slowest of {Starts}; median {Pairs.Median(starts):0.00} s")),
        ];
    }

    /// <returns>How many events were acked, and how many there may be with those under way at the end.</returns>
    private static async Task<(long Acked, long Most)> FillAsync(string data, CancellationToken cancellationToken)
    {
        using var flood = new Flood(Enumerable.Range(0, Bodies).Select(
            _ => Events.GzippedBatch(GatewayServer.ProjectToken, BatchEvents, hasUuid: false)));
        long began = Stopwatch.GetTimestamp();
        using var gateway = await StartAsync(data, GatewayServer.NoStore, cancellationToken);
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  the first start, with no journal: {Stopwatch.GetElapsedTime(began).TotalSeconds:0.00} s"));

        var (acked, rounds, bytes) = (0L, 0, 0.0);
        while (bytes < JournalBytes)
        {
            var sent = await flood.RunAsync(gateway.Address, Stretch, cancellationToken, Connections);
            if (sent.Refused > 0) throw new InvalidOperationException($"{sent.Refused} batches were refused.");
            acked += sent.All * BatchEvents;
            rounds++;
            bytes = (await gateway.ScrapeAsync(cancellationToken))["gateway_journal_bytes_waiting"];
        }

        Console.WriteLine($"  a journal of {(long)bytes >> 20} MB with {acked} events, killed");
        return (acked, acked + (rounds * Connections * BatchEvents));
    }

    private static void Insist(Metrics metrics, long acked, long most)
    {
        double waiting = metrics["gateway_ledger_waiting"];
        double lost = metrics["gateway_journal_lost_records_total"] + metrics["gateway_ledger_lost_records_total"];
        if (waiting < acked || waiting > most || lost > 0)
        {
            throw new InvalidOperationException(
                $"Of {acked} to {most} events {waiting} were recovered; {lost} records were lost.");
        }
    }

    private static async Task InsistOnStoreAsync(
        string data, long acked, long most, CancellationToken cancellationToken)
    {
        using var installation = await ShippingGateway.StartAsync(cancellationToken, ("Gateway:Data", data));
        await installation.DrainAsync(cancellationToken);
        long stored = await installation.CountStoredAsync(cancellationToken);
        if (stored < acked || stored > most)
            throw new InvalidOperationException($"Of {acked} to {most} events {stored} are stored.");
        Console.WriteLine($"  shipped in the end: {stored} events are stored");
    }

    private static Task<GatewayServer> StartAsync(string data, string store, CancellationToken cancellationToken) =>
        GatewayServer.StartAsync(
            cancellationToken,
            ("Gateway:Data", data),
            ("ConnectionStrings:ClickHouse", store),
            ("Gateway:Journal:QuotaBytes", $"{64L << 30}"));
}
