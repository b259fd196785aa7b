namespace Gateway.LoadTests.Compare;

/// <summary>What a comparison came to: a table for people, and ratios by name.</summary>
internal static class ComparisonReport
{
    private static readonly ComparedRatio[] OfSingles =
    [
        new("requests", "gateway", "kestrel", AtLeast: 0.70),
        new("requests", "gateway", "plain", AtLeast: 1.5),
        new("cpu", "gateway", "plain", AtMost: 0.6),
        new("requests", "gateway", "nginx", AtLeast: 0.55),
        new("cpu", "gateway", "nginx"),
        new("requests", "plain", "kestrel"),
    ];

    private static readonly ComparedRatio[] OfBatches =
    [
        new("requests", "gateway", "kestrel"),
        new("requests", "gateway", "plain", AtLeast: 3),
        new("cpu", "gateway", "plain", AtMost: 1.0 / 3),
        new("events", "gateway", "nginx", AtLeast: 1),
        new("cpu", "gateway", "nginx"),
        new("requests", "plain", "kestrel"),
    ];

    /// <summary>Medians of the rounds, and the greatest memory of all.</summary>
    public static void Print(CaptureLoad load, Contestant[] contestants)
    {
        Console.WriteLine($"Medians of the rounds, and the most memory; {load.Name}:");
        Row("", "requests/s", "events/s", "CPU s/M events", "Redis CPU s/M", "p50 ms", "p99 ms", "MB");
        foreach (var contestant in contestants)
        {
            double requests = Median(contestant, round => round.Requests);
            Row(
                contestant.Name,
                $"{requests:0}",
                $"{requests * load.Events:0}",
                $"{Median(contestant, round => round.CpuSeconds):0.00}",
                $"{Median(contestant, round => round.RedisCpuSeconds):0.00}",
                $"{Median(contestant, round => round.P50):0.00}",
                $"{Median(contestant, round => round.P99):0.00}",
                $"{contestant.Rounds.Max(round => round.MemoryMegabytes):0}");
        }
    }

    /// <summary>A line for each, with its target if it has one.</summary>
    public static IEnumerable<string> Ratios(CaptureLoad load, Contestant[] contestants) =>
        (load.Events == 1 ? OfSingles : OfBatches).Select(ratio => ratio.Describe(load, contestants));

    private static double Median(Contestant contestant, Func<RoundFigures, double> figure) =>
        Pairs.Median(contestant.Rounds.Select(figure));

    private static void Row(string name, params string[] cells) =>
        Console.WriteLine($"{name,7}{string.Concat(cells.Select(cell => cell.PadLeft(15)))}");
}

/// <summary>One side to another, round by round.</summary>
/// <param name="Figure">What of them: requests, events or cpu (processor time for an event).</param>
/// <param name="Its">Whose is divided.</param>
/// <param name="Other">By whose.</param>
/// <param name="AtLeast">The target, if there is one.</param>
/// <param name="AtMost">As well.</param>
internal sealed record ComparedRatio(
    string Figure, string Its, string Other, double? AtLeast = null, double? AtMost = null)
{
    public string Describe(CaptureLoad load, Contestant[] contestants)
    {
        var pairs = new Pairs(Figures(Its), Figures(Other));
        return $"ratio {Figure} {Its}/{Other} {load.Name}: {pairs}" + (AtLeast, AtMost) switch
        {
            ({ } least, _) => $", at least {least:0.00} wanted: {Verdict(pairs.Ratio >= least)}",
            (_, { } most) => $", at most {most:0.00} wanted: {Verdict(pairs.Ratio <= most)}",
            _ => "",
        };

        IEnumerable<double> Figures(string name) => contestants.Single(contestant => contestant.Name == name).Rounds
            .Select(round => Figure == "cpu" ? round.CpuSeconds : round.Requests);
    }

    private static string Verdict(bool isMet) => isMet ? "met" : "MISSED";
}
