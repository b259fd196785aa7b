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
    private static readonly (string Name, Func<LimitsPlan, CancellationToken, Task<Figure[]>> RunAsync)[] Measures =
    [
        ("pipeline", Pipeline.RunAsync),
        ("allocation", Allocation.RunAsync),
        ("memory", SaturatedMemory.RunAsync),
        ("growth", Growth.RunAsync),
        ("recovery", Recovery.RunAsync),
    ];

    /// <param name="name">Of one measure, or <c>all</c>.</param>
    /// <param name="plan">How long.</param>
    /// <param name="cancellationToken">Ends it, and all that it started.</param>
    /// <returns>0 when each could be measured, and no event was lost by it.</returns>
    public static async Task<int> RunAsync(string name, LimitsPlan plan, CancellationToken cancellationToken)
    {
        var chosen = Measures.Where(measure => name == "all" || measure.Name == name).ToList();
        if (chosen.Count == 0)
        {
            string names = string.Join(", ", Measures.Select(measure => measure.Name));
            throw new InvalidOperationException($"There is no measure {name}: all, {names}.");
        }

        var figures = new List<Figure>();
        var failures = new List<string>();
        foreach (var measure in chosen)
        {
            Console.WriteLine($"{measure.Name}: {Machine.LoadAverage}");
            try
            {
                figures.AddRange(await measure.RunAsync(plan, cancellationToken));
            }
            catch (Exception failure) when (failure is InvalidOperationException or IOException
                or HttpRequestException or ClickHouseException)
            {
                failures.Add($"FAILED: {measure.Name}: {failure.Message}");
            }
        }

        Console.WriteLine(Machine.LoadAverage);
        foreach (var figure in figures) Console.WriteLine(figure);
        foreach (string failure in failures) Console.WriteLine(failure);
        return failures.Count == 0 ? 0 : 1;
    }
}
