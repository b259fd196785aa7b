using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

/// <summary>What can be asked of a disk.</summary>
internal enum DiskCall : byte
{
    CreateDirectory, List, Open, Create, Rename, Delete, SyncDirectory, Space, Read, Write, Sync, SetLength,
}

/// <summary>The process ends here. It is no <see cref="IOException"/>, so that nobody may carry on.</summary>
internal sealed class SimulatedCrashException : Exception;

/// <summary>
/// A disk in memory that forgets as badly as a real one may. A loss of power keeps any subset of the unsynced
/// sectors, whole or in part, and any subset of the unsynced changes of names that do not build on one another; a
/// failed sync does the same and then claims that nothing is left to sync. A call that fails may have been done all
/// the same, and the process can end at any of them. Everything follows from the seed.
/// </summary>
internal sealed class SimulatedDisk(int seed) : IDisk
{
    public const int InputOutputError = 5;
    public const int NoSpace = 28;

    private readonly Random _random = new(seed);
    private readonly HashSet<string> _locks = [];
    private readonly List<NameChange> _unsyncedNames = [];
    private readonly Dictionary<string, SimulatedFile> _durableNames = [];
    private Dictionary<string, SimulatedFile> _names = [];

    /// <summary>What was asked of the disk, in order, as <c>verb name</c>.</summary>
    public List<string> Log { get; } = [];

    /// <summary>False saves the time that the log takes.</summary>
    public bool KeepsLog { get; set; } = true;

    public long TotalBytes { get; set; } = 1L << 40;

    public long FreeBytes { get; set; } = 1L << 39;

    /// <summary>How many more bytes files may grow by before the disk is full.</summary>
    public long GrowthLeft { get; set; } = long.MaxValue;

    /// <summary>Writes and reads are often done only in part.</summary>
    public bool IsShort { get; set; }

    public Predicate<string> FailSync { get; set; } = _ => false;

    public Predicate<string> FailWrite { get; set; } = _ => false;

    public Predicate<string> FailSyncDirectory { get; set; } = _ => false;

    /// <summary>The error number that a call fails with; 0: it does not.</summary>
    public Func<DiskCall, string, int>? Fault { get; set; }

    /// <summary>How often the disk was called.</summary>
    public long Calls { get; private set; }

    /// <summary>The call at which the process ends, before, in the middle or after it.</summary>
    public long CrashAt { get; set; } = -1;

    public IEnumerable<string> Paths => _names.Keys.Order(StringComparer.Ordinal);

    /// <summary>Which process runs: a dead one's files cannot be used.</summary>
    internal int Life { get; private set; }

    internal Random Random => _random;

    /// <summary>Bytes of a file as every process sees them; changing them changes what is durable too.</summary>
    public byte[] Bytes(string path) => _names[path].Bytes.ToArray();

    public void Corrupt(string path, int offset, byte mask = 0xFF) => _names[path].Corrupt(offset, mask);

    /// <summary>The process dies; the kernel lives on, and so does all that was written, but for failed syncs.</summary>
    public void Kill()
    {
        Life++;
        CrashAt = -1;
        _locks.Clear();
        if (_random.Next(2) == 0) return;

        // The kernel needs the memory: what it calls clean is read from the disk again.
        foreach (var file in _names.Values) file.Evict();
    }

    /// <summary>The power goes.</summary>
    public void LosePower()
    {
        Kill();
        KeepSomeNames();
        _unsyncedNames.Clear();
        foreach (var file in _names.Values.Concat(_durableNames.Values).Distinct()) file.LosePower(_random);
        _names = new Dictionary<string, SimulatedFile>(_durableNames);
    }

    public void CreateDirectory(string path) => Do(DiskCall.CreateDirectory, path);

    public IReadOnlyList<string> List(string directory)
    {
        Do(DiskCall.List, directory);
        return [.. _names.Keys
            .Where(path => Path.GetDirectoryName(path.AsSpan()).SequenceEqual(directory))
            .Select(path => Path.GetFileName(path))];
    }

    public IDisposable? TryLock(string path) => _locks.Add(path) ? new FileLock(this, path) : null;

    public IDiskFile Open(string path)
    {
        Do(DiskCall.Open, path);
        return _names.TryGetValue(path, out var file)
            ? new SimulatedHandle(this, path, file)
            : throw new FileNotFoundException("simulated", path);
    }

