using Gateway.Core.Journal;

namespace Gateway.Tenancy;

/// <summary>
/// Which journal this is, whoever's machine it is attached to, and whose: two files beside its segments. Ids of
/// projects mean nothing outside of their installation, so neither do the records of its journals.
/// </summary>
internal static class GatewayIdentity
{
    public const string FileName = "gateway.id";
    public const string InstallationFileName = "installation.id";
    private const int Length = 32;

    /// <summary>The journal's own id, random, made once.</summary>
    /// <exception cref="IOException">It can be neither read nor made.</exception>
    public static string ReadOrMake(string journalFolder)
    {
        if (Read(journalFolder, FileName) is { Length: Length } known) return known;

        string id = Guid.NewGuid().ToString("N");
        Write(journalFolder, FileName, id);
        return id;
    }

    /// <summary>Makes the journal this installation's, before it takes anything.</summary>
    /// <param name="journalFolder">Of the journal.</param>
    /// <param name="installationId">Of the control database that this gateway works with.</param>
    /// <param name="isUnused">It never held a record: then it is nobody's, whoever has started with it.</param>
    /// <exception cref="IOException">It can be neither read nor written.</exception>
    /// <exception cref="JournalException">It is another one's; the message is for the operator.</exception>
    public static void Claim(string journalFolder, string installationId, bool isUnused)
    {
        if (!isUnused) RefuseAnothers(journalFolder, installationId);
        if (Read(journalFolder, InstallationFileName) == installationId) return;

        Write(journalFolder, InstallationFileName, installationId);
    }

    /// <summary>One that nobody has claimed, as those of earlier versions, passes.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    /// <exception cref="JournalException">It is another one's; the message is for the operator.</exception>
    public static void RefuseAnothers(string journalFolder, string installationId)
    {
        string owner = Read(journalFolder, InstallationFileName);
        if (owner.Length == 0 || owner == installationId) return;

        throw new JournalException(
            $"The journal in '{journalFolder}' is of another installation: its events would be shown in whatever "
            + "projects have the same ids here. Start this gateway with the control database that belongs to it, or "
            + "with a data folder of its own. If the ids do mean the same projects, or the control database was the "
            + $"wrong one only when the journal was first used, delete '{InstallationFileName}' in that folder.");
    }

    private static string Read(string journalFolder, string fileName)
    {
        string path = Path.Combine(journalFolder, fileName);
        return File.Exists(path) ? File.ReadAllText(path).Trim() : "";
    }

    private static void Write(string journalFolder, string fileName, string value)
    {
        string path = Path.Combine(journalFolder, fileName);
        string draft = path + ".new";
        using (var file = new FileStream(draft, FileMode.Create, FileAccess.Write))
        {
            using var text = new StreamWriter(file, leaveOpen: true);
            text.Write(value);
            text.Flush();
            file.Flush(flushToDisk: true);
        }

        File.Move(draft, path, overwrite: true);
        new SystemDisk().SyncDirectory(journalFolder);
    }
}
