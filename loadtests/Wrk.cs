using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.LoadTests;

/// <param name="Requests">Answered, all of them 200.</param>
/// <param name="Rate">Of them, a second.</param>
/// <param name="P50">Half were answered sooner.</param>
/// <param name="P99">One in a hundred was answered later.</param>
internal sealed record WrkFigures(long Requests, double Rate, TimeSpan P50, TimeSpan P99);

/// <summary>
/// Debian's wrk: one thread and 64 connections, each with its next request once it is answered, all with one body.
/// </summary>
internal sealed partial class Wrk : IDisposable
{
    // Late is not lost: it counts as what it took.
    private const string Timeout = "30s";

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"gateway-wrk-{Guid.NewGuid():N}");
    private readonly string[] _body;

    /// <param name="body">As it is sent.</param>
    /// <param name="encoding">Of its content, if any.</param>
    public Wrk(byte[] body, string? encoding = null)
    {
        File.WriteAllBytes(_file, body);
        _body = encoding is null ? [_file] : [_file, encoding];
    }

    /// <exception cref="InvalidOperationException">One was not answered 200.</exception>
    public async Task<WrkFigures> RunAsync(Uri url, int seconds, CancellationToken cancellationToken)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "wrk.lua");
        string[] arguments =
        [
            "-t1", "-c64", $"-d{seconds}s", "--timeout", Timeout, "-s", script, url.ToString(), "--", .. _body,
        ];
        string said = await SayAsync(arguments, cancellationToken);
        if (Figures().Match(said) is not { Success: true } match || match.Groups[3].Value != "0")
            throw new InvalidOperationException($"Not every request to {url} was answered 200: {said}");
        long requests = Number(match.Groups[1]);
        double rate = requests / Microseconds(match.Groups[2]).TotalSeconds;
        return new(requests, rate, Microseconds(match.Groups[4]), Microseconds(match.Groups[5]));
    }

    /// <summary>What wrk says when it is done.</summary>
    public static async Task<string> SayAsync(string[] arguments, CancellationToken cancellationToken)
    {
        using var wrk = Process.Start(new ProcessStartInfo("wrk", arguments) { RedirectStandardOutput = true })!;
        try
        {
            string said = await wrk.StandardOutput.ReadToEndAsync(cancellationToken);
            await wrk.WaitForExitAsync(cancellationToken);
            return said;
        }
        finally
        {
            if (!wrk.HasExited) wrk.Kill();
        }
    }

    public void Dispose() => File.Delete(_file);

    private static TimeSpan Microseconds(Group group) => TimeSpan.FromMicroseconds(Number(group));

    private static long Number(Group group) => long.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"figures: (\d+) requests (\d+) us (\d+) failed p50 (\d+) us p99 (\d+) us")]
    private static partial Regex Figures();
}
