using System.Globalization;
using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Slow;

/// <summary>
/// What many idle and slow connections cost those who post at half of the saturating speed: the others' p99 with them
/// against without them, in pairs that take turns in who comes first. Nothing is shipped, as there is no events store.
/// </summary>
internal static class SlowRun
{
    private const double MostRatio = 1.2;

    private static readonly Scenario SingleEvents =
        Scenario.SingleEvents("single event", _ => GatewayServer.ProjectToken);

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(6);
    private static readonly TimeSpan Settle = TimeSpan.FromSeconds(2);

    /// <summary>Until those that only wait have been closed once.</summary>
    private static readonly TimeSpan UntilIdleEnd = SlowConnection.Limit(SlowKind.Idle) + TimeSpan.FromSeconds(10);

    /// <returns>0 when the promise was held.</returns>
    public static async Task<int> RunAsync(int count, int rounds, int seconds, CancellationToken cancellationToken)
    {
        Console.WriteLine(Machine.LoadAverage);
        using var gateway = await GatewayServer.StartAsync(cancellationToken, GatewayServer.ShippingHeld);
        Console.WriteLine("Warming up ...");
        await SaturateAsync(gateway, cancellationToken);
        double saturating = await SaturateAsync(gateway, cancellationToken);
        double rate = saturating / 2;
        await new LoadGenerator(SingleEvents, new(rate, WarmUp)).InjectAsync([gateway.Address], cancellationToken);

        Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"Others post {rate:0} a second; p99 in ms:"));
        Console.WriteLine("round    without       with");
        var pass = new Pass(gateway, count, rate, TimeSpan.FromSeconds(seconds));
        List<(double Without, double With)> pairs = [];
        for (int round = 0; round < rounds; round++)
        {
            bool isWithFirst = round % 2 == 1;
            double first = await pass.MeasureAsync(isWithFirst, cancellationToken);
            double second = await pass.MeasureAsync(!isWithFirst, cancellationToken);
            pairs.Add(isWithFirst ? (second, first) : (first, second));
            Console.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"{round + 1,5} {pairs[^1].Without,10:0.00} {pairs[^1].With,10:0.00}"));
        }

        Console.WriteLine("Waiting until the idle ones must have been closed ...");
        await pass.HoldAsync(UntilIdleEnd, cancellationToken);
        return Report(pass, saturating, count, seconds, pairs);
    }

    private static Task<double> SaturateAsync(GatewayServer gateway, CancellationToken cancellationToken) =>
        LoadGenerator.SaturateAsync(SingleEvents, gateway.Address, WarmUp, cancellationToken);

    private static int Report(
        Pass pass, double saturating, int count, int seconds, List<(double Without, double With)> pairs)
    {
        double[] ratios = [.. pairs.Select(pair => pair.With / pair.Without).Order()];
        double median = ratios[ratios.Length / 2];
        int late = pass.Ends.Sum(end => end.Late);
        int never = pass.Ends.GroupBy(end => end.Kind).Count(kind => kind.Sum(end => end.Closed) == 0);
        Console.WriteLine(Machine.LoadAverage);
        Say("slow connections", $"{count}");
        Say("saturating requests/s", $"{saturating:0}");
        foreach (var kind in pass.Ends.GroupBy(end => end.Kind))
        {
            var (closed, worst) = (kind.Sum(end => end.Closed), kind.Max(end => end.WorstSeconds));
            Say(
                $"closed {kind.Key.ToLowerInvariant()}",
                $"{closed}, at most {worst:0.0} s, late {kind.Sum(end => end.Late)}");
        }

        Say("refused slow connections", $"{pass.Ends.Sum(end => end.Refused)}");
        Say("failed requests of others", $"{pass.Failed}");
        var measured = TimeSpan.FromSeconds(seconds * pairs.Count);
        Say("processors used without", $"{pass.Without.PerSecond(measured)}");
        Say("processors used with", $"{pass.With.PerSecond(measured)}");
        Say("p99 without, ms", $"{Median(pairs.Select(pair => pair.Without)):0.00}");
        Say("p99 with, ms", $"{Median(pairs.Select(pair => pair.With)):0.00}");
        bool isGood = late == 0 && never == 0 && pass.Failed == 0 && median <= MostRatio;
        if (!isGood) Console.WriteLine("FAILED");
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"slow: connections {count}, closed {pass.Ends.Sum(end => end.Closed)}, late {late}, "
            + $"kinds never closed {never}, failed {pass.Failed}, ratio of p99 with to without {median:0.00} "
            + $"({ratios[0]:0.00} to {ratios[^1]:0.00} in {ratios.Length} pairs; at most {MostRatio:0.00})"));
        return isGood ? 0 : 1;
    }

    private static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        return sorted[sorted.Length / 2];
    }

    private static void Say(string name, FormattableString value) =>
        Console.WriteLine($"{name}: {value.ToString(CultureInfo.InvariantCulture)}");

    /// <summary>One measurement after another, and what they have come to.</summary>
    private sealed class Pass(GatewayServer gateway, int count, double rate, TimeSpan during)
    {
        public List<SlowFigures> Ends { get; } = [];

        public long Failed { get; private set; }

        public Usage With { get; private set; }

        public Usage Without { get; private set; }

        /// <summary>Only holds them for so long.</summary>
        public async Task HoldAsync(TimeSpan howLong, CancellationToken cancellationToken)
        {
            using var slow = await StartAsync(cancellationToken);
            await Task.Delay(howLong, cancellationToken);
            Ends.AddRange(await slow.StopAsync(cancellationToken));
        }

        /// <returns>The others' p99 in milliseconds.</returns>
        public async Task<double> MeasureAsync(bool isWithSlow, CancellationToken cancellationToken)
        {
            using var slow = isWithSlow ? await StartAsync(cancellationToken) : null;
            await Task.Delay(Settle, cancellationToken);
            var before = await UsageAsync(slow, cancellationToken);
            var figures = await new LoadGenerator(SingleEvents, new(rate, during))
                .InjectAsync([gateway.Address], cancellationToken);
            Failed += figures.Failed;
            var used = await UsageAsync(slow, cancellationToken) - before;
            if (isWithSlow) With += used;
            else Without += used;
            if (slow is not null) Ends.AddRange(await slow.StopAsync(cancellationToken));
            return figures.Latency.Percentile(0.99).TotalMilliseconds;
        }

        private async Task<Usage> UsageAsync(SlowProcess? slow, CancellationToken cancellationToken)
        {
            var metrics = await gateway.ScrapeAsync(cancellationToken);
            return new Usage(
                gateway.CpuTime,
                Environment.CpuUsage.TotalTime,
                slow?.CpuTime ?? TimeSpan.Zero,
                TimeSpan.FromSeconds(metrics["dotnet_gc_pause_seconds_total"]));
        }

        private Task<SlowProcess> StartAsync(CancellationToken cancellationToken) =>
            SlowProcess.StartAsync(gateway.Address, GatewayServer.ProjectToken, count, cancellationToken);
    }
}
