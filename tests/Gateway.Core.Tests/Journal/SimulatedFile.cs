using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

/// <summary>A file's bytes twice: as every process sees them, and as the platters hold them.</summary>
internal sealed class SimulatedFile
{
    private const int Sector = 512;
    private const int SectorsOfAPage = 8;

    private byte[] _current = [];
    private byte[] _durable = [];
    private bool[] _dirty = [];
    private int _length;
    private int _durableLength;

    public ReadOnlySpan<byte> Bytes => _current.AsSpan(0, _length);

    public int Length => _length;

    public void Write(ReadOnlySpan<byte> data, int offset)
    {
        if (data.IsEmpty) return;
        if (offset + data.Length > _length) SetLength(offset + data.Length);

        data.CopyTo(_current.AsSpan(offset));
        MarkDirty(offset, offset + data.Length);
    }

    public void SetLength(int length)
    {
        if (length > _current.Length)
        {
            int room = (Math.Max(length, _current.Length * 2) + Sector - 1) / Sector * Sector;
            Array.Resize(ref _current, room);
            Array.Resize(ref _durable, room);
            Array.Resize(ref _dirty, room / Sector);
        }

        int before = _length;
        _length = length;
        if (length <= before) return;

        // What the file held there before it was cut is not what it holds now.
        _current.AsSpan(before, length - before).Clear();
        MarkDirty(before, length);
    }

    public void Corrupt(int offset, byte mask)
    {
        _current[offset] ^= mask;
        _durable[offset] = _current[offset];
    }

    public void Sync()
    {
        TakeLength();
        for (int sector = 0; sector < _dirty.Length; sector++)
        {
            if (_dirty[sector]) Persist(sector, Sector);
        }

        Array.Clear(_dirty);
    }

    public void FailSync(Random random)
    {
        PersistSome(random);
        Array.Clear(_dirty); // The pages count as clean now, whatever became of them.
    }

    public void LosePower(Random random)
    {
        PersistSome(random);
        Array.Clear(_dirty);
        _length = _durableLength;
        _durable.CopyTo(_current, 0);
    }

    /// <summary>Reads what counts as clean from the platters again.</summary>
    public void Evict()
    {
        for (int sector = 0; sector < _dirty.Length; sector++)
        {
            if (_dirty[sector]) continue;
            _durable.AsSpan(sector * Sector, Sector).CopyTo(_current.AsSpan(sector * Sector));
        }
    }

    private void MarkDirty(int from, int to)
    {
        for (int sector = from / Sector; sector <= (to - 1) / Sector; sector++) _dirty[sector] = true;
    }

    private void PersistSome(Random random)
    {
        if (_durableLength != _length && random.Next(2) == 0) TakeLength();

        // Pages, or the sectors of torn pages; all of them, few of them, or nearly all; and sectors cut in two.
        int together = random.Next(2) == 0 ? 1 : SectorsOfAPage;
        int likelihood = random.Next(4) switch { 0 => 0, 1 => 20, 2 => 80, _ => 100 };
        bool tears = random.Next(3) == 0;
        for (int page = 0; page < _dirty.Length; page += together)
        {
            if (!IsDirty(page, together) || random.Next(100) >= likelihood) continue;

            for (int sector = page; sector < Math.Min(page + together, _dirty.Length); sector++)
            {
                if (_dirty[sector]) Persist(sector, tears && random.Next(3) == 0 ? random.Next(Sector) : Sector);
            }
        }
    }

    private bool IsDirty(int from, int count) =>
        _dirty.AsSpan(from, Math.Min(count, _dirty.Length - from)).Contains(true);

    private void TakeLength()
    {
        if (_length < _durableLength) _durable.AsSpan(_length).Clear();
        _durableLength = _length;
    }

    private void Persist(int sector, int bytes) =>
        _current.AsSpan(sector * Sector, bytes).CopyTo(_durable.AsSpan(sector * Sector));
}

/// <summary>One process's handle of a file.</summary>
internal sealed class SimulatedHandle(SimulatedDisk disk, string path, SimulatedFile file) : IDiskFile
{
    private readonly string _name = Path.GetFileName(path);
    private readonly int _life = disk.Life;
    private bool _closed;

    public long Length => Live().Length;

    public int Read(Span<byte> buffer, long offset)
    {
        disk.Enter(DiskCall.Read, _name);
        var bytes = Live().Bytes;
        int count = (int)Math.Clamp(bytes.Length - offset, 0, buffer.Length);
        if (disk.IsShort && count > 1) count = disk.Random.Next(1, count + 1);
        bytes.Slice((int)Math.Min(offset, bytes.Length), count).CopyTo(buffer);
        return count;
    }

    public int Write(ReadOnlySpan<byte> data, long offset)
    {
        Live();
        if (disk.KeepsLog) disk.Log.Add($"write {_name}");
        if (disk.FailWrite(_name)) throw SimulatedDisk.Error(SimulatedDisk.InputOutputError);
        if (disk.IsShort) data = data[..disk.Random.Next(1, data.Length + 1)];

        long growth = Math.Max(0, offset + data.Length - file.Length);
        if (growth > disk.GrowthLeft) throw SimulatedDisk.Error(SimulatedDisk.NoSpace);

        try
        {
            disk.Enter(DiskCall.Write, _name);
        }
        catch
        {
            // Some of it may have come to be.
            file.Write(data[..disk.Random.Next(data.Length + 1)], (int)offset);
            throw;
        }

        disk.GrowthLeft -= growth;
        file.Write(data, (int)offset);
        return data.Length;
    }

    public void Sync()
    {
        Live();
        if (disk.KeepsLog) disk.Log.Add($"sync {_name}");
        if (disk.FailSync(_name))
        {
            file.FailSync(disk.Random);
            throw SimulatedDisk.Error(SimulatedDisk.InputOutputError);
        }

        try
        {
            disk.Enter(DiskCall.Sync, _name);
        }
        catch (IOException)
        {
            file.FailSync(disk.Random);
            throw;
        }

        file.Sync();
    }

    public void SetLength(long length)
    {
        disk.Enter(DiskCall.SetLength, _name);
        Live().SetLength((int)length);
    }

    public void Uncache()
    {
        if (disk.KeepsLog) disk.Log.Add($"uncache {_name}");
        Live().Evict();
    }

    public void Dispose() => _closed = true;

    private SimulatedFile Live()
    {
        ObjectDisposedException.ThrowIf(_closed, this);
        if (_life != disk.Life) throw new InvalidOperationException("This process is dead.");
        return file;
    }
}
