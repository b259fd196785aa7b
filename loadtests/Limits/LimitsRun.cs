using Gateway.Core.ClickHouse;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>How long it may take.</summary>
/// <param name="Seconds">Of the longest stretches; the others are shorter by a fixed share.</param>
/// <param name="Rounds">Pairs of the longest stretches; of shorter ones there are more.</param>
internal sealed record LimitsPlan(int Seconds, int Rounds)
{
    private const int Shortest = 5;

    /// <summary>Of those who need no more than a steady state.</summary>
    public int ShortSeconds => Math.Max(Shortest, Seconds / 4);
}

/// <summary>How near the gateway comes to what the machine can do, and what it costs: measured, against targets.</summary>
internal static class LimitsRun
{
    private static readonly OrderedDictionary<string, Measure> Measures = new()
    {
        ["pipeline"] = Pipeline.RunAsync,
        ["allocation"] = Allocation.RunAsync,
        ["memory"] = SaturatedMemory.RunAsync,
        ["growth"] = Growth.RunAsync,
        ["recovery"] = Recovery.RunAsync,
    };

    private delegate Task<Figure[]> Measure(LimitsPlan plan, CancellationToken cancellationToken);

    /// <param name="name">Of one measure, or <c>all</c>.</param>
    /// <param name="plan">How long.</param>
    /// <param name="cancellationToken">Ends it, and all that it started.</param>
    /// <returns>0 when each could be measured, and no event was lost by it.</returns>
    public static async Task<int> RunAsync(string name, LimitsPlan plan, CancellationToken cancellationToken)
    {
        if (name != "all" && !Measures.ContainsKey(name))
        {
            throw new InvalidOperationException(
                $"There is no measure {name}; there are all, {string.Join(", ", Measures.Keys)}.");
        }

        var figures = new List<Figure>();
        var failures = new List<string>();
        foreach (var (measure, runAsync) in Measures.Where(measure => name == "all" || measure.Key == name))
        {
            Console.WriteLine($"{measure}: {Machine.LoadAverage}");
            try
            {
                figures.AddRange(await runAsync(plan, cancellationToken));
            }
            catch (Exception failure) when (failure is InvalidOperationException or IOException
                or HttpRequestException or ClickHouseException)
            {
                failures.Add($"FAILED: {measure}: {failure.Message}");
            }
        }

        Console.WriteLine(Machine.LoadAverage);
        foreach (var figure in figures) Console.WriteLine(figure);
        foreach (string failure in failures) Console.WriteLine(failure);
        return failures.Count == 0 ? 0 : 1;
    }
}
