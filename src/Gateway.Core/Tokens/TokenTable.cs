using System.Diagnostics;

namespace Gateway.Core.Tokens;

/// <summary>
/// The tokens seen, found by their bytes without locks or allocation. Open addressing in an array of slots:
/// <code>
/// slot     entry reference, then 32 bits of its hash
/// empty    null: a search ends here
/// removed  an entry with an empty token: a search goes on, a later entry may take the place
/// </code>
/// Readers and the one writer at a time agree on order alone. A change is applied to the slots first and its snapshot
/// is published afterwards, while a reader reads the snapshot first and the slots afterwards: whoever saw stamp n sees
/// every change up to n. And an entry that <see cref="TokenEntry.IsCurrent"/> is in the table: what leaves it, for
/// whatever reason, is ended, so that no change can miss an entry that somebody still holds.
/// </summary>
public sealed class TokenTable
{
    /// <summary>About 170 MB when full.</summary>
    public const int DefaultCapacity = 1_000_000;

    private const int FirstSlots = 1024;

    private readonly Lock _writing = new();
    private readonly int _capacity;
    private readonly TokenHash _hash = new();
    private readonly TokenEntry _removed = new(tokenId: 0, projectId: 0, token: []);
    private readonly UnknownTokens _unknown = new();
    private readonly RecentChanges _recent = new();

    private Slot[] _slots = new Slot[FirstSlots];
    private TableSnapshot _snapshot = new(Version: 0, new EpochStamp(-1, 0));
    private int _count;
    private int _removedCount;

