using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.LoadTests;

/// <param name="Requests">A second, answered 200.</param>
/// <param name="All">Answered at all.</param>
/// <param name="Refused">Answered otherwise, of all.</param>
internal sealed record FloodFigures(double Requests, long All, long Refused);

/// <summary>
/// Gzip batches over many connections, each with its next one once it is answered: all of one project, or each of the
/// next. Debian's wrk sends them, so that it costs a process of its own little.
/// </summary>
internal sealed partial class Flood : IDisposable
{
    public const int Connections = 2000;
    public const int BatchEvents = 100;

    // Of one project too, so that both floods have as many different bytes.
    private const int Bodies = 1000;

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"gateway-flood-{Guid.NewGuid():N}");

    /// <param name="projects">Those that send, in turn.</param>
    public Flood(IReadOnlyList<Project> projects)
    {
        using var file = File.Create(_file);
        Span<byte> length = stackalloc byte[sizeof(int)];
        for (int i = 0; i < Bodies; i++)
        {
            byte[] body = Events.GzippedBatch(projects[i % projects.Count].Token, BatchEvents);
            BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
            file.Write(length);
            file.Write(body);
        }
    }

    /// <summary>Floods for so long.</summary>
    public async Task<FloodFigures> RunAsync(Uri gateway, int seconds, CancellationToken cancellationToken)
    {
        string script = Path.Combine(AppContext.BaseDirectory, "flood.lua");
        string url = new Uri(gateway, "/batch/").ToString();
        string[] arguments =
            ["-t1", $"-c{Connections}", $"-d{seconds}s", "--timeout", "30s", "-s", script, url, "--", _file];
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

        if (Figures().Match(said) is not { Success: true } match || match.Groups[4].Value != "0")
            throw new InvalidOperationException($"The flood was not answered: {said}");
        long refused = (long)Number(match.Groups[3]);
        long all = (long)Number(match.Groups[1]);
        return new((all - refused) / (Number(match.Groups[2]) / 1e6), all, refused);
    }

    public void Dispose() => File.Delete(_file);

    private static double Number(Group group) => double.Parse(group.Value, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"figures: (\d+) requests (\d+) us (\d+) refused (\d+) failed")]
    private static partial Regex Figures();
}
