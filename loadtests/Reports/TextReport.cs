namespace Gateway.LoadTests.Reports;

/// <summary>The table at the end, on the console.</summary>
internal static class TextReport
{
    public static void Print(IReadOnlyList<ScenarioReport> reports)
    {
        // Nanoseconds would be misread for milliseconds in the same column: they have a head of their own.
        List<string[]> lines = [];
        bool? inNanoseconds = null;
        foreach (var report in reports)
        {
            if (report.IsInNanoseconds != inNanoseconds) lines.Add(Cells.Head(report));
            inNanoseconds = report.IsInNanoseconds;
            lines.AddRange(report.Rows.Select(row => Cells.Of(report, row)));
        }

        int[] widths = [.. lines[0].Select((_, column) => lines.Max(line => line[column].Length))];
        foreach (string[] line in lines)
        {
            Console.WriteLine(string.Join("  ", line.Select((cell, column) => Cells.IsWords(column)
                ? cell.PadRight(widths[column])
                : cell.PadLeft(widths[column]))).TrimEnd());
        }

        foreach (string problem in reports.SelectMany(report => report.Problems))
            Console.WriteLine($"FAILED: {problem}");
    }
}