    public TokenTable(int capacity = DefaultCapacity)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(capacity, 1);
        _capacity = capacity;
    }

    /// <summary>Every change up to its stamp has been applied.</summary>
    public TableSnapshot Snapshot => Volatile.Read(ref _snapshot);

    /// <summary>Tokens held; an approximation while one is being added.</summary>
    public int Count => Volatile.Read(ref _count);

    /// <summary>
    /// Finds the entry of a token. The snapshot is read before the slots, which is what makes the answer hold at its
    /// stamp.
    /// </summary>
    internal bool TryFind(ReadOnlySpan<byte> token, out TokenEntry? entry, out long version)
    {
        version = Volatile.Read(ref _snapshot).Version;
        entry = token.IsEmpty ? null : Find(Volatile.Read(ref _slots), token, _hash.Of(token));
        return entry is not null;
    }

    /// <summary>Whether the database was asked and did not know it; asked after <see cref="TryFind"/>.</summary>
    internal bool IsUnknown(ReadOnlySpan<byte> token) => _unknown.Contains(token, _hash.Of(token));

    /// <summary>
    /// Takes in what was read of a token that was not here. False when the table has not come so far, or has moved on
    /// and does not know that nothing touched this token since: then it must be read anew.
    /// </summary>
    internal bool TryLearn(byte[] token, in TokenReading reading, out TokenEntry? entry, out long version)
    {
        ulong hash = _hash.Of(token);
        lock (_writing)
        {
            (entry, version) = (null, _snapshot.Version);
            bool isTrue = _snapshot.Stamp == reading.Stamp
                || (reading.Row is { } row && _recent.IsUntouchedSince(reading.Stamp, row.Id));
            StopHere.Weaken("fill", ref isTrue);
            if (!isTrue) return false;

            if (reading.Row is null)
            {
                _unknown.Add(token, hash);
                return true;
            }

            entry = Find(_slots, token, hash);
            if (entry is not null) return true;
            if (_count >= _capacity && !TryEvict(from: (int)(hash >> 32))) return false;

            Debug.Assert(reading.Row.Token.AsSpan().SequenceEqual(token));
            entry = reading.Row.ToEntry();
            Add(entry, hash);
            return true;
        }
    }

    /// <summary>Whether every change up to this stamp, of this line, is known to have been applied.</summary>
    internal bool HasPassed(EpochStamp stamp)
    {
        if (Snapshot.Stamp == stamp) return true;
        lock (_writing) return _recent.Contains(stamp);
    }

    /// <summary>Applies changes read from the log, then publishes the stamp at which they are true.</summary>
    internal void Apply(TokenChanges changes)
    {
        lock (_writing)
        {
            Debug.Assert(changes.Stamp.Epoch >= _snapshot.Stamp.Epoch);
            foreach (var row in changes.Rows) Apply(row);
            _recent.Add(changes.Log);
            Publish(changes.Stamp);
        }
    }

    /// <summary>Starts anew from the imported tokens; what was here ends, and is learned again on demand.</summary>
    internal void Load(TokenChanges imported)
    {
        // Whole before it is shown: a reader must not take a token for unknown because it is not loaded yet.
        var slots = new Slot[SlotsFor(imported.Rows.Count)];
        foreach (var row in imported.Rows) Put(slots, row.ToEntry(), _hash.Of(row.Token));

        lock (_writing)
        {
            foreach (ref readonly var slot in _slots.AsSpan()) slot.Entry?.End();
            _unknown.Clear();
            Volatile.Write(ref _slots, slots);
            Volatile.Write(ref _count, imported.Rows.Count);
            _removedCount = 0;
            _recent.Clear();
            _recent.Add(imported.Log);
            Publish(imported.Stamp);
        }
    }

    private static TokenEntry? Find(Slot[] slots, ReadOnlySpan<byte> token, ulong hash)
    {
        int mask = slots.Length - 1;
        uint tag = (uint)(hash >> 32);

        // Ends, because at least a quarter of the slots is empty.
        for (int i = (int)hash & mask; ; i = (i + 1) & mask)
        {
            // The entry first: its tag was written before it.
            ref var slot = ref slots[i];
            var entry = Volatile.Read(ref slot.Entry);
            if (entry is null) return null;
            if (slot.Tag == tag && entry.Token.SequenceEqual(token)) return entry;
        }
    }

    private void Publish(EpochStamp stamp) =>
        Volatile.Write(ref _snapshot, new TableSnapshot(_snapshot.Version + 1, stamp));

    private void Apply(TokenRow row)
    {
        ulong hash = _hash.Of(row.Token);
        _unknown.Remove(row.Token, hash);

        var old = Find(_slots, row.Token, hash);
        if (old is not null) Remove(old, hash);

        // Imported tokens are all here; ours are when they were before, and are learned on demand otherwise.
        if (row.IsLive && (row.IsImported || old is not null)) Add(row.ToEntry(), hash);
    }

    private void Add(TokenEntry entry, ulong hash)
    {
        // Searches end at an empty slot: a quarter stays empty.
        if ((_count + _removedCount + 1) * 4L > _slots.Length * 3L) Rebuild();

        if (Put(_slots, entry, hash)) _removedCount--;
        Volatile.Write(ref _count, _count + 1);
    }

    /// <summary>True when the place of a removed entry was taken.</summary>
    private bool Put(Slot[] slots, TokenEntry entry, ulong hash)
    {
        int mask = slots.Length - 1;
        int i = (int)hash & mask;
        while (slots[i].Entry is { } taken && taken != _removed) i = (i + 1) & mask;

        bool reused = slots[i].Entry is not null;
        slots[i].Tag = (uint)(hash >> 32);
        Volatile.Write(ref slots[i].Entry, entry);
        return reused;
    }

    private void Remove(TokenEntry entry, ulong hash)
    {
        int mask = _slots.Length - 1;
        int i = (int)hash & mask;
        while (_slots[i].Entry != entry) i = (i + 1) & mask;
        Empty(ref _slots[i]);
    }

    private void Empty(ref Slot slot)
    {
        slot.Entry!.End();
        Volatile.Write(ref slot.Entry, _removed);
        Volatile.Write(ref _count, _count - 1);
        _removedCount++;
    }

    /// <summary>Makes room for one: the hash of the newcomer is as good as a die. Imported tokens stay.</summary>
    private bool TryEvict(int from)
    {
        int mask = _slots.Length - 1;
        for (int n = 0; n < _slots.Length; n++)
        {
            ref var slot = ref _slots[(from + n) & mask];
            if (slot.Entry is not { IsImported: false } entry || entry == _removed) continue;

            Empty(ref slot);
            return true;
        }

        return false;
    }

    /// <summary>Into a new array, half full at most; who still reads the old one holds an old snapshot too.</summary>
    private void Rebuild()
    {
        var slots = new Slot[SlotsFor(_count + 1)];
        foreach (ref readonly var slot in _slots.AsSpan())
        {
            if (slot.Entry is { } entry && entry != _removed) Put(slots, entry, _hash.Of(entry.Token));
        }

        _removedCount = 0;
        Volatile.Write(ref _slots, slots);
    }

    private static int SlotsFor(int entries)
    {
        int slots = FirstSlots;
        while (slots < entries * 2L) slots *= 2;
        return slots;
    }

    private struct Slot
    {
        public TokenEntry? Entry;
        public uint Tag;
    }
}

/// <summary>What a table has come to.</summary>
/// <param name="Version">
/// Counts what was applied or loaded in this process, so that it orders look-ups also when the stamp does not: the
/// database may be put back. 0: nothing was loaded yet.
/// </param>
/// <param name="Stamp">The stamp up to which every change has been applied.</param>
public sealed record TableSnapshot(long Version, EpochStamp Stamp);
