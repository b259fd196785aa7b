using System.Buffers.Binary;

namespace Gateway.Core.Journal;

/// <summary>
/// How far the journal was shipped, in two small files that are written in turn, so that one is whole whenever the
/// process ends. Little-endian:
/// <code>
/// magic           u32
/// version         u32
/// counter         u64   the slot with the higher one counts
/// segment         u64   the position
/// offset          i64
/// last segment    u64   the highest one that was begun: it must be there at the next start
/// ledger length   u32
/// checksum        u32   CRC-32C of the above and of the ledger
/// ledger          the shipper's own bytes, kept with the position in one step
/// </code>
/// </summary>
internal sealed class PositionSlots : IDisposable
{
    public const int MaxLedgerBytes = 1 << 20;

    private const uint Magic = 0x4F50_5747; // "GWPO"
    private const uint Version = 1;
    internal const int HeaderBytes = 48;
    private const int ChecksumOffset = 44;

    private readonly Lock _lock = new();
    private readonly IDisk _disk;
    private readonly string _directory;
    private readonly IDiskFile?[] _files = new IDiskFile?[2];
    private ulong _counter;
    private byte[] _ledger = [];
    private byte[] _loaded = [];

    private PositionSlots(IDisk disk, string directory)
    {
        _disk = disk;
        _directory = directory;
    }

    /// <summary>Whether a slot could be read; false of a new journal.</summary>
    public bool IsKnown => _counter > 0;

    public JournalPosition Position { get; private set; }

    public ulong LastSegment { get; private set; }

    public ReadOnlyMemory<byte> Ledger => _ledger;

    /// <summary>Whether there are slot files at all, readable or not.</summary>
    public bool AnyFile { get; private set; }

    public static PositionSlots Load(IDisk disk, string directory)
    {
        var slots = new PositionSlots(disk, directory);
        var names = disk.List(directory);
        for (int slot = 0; slot < 2; slot++)
        {
            if (!names.Contains(NameOf(slot))) continue;

            slots.AnyFile = true;
            using var file = disk.Open(slots.PathOf(slot));
            slots.TakeIfNewer(file.ReadRange(0, HeaderBytes + MaxLedgerBytes));
        }

        return slots;
    }

    /// <summary>
    /// Makes what was loaded durable: it may have been read from the kernel's memory alone, and the slot before it is
    /// the next to be written. It is written where it is: should the power go, it is unchanged or the other one counts.
    /// </summary>
    /// <exception cref="JournalException">The disk failed; nothing was changed.</exception>
    public void Secure()
    {
        if (!IsKnown) return;

        try
        {
            using var file = _disk.Open(PathOf(SlotOf(_counter)));
            file.WriteAll(_loaded, 0);
            file.Sync();
            _disk.SyncDirectory(_directory);
        }
        catch (IOException exception)
        {
            throw new JournalException("The journal's position cannot be made durable.", exception);
        }
    }

    /// <summary>Where shipping begins when no slot could be read; saved with whatever is saved next.</summary>
    public void BeginAt(JournalPosition position) => Position = position;

