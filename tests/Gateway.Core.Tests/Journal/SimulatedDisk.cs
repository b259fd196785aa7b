using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

/// <summary>
/// A disk in memory that forgets as badly as a real one may. A loss of power keeps a random subset of the unsynced
/// sectors and a random number of the unsynced changes to directories; a failed sync does the same and then claims
/// that nothing is left to sync. Everything follows from the seed.
/// </summary>
internal sealed class SimulatedDisk(int seed) : IDisk
{
    private const int Sector = 512;
    private const int InputOutputError = 5;
    private const int NoSpace = 28;

    private readonly Random _random = new(seed);
    private readonly HashSet<string> _locks = [];
    private readonly List<Action<Dictionary<string, Node>>> _unsyncedNames = [];
    private readonly Dictionary<string, Node> _durableNames = [];
    private Dictionary<string, Node> _names = [];
    private int _life;

    /// <summary>What was asked of the disk, in order, as <c>verb name</c>.</summary>
    public List<string> Log { get; } = [];

    public long TotalBytes { get; set; } = 1L << 40;

    public long FreeBytes { get; set; } = 1L << 39;

    /// <summary>How many more bytes files may grow by before the disk is full.</summary>
    public long GrowthLeft { get; set; } = long.MaxValue;

    public bool WritesShort { get; set; }

    public Predicate<string> FailSync { get; set; } = _ => false;

    public Predicate<string> FailWrite { get; set; } = _ => false;

    public Predicate<string> FailSyncDirectory { get; set; } = _ => false;

    public IEnumerable<string> Paths => _names.Keys.Order(StringComparer.Ordinal);

    /// <summary>Bytes of a file as every process sees them; changing them changes what is durable too.</summary>
    public byte[] Bytes(string path) => _names[path].Current;

    public void Corrupt(string path, int offset, byte mask = 0xFF)
    {
        var node = _names[path];
        node.Current[offset] ^= mask;
        if (offset < node.Durable.Length) node.Durable[offset] = node.Current[offset];
    }

    /// <summary>The process dies; the kernel lives on, and so does all that was written.</summary>
    public void Kill()
    {
        _life++;
        _locks.Clear();
    }

    /// <summary>The power goes.</summary>
    public void LosePower()
    {
        Kill();
        foreach (var change in _unsyncedNames.Take(_random.Next(_unsyncedNames.Count + 1))) change(_durableNames);
        _unsyncedNames.Clear();

        foreach (var node in _names.Values.Concat(_durableNames.Values).Distinct()) node.LosePower(_random);
        _names = new Dictionary<string, Node>(_durableNames);
    }

    public void CreateDirectory(string path)
    {
    }

    public IReadOnlyList<string> List(string directory) =>
        [.. _names.Keys.Where(path => Path.GetDirectoryName(path) == directory).Select(path => Path.GetFileName(path))];

    public IDisposable? TryLock(string path) => _locks.Add(path) ? new FileLock(this, path) : null;

    public IDiskFile Open(string path) => new FileHandle(this, path, _names[path]);

    public IDiskFile Create(string path)
    {
        var node = new Node();
        Change(names => names[path] = node);
        return new FileHandle(this, path, node);
    }

    public void Rename(string path, string newPath)
    {
        Log.Add($"rename {Path.GetFileName(path)} {Path.GetFileName(newPath)}");
        var node = _names[path];
        Change(names =>
        {
            names.Remove(path);
            names[newPath] = node;
        });
    }

    public void Delete(string path)
    {
        Log.Add($"delete {Path.GetFileName(path)}");
        Change(names => names.Remove(path));
    }

    public void SyncDirectory(string directory)
    {
        Log.Add("sync-directory");
        if (FailSyncDirectory(directory)) throw new IOException("simulated", InputOutputError);

        foreach (var change in _unsyncedNames) change(_durableNames);
        _unsyncedNames.Clear();
    }

    public DiskSpace GetSpace(string directory) => new(FreeBytes, TotalBytes);

    private void Change(Action<Dictionary<string, Node>> change)
    {
        change(_names);
        _unsyncedNames.Add(change);
    }

