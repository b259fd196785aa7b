using Gateway.Core.Journal;

namespace Gateway.Tenancy;

/// <summary>
/// Which journal this is, whoever's machine it is attached to, and whose: two files beside its segments, each made
/// once. Ids of projects mean nothing outside of their installation, so neither do the records of its journals.
/// </summary>
internal static class GatewayIdentity
{
    public const string FileName = "gateway.id";
    public const string InstallationFileName = "installation.id";

    /// <summary>The journal's own id, random.</summary>
    /// <exception cref="IOException">It can be neither read nor made.</exception>
    public static string ReadOrMake(string journalFolder) =>
        ReadOrMake(journalFolder, FileName, Guid.NewGuid().ToString("N"));

    /// <summary>One that nobody has claimed is this installation's from now on.</summary>
    /// <param name="journalFolder">Of the journal.</param>
    /// <param name="installationId">Of the control database that this gateway works with.</param>
    /// <exception cref="IOException">It can be neither read nor made.</exception>
    /// <exception cref="JournalException">It is another one's; the message is for the operator.</exception>
    public static void InsistOnInstallation(string journalFolder, string installationId)
    {
        string owner = ReadOrMake(journalFolder, InstallationFileName, installationId);
        if (owner == installationId) return;

        throw new JournalException(
            $"The journal in '{journalFolder}' is of another installation: its events would be shown in whatever "
            + "projects have the same ids here. Start this gateway with the control database that belongs to it, or "
            + "with a data folder of its own. If the ids do mean the same projects, delete "
            + $"'{InstallationFileName}' in that folder.");
    }

    private static string ReadOrMake(string journalFolder, string fileName, string fresh)
    {
        string path = Path.Combine(journalFolder, fileName);
        string known = File.Exists(path) ? File.ReadAllText(path).Trim() : "";
        if (known.Length == fresh.Length) return known;

        string draft = path + ".new";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            using var text = new StreamWriter(file, leaveOpen: true);
            text.Write(fresh);
            text.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        new SystemDisk().SyncDirectory(journalFolder);
        return fresh;
    }
}
