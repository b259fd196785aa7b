namespace Gateway.Core.Journal;

/// <summary>
/// What the journal asks of a disk. Nothing is durable before the matching sync returned: a file's bytes after
/// <see cref="IDiskFile.Sync"/>, a name after <see cref="SyncDirectory"/>. Failures are <see cref="IOException"/>s.
/// </summary>
public interface IDisk
{
    void CreateDirectory(string path);

    /// <summary>The names of the files in a directory, without their path.</summary>
    IReadOnlyList<string> List(string directory);

    /// <summary>Holds the file for this process alone until disposed; null when another one holds it.</summary>
    IDisposable? TryLock(string path);

    /// <summary>Opens an existing file to read and write.</summary>
    IDiskFile Open(string path);

    /// <summary>Opens an existing file to read only; it may be one that cannot be written.</summary>
    IDiskFile OpenToRead(string path);

    /// <summary>Makes an empty file, in place of any that had the name.</summary>
    IDiskFile Create(string path);

    /// <summary>Replaces what had the new name, in one step.</summary>
    void Rename(string path, string newPath);

    void Delete(string path);

    void SyncDirectory(string directory);

    DiskSpace GetSpace(string directory);
}

/// <summary>An open file; every call names its offset, so that reader and writer share it.</summary>
public interface IDiskFile : IDisposable
{
    long Length { get; }

    /// <summary>Returns how many bytes were read, which may be fewer than asked for; 0 only at the end.</summary>
    int Read(Span<byte> buffer, long offset);

    /// <summary>Returns how many bytes were written, which may be fewer than given.</summary>
    int Write(ReadOnlySpan<byte> data, long offset);

    /// <summary>
    /// Writes zeros from the start up to this length, so that no later write has to allocate. They need not be in the
    /// cache afterwards.
    /// </summary>
    void Prewrite(long length) => DiskFiles.WriteZeros(this, 0, length);

    /// <summary>Makes what was written durable. After a failure the file's unsynced bytes are lost for good.</summary>
    void Sync();

    void SetLength(long length);

    /// <summary>
    /// What was synced need not be kept in memory: it will not be read soon. Advice, which never fails.
    /// </summary>
    void Uncache()
    {
    }
}

/// <param name="FreeBytes">What this process may still write.</param>
/// <param name="TotalBytes">The size of the file system.</param>
public readonly record struct DiskSpace(long FreeBytes, long TotalBytes);
