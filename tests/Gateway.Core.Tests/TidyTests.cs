using System.Runtime.CompilerServices;
using System.Text.RegularExpressions;

namespace Gateway.Core.Tests;

/// <summary>The house rules that no analyzer knows. Change a rule here, not in a review.</summary>
public sealed partial class TidyTests
{
    private const int MaxFileLines = 400;
    private const int MaxLineLength = 120;

    /// <summary>The architecture: which slice of the core may use which. An arrow not drawn here is an error.</summary>
    private static readonly Dictionary<string, string[]> MayUse = new()
    {
        ["Admission"] = ["Events", "Tokens"],
        ["Events"] = [],
        ["Tokens"] = [],
        ["Redis"] = ["Tokens"],
        ["Journal"] = ["Tokens"],
        ["ClickHouse"] = [],
        ["Ledger"] = ["Events", "Journal"],
        ["Shipping"] = ["Events", "Journal", "Ledger", "ClickHouse"],
        ["Query"] = ["Events", "ClickHouse"],
        ["Tenancy"] = ["Tokens", "Redis"],
    };

    public static TheoryData<string> Sources() =>
        [.. Directory.EnumerateFiles(Path.Combine(Root(), "src"), "*.cs", SearchOption.AllDirectories)
            .Where(path => !path.Contains("node_modules", StringComparison.Ordinal))
            .Select(path => Path.GetRelativePath(Root(), path))];

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_source_file_is_tidy(string path)
    {
        string[] lines = File.ReadAllLines(Path.Combine(Root(), path));

        Assert.True(lines.Length <= MaxFileLines, $"{path} has {lines.Length} lines: split it by idea.");
        Assert.All(lines, line =>
        {
            Assert.True(line.Length <= MaxLineLength, $"{path}: {line}");
            Assert.DoesNotContain("#region", line, StringComparison.Ordinal);
            Assert.DoesNotContain("TODO", line, StringComparison.Ordinal);
        });
    }

    [Theory]
    [MemberData(nameof(Sources))]
    public void A_slice_uses_only_the_slices_it_may(string path)
    {
        if (CoreSlice().Match(path) is not { Success: true } match) return;

        string slice = match.Groups[1].Value;
        var used = CoreUsing().Matches(File.ReadAllText(Path.Combine(Root(), path))).Select(use => use.Groups[1].Value);
        Assert.Empty(used.Except(MayUse[slice]).Except([slice]));
    }

    [Fact]
    public void The_core_knows_nothing_of_http_servers() =>
        Assert.DoesNotContain(
            typeof(Rejection).Assembly.GetReferencedAssemblies(),
            reference => reference.Name!.StartsWith("Microsoft.AspNetCore", StringComparison.Ordinal));

    [GeneratedRegex(@"Gateway\.Core/(\w+)/")]
    private static partial Regex CoreSlice();

    [GeneratedRegex(@"^using (?:static )?Gateway\.Core\.(\w+)", RegexOptions.Multiline)]
    private static partial Regex CoreUsing();

    private static string Root([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", ".."));
}
