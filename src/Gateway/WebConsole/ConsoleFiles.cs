using System.Collections.Frozen;
using System.Security.Cryptography;

namespace Gateway.WebConsole;

/// <summary>
/// The console as it was built, held in memory: a page, and what it loads. Only what was there at the start is served:
/// a name is looked up, never turned into a path.
/// </summary>
internal sealed class ConsoleFiles
{
    private const string PageName = "index.html";
    private const string Packed = ".gz";

    private ConsoleFiles(ConsoleFile? page, FrozenDictionary<string, ConsoleFile> assets) =>
        (Page, Assets) = (page, assets);

    /// <summary>What every page of the console begins with; null: it was not built.</summary>
    public ConsoleFile? Page { get; }

    /// <summary>By their paths below <c>/console/</c>.</summary>
    public FrozenDictionary<string, ConsoleFile> Assets { get; }

    /// <param name="folder">
    /// The output of the console's build: the page, and its assets in a folder <c>console</c>. Beside a file may lie
    /// the same with gzip.
    /// </param>
    public static ConsoleFiles Read(string folder)
    {
        string assets = Path.Combine(folder, "console");
        return new ConsoleFiles(
            File.Exists(Path.Combine(folder, PageName)) ? Load(Path.Combine(folder, PageName)) : null,
            Directory.Exists(assets)
                ? Directory.EnumerateFiles(assets, "*", SearchOption.AllDirectories)
                    .Where(path => !path.EndsWith(Packed, StringComparison.Ordinal))
                    .ToFrozenDictionary(path => Path.GetRelativePath(assets, path), Load, StringComparer.Ordinal)
                : FrozenDictionary<string, ConsoleFile>.Empty);
    }

    /// <summary>Whether its name changes with its content, as those do that the build names.</summary>
    public static bool IsHashed(string name) => name.StartsWith("assets/", StringComparison.Ordinal);

    private static ConsoleFile Load(string path)
    {
        byte[] content = File.ReadAllBytes(path);
        string packed = path + Packed;
        return new ConsoleFile(
            TypeOf(Path.GetExtension(path)),
            content,
            File.Exists(packed) ? File.ReadAllBytes(packed) : null,
            $"\"{Convert.ToHexStringLower(SHA256.HashData(content).AsSpan(0, 8))}\"");
    }

    private static string TypeOf(string extension) => extension switch
    {
        ".html" => "text/html; charset=utf-8",
        ".js" => "text/javascript; charset=utf-8",
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "application/octet-stream",
    };
}

/// <param name="ContentType">With its encoding.</param>
/// <param name="Content">As it is.</param>
/// <param name="Gzip">The same with gzip; null: it is not worth it.</param>
/// <param name="ETag">Of the content, with its quotes.</param>
internal sealed record ConsoleFile(string ContentType, byte[] Content, byte[]? Gzip, string ETag);
