using System.Globalization;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>
/// How much there is of each fault, by CHAOS_SCALE from 1 (a tenth: every test run) to 10 (all), and where the figures
/// go: to the test's output, and to the file CHAOS_FIGURES with the progress.
/// </summary>
internal static class Chaos
{
    private static readonly Lock Telling = new();

    private static readonly int Scale = Math.Clamp(
        int.Parse(Environment.GetEnvironmentVariable("CHAOS_SCALE") ?? "1", CultureInfo.InvariantCulture), 1, 10);

    public static int Of(int tenth, int full) => tenth + ((full - tenth) * (Scale - 1) / 9);

    /// <summary>One line of figures: <c>name: words and numbers</c>.</summary>
    public static void Tell(ITestOutputHelper output, string line)
    {
        output.WriteLine(line);
        Note(line);
    }

    /// <summary>How far a fault has come, where somebody waits for it.</summary>
    public static void Progress(string name, int done, int all)
    {
        if (done < all && done % Math.Max(1, all / 10) == 0) Note($"  {name} {done} of {all}");
    }

    private static void Note(string line)
    {
        if (Environment.GetEnvironmentVariable("CHAOS_FIGURES") is not { Length: > 0 } file) return;

        lock (Telling) File.AppendAllText(file, line + "\n");
    }
}