    private sealed class FileLock(SimulatedDisk disk, string path) : IDisposable
    {
        public void Dispose() => disk._locks.Remove(path);
    }

    private sealed class FileHandle(SimulatedDisk disk, string path, Node node) : IDiskFile
    {
        private readonly string _name = Path.GetFileName(path);
        private readonly int _life = disk._life;
        private bool _closed;

        public long Length => Live().Current.Length;

        public int Read(Span<byte> buffer, long offset)
        {
            byte[] bytes = Live().Current;
            int count = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
            bytes.AsSpan((int)Math.Min(offset, bytes.Length), count).CopyTo(buffer);
            return count;
        }

        public int Write(ReadOnlySpan<byte> data, long offset)
        {
            Live();
            disk.Log.Add($"write {_name}");
            if (disk.FailWrite(_name)) throw new IOException("simulated", InputOutputError);
            if (disk.WritesShort) data = data[..disk._random.Next(1, data.Length + 1)];

            long growth = Math.Max(0, offset + data.Length - node.Current.Length);
            if (growth > disk.GrowthLeft) throw new IOException("simulated", NoSpace);

            disk.GrowthLeft -= growth;
            node.Write(data, (int)offset);
            return data.Length;
        }

        public void Sync()
        {
            Live();
            disk.Log.Add($"sync {_name}");
            if (!disk.FailSync(_name))
            {
                node.Sync();
                return;
            }

            node.FailSync(disk._random);
            throw new IOException("simulated", InputOutputError);
        }

        public void SetLength(long length) => Live().SetLength((int)length);

        public void Dispose() => _closed = true;

        private Node Live()
        {
            ObjectDisposedException.ThrowIf(_closed, this);
            if (_life != disk._life) throw new InvalidOperationException("This process is dead.");
            return node;
        }
    }

    private sealed class Node
    {
        private readonly HashSet<int> _dirty = [];

        public byte[] Current { get; private set; } = [];

        public byte[] Durable { get; private set; } = [];

        public void Write(ReadOnlySpan<byte> data, int offset)
        {
            if (data.IsEmpty) return;
            if (offset + data.Length > Current.Length) SetLength(offset + data.Length);

            data.CopyTo(Current.AsSpan(offset));
            int last = (offset + data.Length - 1) / Sector;
            for (int sector = offset / Sector; sector <= last; sector++) _dirty.Add(sector);
        }

        public void SetLength(int length)
        {
            byte[] bytes = Current;
            Array.Resize(ref bytes, length);
            Current = bytes;
        }

        public void Sync()
        {
            if (Durable.Length != Current.Length) TakeLength();
            foreach (int sector in _dirty) Persist(sector);
            _dirty.Clear();
        }

        public void FailSync(Random random)
        {
            PersistSome(random);
            _dirty.Clear(); // The pages count as clean now, whatever became of them.
        }

        public void LosePower(Random random)
        {
            PersistSome(random);
            _dirty.Clear();
            Current = (byte[])Durable.Clone();
        }

        private void PersistSome(Random random)
        {
            if (Durable.Length != Current.Length && random.Next(2) == 0) TakeLength();

            // Pages, or the sectors of torn pages; all of them, few of them, or nearly all.
            int together = random.Next(2) == 0 ? 1 : 8;
            double likelihood = random.Next(4) switch { 0 => 0, 1 => 0.2, 2 => 0.8, _ => 1 };
            foreach (var page in _dirty.Order().GroupBy(sector => sector / together))
            {
                if (random.NextDouble() >= likelihood) continue;
                foreach (int sector in page) Persist(sector);
            }
        }

        private void TakeLength()
        {
            byte[] bytes = Durable;
            Array.Resize(ref bytes, Current.Length);
            Durable = bytes;
        }

        private void Persist(int sector)
        {
            int from = sector * Sector;
            int count = Math.Min(Sector, Math.Min(Current.Length, Durable.Length) - from);
            if (count > 0) Current.AsSpan(from, count).CopyTo(Durable.AsSpan(from));
        }
    }
}
