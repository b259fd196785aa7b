using System.Globalization;
using Gateway.Core.Shipping;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// What an event costs of the processor when there are ten times as many projects, events in a body, or stored rows:
/// as many events a second at both of a pair, half of what saturates the smaller one, each side in turn. All that is
/// sent is shipped, and merged as far as the engine merges it by itself, before the next turn; idle sides run along.
/// </summary>
internal static class Growth
{
    private const double MostGrowth = 1.15;
    private const int Tenfold = 10;
    private const int Projects = 100;
    private const int BatchEvents = 100;
    private const int StoredRows = 1_000_000;
    private const int FillRows = 100_000;

    // A multiple of the projects, and as many for all sides.
    private const int Bodies = Projects * Tenfold;

    public static async Task<Figure[]> RunAsync(LimitsPlan plan, CancellationToken cancellationToken) =>
    [
        .. await CompareProjectsAsync(plan, cancellationToken),
        .. await CompareBodiesAsync(plan, cancellationToken),
        .. await CompareStoredAsync(plan, cancellationToken),
    ];

    private static async Task<Figure[]> CompareProjectsAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        using var few = await ShippingGateway.StartAsync(cancellationToken);
        using var many = await ShippingGateway.StartAsync(cancellationToken);
        var fewProjects = await few.MakeProjectsAsync(Projects, cancellationToken);
        var manyProjects = await many.MakeProjectsAsync(Projects * Tenfold, cancellationToken);
        using var less = new GrowthSide($"{Projects} projects", few, 1, Singles(fewProjects));
        using var more = new GrowthSide($"{Projects * Tenfold} projects", many, 1, Singles(manyProjects));
        return await CompareAsync("projects", less, more, plan, cancellationToken);
    }

    private static async Task<Figure[]> CompareBodiesAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        using var small = await ShippingGateway.StartAsync(cancellationToken);
        using var large = await ShippingGateway.StartAsync(cancellationToken);
        const int Many = BatchEvents * Tenfold;
        using var less = new GrowthSide($"batches of {BatchEvents}", small, BatchEvents, Batches(BatchEvents));
        using var more = new GrowthSide($"batches of {Many}", large, Many, Batches(Many));
        return await CompareAsync("events per body", less, more, plan, cancellationToken);
    }

    private static async Task<Figure[]> CompareStoredAsync(LimitsPlan plan, CancellationToken cancellationToken)
    {
        using var few = await ShippingGateway.StartAsync(cancellationToken);
        using var many = await ShippingGateway.StartAsync(cancellationToken);
        byte[][] bodies = Batches(BatchEvents);
        await FillAsync(few, bodies, StoredRows, cancellationToken);
        await FillAsync(many, bodies, StoredRows * Tenfold, cancellationToken);
        const int Many = StoredRows * Tenfold;
        using var less = new GrowthSide($"{StoredRows} rows", few, BatchEvents, bodies, StoredRows);
        using var more = new GrowthSide($"{Many} rows", many, BatchEvents, bodies, Many);
        return await CompareAsync("stored rows", less, more, plan, cancellationToken);
    }

    private static async Task<Figure[]> CompareAsync(
        string what, GrowthSide less, GrowthSide more, LimitsPlan plan, CancellationToken cancellationToken)
    {
        double saturating = await less.WarmUpAsync(plan.ShortSeconds, cancellationToken);
        await more.WarmUpAsync(plan.ShortSeconds, cancellationToken);
        double rate = saturating / 2;
        var during = TimeSpan.FromSeconds(plan.ShortSeconds);
        int rounds = plan.Rounds * 2;
        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  {what}: {rounds} rounds of {during.TotalSeconds:0} s at {rate:0} events a second"));
        for (int round = 0; round < rounds; round++)
        {
            // Each comes first as often as the other.
            GrowthSide[] sides = round % 2 == 0 ? [less, more] : [more, less];
            foreach (var side in sides) await side.RunAsync(rate, during, cancellationToken);
            Console.WriteLine($"  {round + 1}: {less.Last}; {more.Last}");
        }

        await less.InsistAsync(cancellationToken);
        await more.InsistAsync(cancellationToken);
        return
        [
            OfGateway($"gateway's CPU per event at {Tenfold} x the {what}", less.Gateway, more.Gateway),

            // Merges come in lumps, not in each round.
            Figure.AtMost(
                $"engine's CPU per event at {Tenfold} x the {what}", more.Engine.Sum() / less.Engine.Sum(), MostGrowth,
                "0.00 ×", $", all {rounds} rounds together"),
        ];
    }

    private static Figure OfGateway(string name, List<double> less, List<double> more)
    {
        var pairs = new Pairs(more, less);
        return Figure.AtMost(name, pairs.Ratio, MostGrowth, "0.00 ×", $", {pairs.Range}");
    }

    private static byte[][] Singles(Project[] projects) =>
        [.. Enumerable.Range(0, Bodies).Select(
            number => Events.Single(projects[number % projects.Length].Token, hasUuid: false))];

    private static byte[][] Batches(int events) =>
        [.. Enumerable.Range(0, Bodies).Select(
            _ => Events.GzippedBatch(GatewayServer.ProjectToken, events, hasUuid: false))];

    /// <summary>Straight into the table: rows of the project that is measured, and of others around it.</summary>
    private static async Task FillAsync(
        ShippingGateway installation, byte[][] bodies, long rows, CancellationToken cancellationToken)
    {
        // A store that holds events is not taken by a new installation: they must have met.
        await installation.MakeProjectsAsync(1, cancellationToken);
        var table = new EventsTable(installation.Store);
        await table.EnsureAsync(cancellationToken);
        long[] projects = [.. Enumerable.Range(1, Tenfold).Select(project => (long)project)];
        var blocks = new ReadyBlocks(bodies, projects, FillRows);
        for (long stored = 0; stored < rows; stored += FillRows)
            await table.InsertAsync(blocks.Next(), cancellationToken);

        // As they lie after a while; what is left to be merged of them would be charged to whoever is measured first.
        await installation.Store.ExecuteAsync("OPTIMIZE TABLE events FINAL", cancellationToken: cancellationToken);
        await installation.SettleAsync(cancellationToken);
        Console.WriteLine($"  {rows} rows are stored");
    }
}
