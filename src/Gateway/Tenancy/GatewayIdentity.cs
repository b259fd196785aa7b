using Gateway.Core.Journal;

namespace Gateway.Tenancy;

/// <summary>
/// Which journal this is, whoever's machine it is attached to: a random id in a file beside its segments, made once.
/// </summary>
internal static class GatewayIdentity
{
    public const string FileName = "gateway.id";
    private const int Length = 32;

    /// <exception cref="IOException">It can be neither read nor made.</exception>
    public static string ReadOrMake(string journalFolder)
    {
        string path = Path.Combine(journalFolder, FileName);
        if (File.Exists(path) && File.ReadAllText(path).Trim() is { Length: Length } known) return known;

        string id = Guid.NewGuid().ToString("N");
        string draft = path + ".new";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            using var text = new StreamWriter(file, leaveOpen: true);
            text.Write(id);
            text.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        new SystemDisk().SyncDirectory(journalFolder);
        return id;
    }
}
