using System.Globalization;

namespace Gateway.Engine;

/// <summary>
/// The command line: <c>--data folder --port-file path [--port n] [--memory bytes] [--library path]</c>.
/// </summary>
internal sealed record EngineArguments
{
    private const string LibraryInPackage = "node_modules/@chdb/lib-linux-x64-gnu/libchdb.so";

    /// <summary>The folder that holds all that the engine keeps.</summary>
    public required string Data { get; init; }

    /// <summary>Where to tell the port, when ready to serve.</summary>
    public string? PortFile { get; init; }

    /// <summary>The port to listen on when it is free; another one otherwise.</summary>
    public int Port { get; init; }

    public required long MemoryBytes { get; init; }

    public required string Library { get; init; }

    /// <summary>Instead of serving: that many connects beside as many caught NullReferenceExceptions.</summary>
    public int SelfTest { get; init; }

    /// <exception cref="ArgumentException">Something is missing or wrong; the message says what.</exception>
    public static EngineArguments Parse(string[] args)
    {
        var given = new ConfigurationBuilder().AddCommandLine(args).Build();
        return new EngineArguments
        {
            Data = given["data"] ?? throw new ArgumentException("--data <folder> is missing."),
            PortFile = given["port-file"],
            Port = (int)Number(given, "port", 0, ushort.MaxValue),
            MemoryBytes = Number(given, "memory", QuarterOfTheMachine(), long.MaxValue),
            Library = given["library"] ?? FindLibrary(),
            SelfTest = (int)Number(given, "self-test", 0, 1_000_000),
        };
    }

    private static long QuarterOfTheMachine() => GC.GetGCMemoryInfo().TotalAvailableMemoryBytes / 4;

    private static long Number(IConfiguration given, string name, long otherwise, long most)
    {
        string? text = given[name];
        if (text is null) return otherwise;

        return long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long value) && value <= most
            ? value
            : throw new ArgumentException($"--{name} {text} is not a number up to {most}.");
    }

    /// <summary>Looks in the program's folder and in those above it, also within the sources.</summary>
    private static string FindLibrary()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            string beside = Path.Combine(folder.FullName, LibraryInPackage);
            if (File.Exists(beside)) return beside;

            string inSources = Path.Combine(folder.FullName, "src/Gateway.Engine", LibraryInPackage);
            if (File.Exists(inSources)) return inSources;
        }

        throw new ArgumentException(
            $"libchdb.so was not found above {AppContext.BaseDirectory}. Run `npm ci` in src/Gateway.Engine, "
            + "or say where it is with --library.");
    }
}
