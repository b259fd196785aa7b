using System.Diagnostics;
using System.Globalization;
using System.Runtime.CompilerServices;
using BenchmarkDotNet.Attributes;
using BenchmarkDotNet.Exporters;
using BenchmarkDotNet.Loggers;
using BenchmarkDotNet.Reports;
using BenchmarkDotNet.Running;
using Gateway.Core.Tokens;

namespace Gateway.Bench;

/// <summary>
/// Puts the tables of a run into RESULTS.md, each between the two comments that bear its class's name; all else there
/// is written by hand and stays. A class that failed, or was run in part, keeps the table that it had.
/// </summary>
internal sealed class Results
{
    private const string Machine = "Machine";

    private readonly string _folder = HereFolder();
    private readonly string _source;
    private string _text = "";

    public Results(string[] args)
    {
        // Asked before the run: this is what is measured.
        bool isChanged = Git("status", "--porcelain", "--", ":/", ":!RESULTS.md").Length > 0;
        string commit = $"`{Git("rev-parse", "--short", "HEAD")}`{(isChanged ? " + changes" : "")}";
        var quoted = args.Select(arg => arg.Contains('*') ? $"'{arg}'" : arg);
        _source = $"Commit {commit}, `dotnet run --project bench -c Release -- {string.Join(' ', quoted)}`:\n\n";
    }

    public string ArtifactsFolder => Path.Combine(_folder, "..", "artifacts", "bench-runs");

    /// <summary>False when anything failed.</summary>
    public bool Write(IReadOnlyList<Summary> summaries)
    {
        string path = Path.Combine(_folder, "RESULTS.md");
        _text = File.ReadAllText(path);

        var good = summaries.Where(IsGood).ToList();
        var whole = good.FindAll(IsWhole);
        foreach (var summary in whole) Put(summary, isOfAll: whole.Count == Classes());
        File.WriteAllText(path, _text);

        Console.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"{whole.Count} tables are new in bench/RESULTS.md. {summaries.Count - good.Count} classes failed; "
            + $"{good.Count - whole.Count} were run in part, and keep the table that they had."));
        return good.Count == summaries.Count;
    }

    private static bool IsGood(Summary summary) =>
        !summary.HasCriticalValidationErrors
        && summary.BenchmarksCases.Length > 0
        && summary.Reports.Length == summary.BenchmarksCases.Length
        && summary.Reports.All(report => report.Success);

    private static bool IsWhole(Summary summary) => summary.BenchmarksCases.Length == CasesOf(TypeOf(summary));

    private static int Classes() => typeof(Results).Assembly.GetTypes().Count(type =>
        type.GetMethods().Any(method => method.IsDefined(typeof(BenchmarkAttribute), inherit: false)));

    private static int CasesOf(Type type) => BenchmarkConverter.TypeToBenchmarks(type).BenchmarksCases.Length;

    private static Type TypeOf(Summary summary) => summary.BenchmarksCases[0].Descriptor.Type;

    private void Put(Summary summary, bool isOfAll)
    {
        string[] lines = Markdown(summary);
        string[] table = Array.FindAll(lines, line => line.StartsWith('|'));
        string how = $"```text\n{string.Join('\n', lines.Except(table).Where(line => line != "```"))}\n```\n";
        string body = $"{string.Join('\n', table)}\n\n";
        if (TypeOf(summary) == typeof(TokenBenchmarks)) body += WeighTokens();
        if (TypeOf(summary) == typeof(ShipBenchmarks)) body += ProcessorTimeOfShipping();

        // What measured stands once, above; a table that was made in another way says so itself.
        if (isOfAll || Between(Machine).Length == 0) Put(Machine, how);
        if (Between(Machine) != how) body = $"{how}\n{body}";
        Put(TypeOf(summary).Name, _source + body);
    }

    private static string[] Markdown(Summary summary)
    {
        var log = new AccumulationLogger();
        MarkdownExporter.GitHub.ExportToLog(summary, log);
        return [.. log.GetLog().Split('\n').Select(line => line.TrimEnd()).Where(line => line.Length > 0)];
    }

    private static string WeighTokens()
    {
        long bytes = TokenBenchmarks.Weigh(TokenTable.DefaultCapacity);
        return string.Create(
            CultureInfo.InvariantCulture,
            $"A table of {TokenTable.DefaultCapacity:N0} tokens keeps {bytes / 1e6:0.0} MB alive "
            + $"(`GC.GetTotalMemory` after a full collection, less what it was before).\n\n");
    }

    private static string ProcessorTimeOfShipping()
    {
        double alone = ShipBenchmarks.MicrosOfProcessorAsync(batch: 1).GetAwaiter().GetResult();
        double inBatches = ShipBenchmarks.MicrosOfProcessorAsync(batch: 100).GetAwaiter().GetResult();
        return string.Create(
            CultureInfo.InvariantCulture,
            $"Of the processor, `Ship` takes {alone:0.00} µs for an event that came alone, and {inBatches:0.00} µs for one "
            + $"of a batch of 100 (`Environment.CpuUsage` over {ShipBenchmarks.EventsCounted:N0} events).\n\n");
    }

    private string Between(string name)
    {
        var (start, end) = Find(name);
        return _text[start..end];
    }

    private void Put(string name, string body)
    {
        var (start, end) = Find(name);
        _text = _text[..start] + body + _text[end..];
    }

    /// <summary>The place between the comments of this name; they are added at the end if missing.</summary>
    private (int Start, int End) Find(string name)
    {
        string begin = $"<!-- {name} -->\n";
        string end = $"<!-- /{name} -->\n";
        if (!_text.Contains(begin, StringComparison.Ordinal)) _text += $"\n### {name}\n\n{begin}{end}";

        int start = _text.IndexOf(begin, StringComparison.Ordinal) + begin.Length;
        int stop = _text.IndexOf(end, start, StringComparison.Ordinal);
        return stop >= 0 ? (start, stop) : throw new InvalidDataException($"RESULTS.md lacks the line {end}");
    }

    private string Git(params string[] arguments)
    {
        using var git = Process.Start(new ProcessStartInfo("git", arguments)
        {
            WorkingDirectory = _folder,
            RedirectStandardOutput = true,
        })!;
        string output = git.StandardOutput.ReadToEnd().Trim();
        git.WaitForExit();
        return git.ExitCode == 0 ? output : throw new InvalidOperationException("Results are named by git's commit.");
    }

    private static string HereFolder([CallerFilePath] string here = "") => Path.GetDirectoryName(here)!;
}
