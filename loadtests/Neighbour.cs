using System.Globalization;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests;

/// <summary>
/// What projects feel of another's flood. Some post single events at a low rate, whether or not earlier ones were
/// answered, beside a flood that takes all of the gateway: of one project, of a thousand, and of one project at a
/// gateway without fair share. Nothing is shipped: the events store is away.
/// </summary>
internal static class Neighbour
{
    private const int Projects = 1000;

    // Together; each posts once in a while, and the last percent is told from enough of them.
    private const int Neighbours = 100;
    private const int Rate = 100;
    private const int FloodAhead = 2;

    // Past these it fails: they are what is claimed. A single run on a busy machine says little either way.
    private const double MostBesideOne = 1.5;
    private const double LeastWithout = 3;

    // What is refused is not parsed, and then it is no flood.
    private const double MostRefused = 0.05;

    public static async Task<int> RunAsync(int rounds, int seconds, CancellationToken cancellationToken)
    {
        Console.WriteLine(Machine.LoadAverage);
        Console.WriteLine($"Starting two gateways and making {Projects} projects ...");
        var (fair, projects) = await StartAsync(fairShare: true, Projects + Neighbours, cancellationToken);
        using var fairGateway = fair;
        var (unfair, others) = await StartAsync(fairShare: false, 1 + Neighbours, cancellationToken);
        using var unfairGateway = unfair;

        using var one = new Flood(projects[..1]);
        using var spread = new Flood(projects[..^Neighbours]);
        using var another = new Flood(others[..1]);
        Beside[] all =
        [
            new("one project", fair, one, projects[^Neighbours..]),
            new("spread", fair, spread, projects[^Neighbours..]),
            new("fair share off", unfair, another, others[^Neighbours..]),
        ];

        Console.WriteLine("Warming up ...");
        foreach (var beside in all) await beside.RunAsync(Math.Max(4, seconds), cancellationToken);
        foreach (var beside in all) beside.Forget();

        Console.WriteLine(
            $"The acks of {Neighbours} neighbours in ms, {Rate} events a second of all for {seconds} s, beside "
            + $"{Flood.Connections} connections with batches of {Flood.BatchEvents}; and the flood's batches a second:");
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < all.Length; turn++)
                await all[(round + turn) % all.Length].RunAsync(seconds, cancellationToken);

            Console.WriteLine($"{round + 1,3}  {string.Join("   ", all.Select(beside => beside.Last))}");
        }

        Console.WriteLine(Machine.LoadAverage);
        return Report(all);
    }

    private static async Task<(GatewayServer Gateway, Project[] Projects)> StartAsync(
        bool fairShare, int count, CancellationToken cancellationToken)
    {
        // Projects are made only once the store was met.
        using var engine = await Engine.StartAsync(cancellationToken);
        var gateway = await GatewayServer.StartAsync(
            cancellationToken,
            ("ConnectionStrings:ClickHouse", engine.ConnectionString),
            ("Gateway:FairShare", fairShare ? "true" : "false"),
            ("Gateway:Journal:QuotaBytes", $"{64L << 30}"));
        using var management = new Management(gateway.Address, GatewayServer.ApiKey);
        return (gateway, await management.MakeProjectsAsync(count, cancellationToken));
    }

    private static int Report(Beside[] all)
    {
        foreach (var beside in all)
        {
            Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
                $"p99 beside {beside.Name}: {Pairs.Median(beside.P99):0.0} ms"));
        }

        double besideOne = Ratio("p99 ratio flood/spread", all[0].P99, all[1].P99);
        double without = Ratio("p99 ratio off/on", all[2].P99, all[0].P99);
        long failed = all.Sum(beside => beside.Failed);
        double refused = all.Max(beside => beside.RefusedShare);
        bool isGood = failed == 0
            && refused <= MostRefused && besideOne <= MostBesideOne && without >= LeastWithout;
        Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
            $"{(isGood ? "neighbour:" : "FAILED: neighbour:")} flood/spread {besideOne:0.00} (at most {MostBesideOne}), "
            + $"off/on {without:0.00} (at least {LeastWithout}), {failed} events not answered 200 (none may be), "
            + $"{refused:P1} of a flood refused (at most {MostRefused:P0})"));
        return isGood ? 0 : 1;
    }

    private static double Ratio(string name, List<double> its, List<double> others)
    {
        var pairs = new Pairs(its, others);
        Console.WriteLine($"{name}: {pairs}");
        return pairs.Ratio;
    }

    /// <summary>The neighbour beside one flood, round by round.</summary>
    private sealed class Beside(string name, GatewayServer gateway, Flood flood, Project[] neighbours)
    {
        private double _sent;
        private double _refused;

        public string Name => name;

        /// <summary>Milliseconds, of each round.</summary>
        public List<double> P99 { get; } = [];

        /// <summary>Answered otherwise than 200, or not at all.</summary>
        public long Failed { get; private set; }

        /// <summary>Of the flood's batches: how many were not answered 200, 0 to 1.</summary>
        public double RefusedShare => _refused / Math.Max(1, _sent);

        /// <summary>The last round, in words.</summary>
        public string Last { get; private set; } = "";

        public void Forget()
        {
            P99.Clear();
            (Failed, _sent, _refused) = (0, 0, 0);
        }

        public async Task RunAsync(int seconds, CancellationToken cancellationToken)
        {
            var flooding = flood.RunAsync(gateway.Address, seconds + (2 * FloodAhead), cancellationToken);
            await Task.Delay(TimeSpan.FromSeconds(FloodAhead), cancellationToken);
            string[] tokens = [.. neighbours.Select(neighbour => neighbour.Token)];
            var report = await Task.Run(
                () => OpenLoop.Run(gateway.Address, tokens, Rate, seconds), cancellationToken);
            var figures = await flooding;

            double p50 = report.Latency.Percentile(0.5).TotalMilliseconds;
            P99.Add(report.Latency.Percentile(0.99).TotalMilliseconds);
            Failed += report.Failed;
            _sent += figures.All;
            _refused += figures.Refused;
            Last = string.Create(CultureInfo.InvariantCulture,
                $"{name}: p50 {p50:0.0} p99 {P99[^1]:0.0}, {figures.Requests:0}/s")
                + (figures.Refused > 0 ? $", {figures.Refused} refused" : "");
        }
    }
}
