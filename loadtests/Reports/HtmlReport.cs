using System.Xml.Linq;

namespace Gateway.LoadTests.Reports;

/// <summary>
/// One page that needs nothing but itself: an overview, and for each scenario a table and plots. It is built as a tree,
/// so that no text can be taken for markup.
/// </summary>
internal static class HtmlReport
{
    // Without < > &, which the tree would escape.
    private const string Css = """
        :root { color-scheme: light dark; --page: #f6f7f9; --card: #ffffff; --ink: #1c2430; --soft: #5b6675;
          --rule: #dfe3e8; --good: #0f7b4a; --bad: #c0262d;
          --c0: #2563eb; --c1: #d97706; --c2: #059669; --c3: #c026d3; --c4: #dc2626; --c5: #0891b2; }
        @media (prefers-color-scheme: dark) { :root { --page: #12161c; --card: #1a2029; --ink: #e6eaf0; --soft: #9aa6b5;
          --rule: #2e3743; --good: #4ade80; --bad: #f87171;
          --c0: #60a5fa; --c1: #fbbf24; --c2: #34d399; --c3: #e879f9; --c4: #f87171; --c5: #22d3ee; } }
        * { box-sizing: border-box; }
        body { margin: 0; background: var(--page); color: var(--ink); font: 15px/1.5 system-ui, sans-serif; }
        main { max-width: 1200px; margin: 0 auto; padding: 32px 20px 64px; }
        h1 { font-size: 26px; margin: 0 0 4px; } h2 { font-size: 18px; margin: 0 0 2px; }
        p { margin: 2px 0; color: var(--soft); max-width: 90ch; }
        section { background: var(--card); border: 1px solid var(--rule); border-radius: 10px; padding: 20px;
          margin-top: 20px; }
        .scroll { overflow-x: auto; margin-top: 12px; }
        table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums; font-size: 14px; }
        th, td { padding: 5px 8px; border-bottom: 1px solid var(--rule); text-align: right; white-space: nowrap; }
        th { color: var(--soft); font-weight: 600; } tr:last-child td { border-bottom: 0; }
        .words { text-align: left; } td.words:last-child { color: var(--soft); white-space: normal; min-width: 12em; }
        a { color: inherit; }
        .swatch { display: inline-block; width: 14px; height: 4px; border-radius: 2px; margin-right: 8px;
          vertical-align: middle; background: var(--c); }
        .good { color: var(--good); font-weight: 600; } .bad { color: var(--bad); font-weight: 600; }
        .plots { display: grid; grid-template-columns: repeat(auto-fill, minmax(min(100%, 440px), 1fr)); gap: 20px;
          margin-top: 16px; }
        figure { margin: 0; } figcaption { font-weight: 600; font-size: 14px; margin-bottom: 4px; }
        svg { display: block; width: 100%; height: auto; }
        svg text { font: 12px system-ui, sans-serif; fill: var(--soft); }
        .grid { stroke: var(--rule); stroke-width: 1; } .axis { stroke: var(--soft); stroke-width: 1; }
        polyline { fill: none; stroke: var(--c); stroke-width: 2; stroke-linejoin: round; } circle { fill: var(--c); }
        .dashed polyline { stroke-dasharray: 5 4; opacity: .75; } .dashed circle { opacity: .75; }
        .c0 { --c: var(--c0); } .c1 { --c: var(--c1); } .c2 { --c: var(--c2); } .c3 { --c: var(--c3); }
        .c4 { --c: var(--c4); } .c5 { --c: var(--c5); }
        """;

    /// <param name="path">The file; its folder is made.</param>
    /// <param name="reports">What was measured.</param>
    /// <param name="about">When, where and with what settings: a line each.</param>
    public static void Write(string path, IReadOnlyList<ScenarioReport> reports, IEnumerable<string> about)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        File.WriteAllText(path, $"<!doctype html>\n{Page(reports, about).ToString(SaveOptions.DisableFormatting)}\n");
    }

    private static XElement Page(IReadOnlyList<ScenarioReport> reports, IEnumerable<string> about) => new(
        "html",
        new XAttribute("lang", "en"),
        new XElement(
            "head",
            new XElement("meta", new XAttribute("charset", "utf-8")),
            new XElement(
                "meta",
                new XAttribute("name", "viewport"),
                new XAttribute("content", "width=device-width, initial-scale=1")),
            new XElement("title", "Load test report"),
            new XElement("style", Css)),
        new XElement(
            "body",
            new XElement(
                "main",
                new XElement("h1", "Load test report"),
                about.Select(line => new XElement("p", line)),
                new XElement(
                    "p",
                    "Arrivals at a fixed rate, whether or not earlier requests were answered; latency counts from the "
                    + "moment at which a request was meant to start."),
                Verdict(reports.SelectMany(report => report.Problems)),
                Overview(reports),
                reports.Select(Section))));

    private static object Verdict(IEnumerable<string> problems)
    {
        XElement[] all = [.. problems.Select(problem => Paragraph("bad", $"Failed: {problem}"))];
        return all.Length > 0 ? all : Paragraph("good", "Passed: all answers were as they must be, no event is lost.");
    }

    private static XElement Overview(IReadOnlyList<ScenarioReport> reports)
    {
        // In the order of the runs; a head of its own where the unit is another.
        var rows = new List<XElement>();
        for (int i = 0; i < reports.Count; i++)
        {
            // Notes are for the scenario's own table.
            var report = reports[i];
            if (i == 0 || report.IsInNanoseconds != reports[i - 1].IsInNanoseconds)
                rows.Add(Head(Cells.Head(report)[..^1]));
            rows.AddRange(report.Rows.Select(row => Row(
                Cells.Of(report, row)[..^1], new XElement("a", new XAttribute("href", $"#s{i}"), row.Name))));
        }

        return new XElement("section", new XElement("h2", "Overview"), Table(rows));
    }

    private static XElement Section(ScenarioReport report, int number)
    {
        var rows = report.Rows.Select((row, i) => Row(
            Cells.Of(report, row),
            new XElement("span", new XAttribute("class", $"swatch {LatencyPlots.Style(i)}"), ""),
            row.Name));
        LatencyPlot?[] plots = [LatencyPlots.ByPercentile(report.Rows), LatencyPlots.ByTime(report.Rows)];
        return new XElement(
            "section",
            new XAttribute("id", $"s{number}"),
            new XElement("h2", report.Title),
            new XElement("p", report.About),
            report.Kept.Length > 0 ? new XElement("p", $"{report.Kept}.") : null,
            report.Problems.Select(problem => Paragraph("bad", $"Failed: {problem}")),
            Table([Head(Cells.Head(report)), .. rows]),
            new XElement(
                "div",
                new XAttribute("class", "plots"),
                "",
                plots.Select(plot => plot?.Draw())));
    }

    private static XElement Table(IEnumerable<XElement> rows) => new(
        "div", new XAttribute("class", "scroll"), new XElement("table", new XElement("tbody", rows)));

    private static XElement Head(IEnumerable<string> cells) => new(
        "tr", cells.Select((cell, column) => Cell("th", column, cell)));

    private static XElement Row(IEnumerable<string> cells, params object[] name) => new(
        "tr", cells.Select((cell, column) => Cell("td", column, column == 0 ? name : cell)));

    private static XElement Cell(string kind, int column, object content) => new(
        kind, Cells.IsWords(column) ? new XAttribute("class", "words") : null, content);

    private static XElement Paragraph(string style, string text) =>
        new("p", new XAttribute("class", style), text);
}
