using System.Globalization;

namespace Gateway.LoadTests;

/// <summary>One line of the table at the end.</summary>
/// <param name="Name">What was done.</param>
/// <param name="Pace">How requests came.</param>
/// <param name="Failed">Answered otherwise than expected, not at all, or not sent.</param>
/// <param name="Latency">Of those that were answered.</param>
/// <param name="AnsweredBy">Which layer knew the tokens; empty: not looked at.</param>
/// <param name="IsGood">False fails the run.</param>
internal sealed record ReportRow(
    string Name, string Pace, long Failed, LatencyHistogram Latency, string AnsweredBy, bool IsGood)
{
    public static void Print(IReadOnlyCollection<ReportRow> rows)
    {
        string[] head = ["scenario", "pace", "count", "failed", "p50 ms", "p99 ms", "p99.9 ms", "token known by"];
        string[][] lines = [head, .. rows.Select(row => row.Cells())];
        int[] widths = [.. head.Select((_, column) => lines.Max(line => line[column].Length))];
        foreach (string[] line in lines)
        {
            // Words to the left, numbers to the right.
            Console.WriteLine(string.Join("  ", line.Select((cell, column) =>
                column is 0 or 1 or 7 ? cell.PadRight(widths[column]) : cell.PadLeft(widths[column]))).TrimEnd());
        }
    }

    private string[] Cells() =>
    [
        Name, Pace, $"{Latency.Count}", $"{Failed}", Milliseconds(0.5), Milliseconds(0.99), Milliseconds(0.999),
        AnsweredBy,
    ];

    private string Milliseconds(double share) =>
        Latency.Percentile(share).TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture);
}
