using System.Globalization;

namespace Gateway.LoadTests.Reports;

/// <summary>What stands in the tables, on the console and in the page alike.</summary>
internal static class Cells
{
    private const string None = "–";

    private static readonly double[] Shares = [0.5, 0.9, 0.99, 0.999, 1];

    public static string[] Head(ScenarioReport report)
    {
        string unit = report.IsInNanoseconds ? "ns" : "ms";
        return
        [
            "scenario", "asked/s", "got/s", "count", "failed", $"p50 {unit}", $"p90 {unit}", $"p99 {unit}",
            $"p99.9 {unit}", $"max {unit}", "note",
        ];
    }

    /// <summary>Words stand to the left, numbers to the right.</summary>
    public static bool IsWords(int column) => column is 0 or 10;

    public static string[] Of(ScenarioReport report, ReportRow row) =>
    [
        row.Name,
        row.Asked is { } rate ? Number(rate) : None,
        row.Achieved > 0 ? Number(row.Achieved) : None,
        row.Measured is { } measured ? $"{measured.Latency.Count}" : None,
        row.Measured is { Failed: long failed } ? $"{failed}" : None,
        .. Shares.Select(share => row.Measured is { Latency.Count: > 0 } measured
            ? Latency(measured.Latency.Nanoseconds(share), report.IsInNanoseconds)
            : None),
        row.Note,
    ];

    /// <summary>Three digits, or all that are left of the point.</summary>
    private static string Number(double number) => number.ToString(
        number switch { < 10 => "0.##", < 100 => "0.#", _ => "0" }, CultureInfo.InvariantCulture);

    private static string Latency(long nanoseconds, bool inNanoseconds) =>
        Number(inNanoseconds ? nanoseconds : nanoseconds / 1e6);
}