    public IDiskFile OpenToRead(string path) => Open(path);

    public IDiskFile Create(string path)
    {
        SimulatedFile? made = null;
        Do(DiskCall.Create, path, () =>
        {
            // A file that has the name already stays the same one and becomes empty.
            if (_names.TryGetValue(path, out made))
            {
                made.SetLength(0);
                return;
            }

            made = new SimulatedFile();
            Change(new NameChange(path, null, made));
        });
        return new SimulatedHandle(this, path, made!);
    }

    public void Rename(string path, string newPath)
    {
        if (KeepsLog) Log.Add($"rename {Path.GetFileName(path)} {Path.GetFileName(newPath)}");
        Do(DiskCall.Rename, path, () => Change(new NameChange(newPath, path, _names[path])));
    }

    public void Delete(string path)
    {
        if (KeepsLog) Log.Add($"delete {Path.GetFileName(path)}");
        Do(DiskCall.Delete, path, () =>
        {
            if (_names.TryGetValue(path, out var file)) Change(new NameChange(null, path, file));
        });
    }

    public void SyncDirectory(string directory)
    {
        if (KeepsLog) Log.Add("sync-directory");
        if (FailSyncDirectory(directory)) throw Error(InputOutputError);

        Enter(DiskCall.SyncDirectory, directory, () =>
        {
            foreach (var change in _unsyncedNames.GetRange(0, _random.Next(_unsyncedNames.Count + 1)))
            {
                change.ApplyTo(_durableNames);
                _unsyncedNames.Remove(change);
            }
        });
        foreach (var change in _unsyncedNames) change.ApplyTo(_durableNames);
        _unsyncedNames.Clear();
    }

    public DiskSpace GetSpace(string directory)
    {
        Do(DiskCall.Space, directory);
        return new DiskSpace(FreeBytes, TotalBytes);
    }

    /// <summary>
    /// Counts the call, and throws when it is to fail or to be the last; <paramref name="partly"/> does then what
    /// part of it has happened all the same.
    /// </summary>
    internal void Enter(DiskCall call, string path, Action? partly = null)
    {
        int error = Fault?.Invoke(call, Path.GetFileName(path)) ?? 0;
        bool isLast = Calls++ == CrashAt;
        if (error == 0 && !isLast) return;

        if (_random.Next(2) == 0) partly?.Invoke();
        throw isLast ? new SimulatedCrashException() : Error(error);
    }

    internal static IOException Error(int number) => new("simulated", number);

    private void Do(DiskCall call, string path, Action? action = null)
    {
        Enter(call, path, action);
        action?.Invoke();
    }

    private void Change(NameChange change)
    {
        change.ApplyTo(_names);
        _unsyncedNames.Add(change);
    }

    /// <summary>A change of names is kept or not; one that builds on a lost one is lost with it.</summary>
    private void KeepSomeNames()
    {
        HashSet<string> lost = [];
        HashSet<SimulatedFile> strayed = [];
        int likelihood = _random.Next(4) switch { 0 => 0, 1 => 50, 2 => 90, _ => 100 };
        foreach (var change in _unsyncedNames)
        {
            bool follows = strayed.Contains(change.File)
                || (change.To is not null && lost.Contains(change.To))
                || (change.From is not null && lost.Contains(change.From));
            if (!follows && _random.Next(100) < likelihood)
            {
                change.ApplyTo(_durableNames);
                continue;
            }

            strayed.Add(change.File);
            if (change.To is not null) lost.Add(change.To);
            if (change.From is not null) lost.Add(change.From);
        }
    }

    private sealed class FileLock(SimulatedDisk disk, string path) : IDisposable
    {
        private readonly int _life = disk.Life;

        public void Dispose()
        {
            if (_life == disk.Life) disk._locks.Remove(path);
        }
    }

    /// <param name="To">The name that the file has from now on; null: none.</param>
    /// <param name="From">The name that it has no more; null: it had none.</param>
    /// <param name="File">The file.</param>
    private sealed record NameChange(string? To, string? From, SimulatedFile File)
    {
        public void ApplyTo(Dictionary<string, SimulatedFile> names)
        {
            if (From is not null) names.Remove(From);
            if (To is not null) names[To] = File;
        }
    }
}