    /// <summary>Durable on return, with the ledger in the same step.</summary>
    public void SavePosition(JournalPosition position, ReadOnlyMemory<byte> ledger)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(ledger.Length, MaxLedgerBytes, nameof(ledger));
        lock (_lock) Save(position, LastSegment, ledger.ToArray());
    }

    /// <summary>Durable on return.</summary>
    public void SaveLastSegment(ulong number)
    {
        lock (_lock) Save(Position, number, _ledger);
    }

    public void Dispose()
    {
        foreach (var file in _files) file?.Dispose();
    }

    /// <summary>Reads the bytes of a slot file; false when they are damaged or torn.</summary>
    /// <exception cref="JournalException">The slot is of a later format.</exception>
    internal static bool TryRead(ReadOnlySpan<byte> bytes, out PositionSlot slot)
    {
        slot = default;
        if (bytes.Length < HeaderBytes || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Magic) return false;

        int ledgerLength = BinaryPrimitives.ReadInt32LittleEndian(bytes[40..]);
        if (ledgerLength < 0 || ledgerLength > bytes.Length - HeaderBytes) return false;

        bytes = bytes[..(HeaderBytes + ledgerLength)];
        if (BinaryPrimitives.ReadUInt32LittleEndian(bytes[ChecksumOffset..]) != Checksum(bytes)) return false;

        uint version = BinaryPrimitives.ReadUInt32LittleEndian(bytes[4..]);
        if (version != Version)
            throw new JournalException($"The journal's position has format {version}; this gateway knows {Version}.");

        slot = new PositionSlot(
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[8..]),
            new JournalPosition(
                BinaryPrimitives.ReadUInt64LittleEndian(bytes[16..]),
                BinaryPrimitives.ReadInt64LittleEndian(bytes[24..])),
            BinaryPrimitives.ReadUInt64LittleEndian(bytes[32..]),
            ledgerLength);
        return true;
    }

    private static int SlotOf(ulong counter) => (int)(counter & 1);

    internal static string NameOf(int slot) => slot == 0 ? "position.0" : "position.1";

    private static byte[] Encode(ulong counter, JournalPosition position, ulong lastSegment, byte[] ledger)
    {
        byte[] bytes = new byte[HeaderBytes + ledger.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Magic);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), Version);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(8), counter);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(16), position.Segment);
        BinaryPrimitives.WriteInt64LittleEndian(bytes.AsSpan(24), position.Offset);
        BinaryPrimitives.WriteUInt64LittleEndian(bytes.AsSpan(32), lastSegment);
        BinaryPrimitives.WriteInt32LittleEndian(bytes.AsSpan(40), ledger.Length);
        ledger.CopyTo(bytes.AsSpan(HeaderBytes));
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(ChecksumOffset), Checksum(bytes));
        return bytes;
    }

    private static uint Checksum(ReadOnlySpan<byte> slot) =>
        Crc32C.Compute(Crc32C.Compute(Magic, slot[..ChecksumOffset]), slot[HeaderBytes..]);

    private void Save(JournalPosition position, ulong lastSegment, byte[] ledger)
    {
        WriteSlot(SlotOf(_counter + 1), Encode(_counter + 1, position, lastSegment, ledger));
        _counter++;
        _ledger = ledger;
        Position = position;
        LastSegment = lastSegment;
    }

    private string PathOf(int slot) => Path.Combine(_directory, NameOf(slot));

    private void TakeIfNewer(ReadOnlySpan<byte> bytes)
    {
        if (!TryRead(bytes, out var slot) || slot.Counter <= _counter) return;

        _counter = slot.Counter;
        _loaded = bytes[..(HeaderBytes + slot.LedgerBytes)].ToArray();
        _ledger = _loaded[HeaderBytes..];
        (Position, LastSegment) = (slot.Position, slot.LastSegment);
    }

    private void WriteSlot(int slot, byte[] bytes)
    {
        bool isNew = _files[slot] is null;
        var file = _files[slot] ?? _disk.Create(PathOf(slot));
        try
        {
            file.WriteAll(bytes, 0);
            file.Sync();
            if (isNew) _disk.SyncDirectory(_directory);
            _files[slot] = file;
        }
        catch (IOException)
        {
            // What failed to sync is never synced again: the next save makes another file.
            _files[slot] = null;
            file.Dispose();
            _disk.Delete(PathOf(slot));
            throw;
        }
    }
}

/// <summary>What one slot says.</summary>
/// <param name="Counter">The slot with the higher one counts.</param>
/// <param name="Position">How far the journal was shipped.</param>
/// <param name="LastSegment">The highest one that was begun.</param>
/// <param name="LedgerBytes">Bytes of the shipper's own.</param>
internal readonly record struct PositionSlot(
    ulong Counter, JournalPosition Position, ulong LastSegment, int LedgerBytes);
