using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.LoadTests;

/// <summary>Debian's wrk: one thread and 64 connections, each with its next request once it is answered.</summary>
internal static partial class Wrk
{
    /// <returns>Requests a second.</returns>
    /// <exception cref="InvalidOperationException">One was not answered 200.</exception>
    public static async Task<double> RunAsync(Uri url, string token, int seconds, CancellationToken cancellationToken)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "wrk.lua");
        string[] arguments = ["-t1", "-c64", $"-d{seconds}s", "-s", script, url.ToString(), "--", token];
        using var wrk = Process.Start(new ProcessStartInfo("wrk", arguments) { RedirectStandardOutput = true })!;
        string said;
        try
        {
            said = await wrk.StandardOutput.ReadToEndAsync(cancellationToken);
            await wrk.WaitForExitAsync(cancellationToken);
        }
        finally
        {
            if (!wrk.HasExited) wrk.Kill();
        }

        if (Figures().Match(said) is not { Success: true } match || match.Groups[3].Value != "0")
            throw new InvalidOperationException($"Not every request was answered 200: {said}");
        return Number(match.Groups[1]) / (Number(match.Groups[2]) / 1e6);
    }

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"figures: (\d+) requests (\d+) us (\d+) failed")]
    private static partial Regex Figures();
}
