using Gateway.Core.Journal;
using Gateway.Core.Shipping;

namespace Gateway.Engine;

/// <summary>
/// How an embedded engine's data is known again: by the lines of a file beside it, each an id and the installation
/// whose events these are. The last one counts.
/// </summary>
internal static class EngineStoreFile
{
    public const string Name = "store.id";

    /// <summary>Reads the marks, and makes the first one.</summary>
    /// <exception cref="IOException">It cannot be read or written.</exception>
    public static EventsStoreMarks ReadOrMake(string folder, string installation, bool adopt)
    {
        Directory.CreateDirectory(folder);
        string[][] marks = Lines(folder);
        if (marks.Length == 0 || (marks[^1][1] != installation && adopt))
        {
            string id = marks.Length == 0 ? Guid.NewGuid().ToString() : marks[0][0];
            marks = [.. marks, [id, installation]];
            Write(folder, marks.Select(parts => string.Join(' ', parts)));
        }

        return MarksOf(marks);
    }

    /// <summary>The marks, or null where there is none yet.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public static EventsStoreMarks? Read(string folder) =>
        Lines(folder) is { Length: > 0 } marks ? MarksOf(marks) : null;

    /// <summary>Whether an engine has been at work here, whoever's it was.</summary>
    public static bool HasData(string folder) =>
        Directory.Exists(folder) && Directory.EnumerateFileSystemEntries(folder)
            .Any(path => !Path.GetFileName(path).StartsWith(Name, StringComparison.Ordinal));

    private static EventsStoreMarks MarksOf(string[][] marks) =>
        new([.. marks.Select(parts => parts[0]).Distinct()], marks[^1][1]);

    private static string[][] Lines(string folder)
    {
        string path = Path.Combine(folder, Name);
        string[] lines = File.Exists(path) ? File.ReadAllLines(path) : [];
        return [.. lines.Select(line => line.Split(' ')).Where(parts => parts.Length == 2)];
    }

    private static void Write(string folder, IEnumerable<string> lines)
    {
        string path = Path.Combine(folder, Name);
        string draft = path + ".new";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            using var writer = new StreamWriter(file, leaveOpen: true);
            foreach (string line in lines) writer.Write(line + '\n');
            writer.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);

        // The name too: a power cut must not leave data behind that nobody knows again.
        new SystemDisk().SyncDirectory(folder);
    }
}
