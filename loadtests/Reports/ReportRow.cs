using System.Globalization;

namespace Gateway.LoadTests.Reports;

/// <summary>One line of the tables, one curve of the plots.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Asked">How many a second were to start; null: each after the one before.</param>
/// <param name="Measured">What came of it; null: only the rate is known.</param>
internal sealed record ReportRow(string Name, double? Asked, Measurement? Measured)
{
    /// <summary>Answers a second.</summary>
    public double Achieved { get; init; } = Measured?.Rate ?? 0;

    /// <summary>Which of the runs it was, in words.</summary>
    public string Load =>
        Asked is { } rate ? string.Create(CultureInfo.InvariantCulture, $"{Name}, {rate:0.#}/s") : Name;

    /// <summary>What else is known of it.</summary>
    public string Note { get; init; } = "";

    /// <summary>What fails the run; null: nothing.</summary>
    public string? Problem { get; init; } = Measured is { Failed: > 0 and long failed }
        ? $"{failed} were not answered as they must be"
        : null;
}

/// <summary>A scenario with its rows, which have their plots in common.</summary>
/// <param name="Title">Its name.</param>
/// <param name="About">What is done and what must not happen, in a sentence or two.</param>
/// <param name="Rows">In the order of their runs.</param>
internal sealed record ScenarioReport(string Title, string About, IReadOnlyList<ReportRow> Rows)
{
    /// <summary>Milliseconds are too coarse for what happens inside of a process.</summary>
    public bool IsInNanoseconds { get; init; }

    /// <summary>What became of the events that were acked.</summary>
    public string Kept { get; init; } = "";

    /// <summary>What fails the run, whichever row it was; null: nothing.</summary>
    public string? Problem { get; init; }

    /// <summary>All that fails the run.</summary>
    public IEnumerable<string> Problems =>
        Rows.Where(row => row.Problem is not null)
            .Select(row => $"{row.Load}: {row.Problem}")
            .Concat(Problem is null ? [] : [Problem]);
}
