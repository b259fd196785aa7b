using System.Buffers.Binary;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Gateway.LoadTests;

/// <param name="Requests">A second, answered 200.</param>
/// <param name="All">Answered at all.</param>
/// <param name="Refused">Answered otherwise, of all.</param>
internal sealed record FloodFigures(double Requests, long All, long Refused);

/// <summary>
/// Prepared bodies over many connections, each with its next one once it is answered. Debian's wrk sends them, so that
/// it costs a process of its own little.
/// </summary>
internal sealed partial class Flood : IDisposable
{
    public const int Connections = 2000;
    public const int BatchEvents = 100;

    // Of one project too, so that both floods have as many different bytes.
    private const int Bodies = 1000;

    private readonly string _file = Path.Combine(Path.GetTempPath(), $"gateway-flood-{Guid.NewGuid():N}");

    /// <summary>Gzip batches.</summary>
    /// <param name="projects">Those that send, in turn.</param>
    public Flood(IReadOnlyList<Project> projects)
        : this(Enumerable.Range(0, Bodies)
            .Select(number => Events.GzippedBatch(projects[number % projects.Count].Token, BatchEvents)))
    {
    }

    /// <param name="bodies">Sent in turn, again and again.</param>
    public Flood(IEnumerable<byte[]> bodies)
    {
        using var file = File.Create(_file);
        Span<byte> length = stackalloc byte[sizeof(int)];
        foreach (byte[] body in bodies)
        {
            BinaryPrimitives.WriteInt32LittleEndian(length, body.Length);
            file.Write(length);
            file.Write(body);
        }
    }

    /// <summary>Floods for so long.</summary>
    public async Task<FloodFigures> RunAsync(
        Uri gateway,
        int seconds,
        CancellationToken cancellationToken,
        int connections = Connections,
        string path = "/batch/")
    {
        string script = Path.Combine(AppContext.BaseDirectory, "flood.lua");
        string url = new Uri(gateway, path).ToString();
        string[] arguments =
            ["-t1", $"-c{connections}", $"-d{seconds}s", "--timeout", "30s", "-s", script, url, "--", _file];
        string said = await Wrk.SayAsync(arguments, cancellationToken);
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
