using System.Collections.Frozen;
using System.Runtime.InteropServices;

namespace Gateway.Core.Shipping;

/// <summary>
/// Projects that were deleted: no row of theirs is shipped any more. Whoever follows the control database replaces the
/// set; the shipper takes it once for each block and counts what it left out. Ids are never used again, so that a
/// project that is in the set stays there.
/// </summary>
public sealed class DeadProjects
{
    private readonly Lock _counting = new();
    private Dictionary<ulong, long> _dropped = [];
    private volatile FrozenSet<ulong> _ids = [];
    private long _total;

    /// <summary>Swapped as a whole: who compares two of them by reference sees whether anything changed.</summary>
    public FrozenSet<ulong> Ids => _ids;

    /// <summary>Rows left out since the start.</summary>
    public long Dropped => Volatile.Read(ref _total);

    public void Replace(FrozenSet<ulong> ids) => _ids = ids;

    /// <summary>What was left out since this was asked last, by project.</summary>
    public IReadOnlyDictionary<ulong, long> TakeDropped()
    {
        lock (_counting)
        {
            var taken = _dropped;
            if (taken.Count > 0) _dropped = [];
            return taken;
        }
    }

    /// <summary>Counted once the range that held them is forgotten; a crash before that counts them again.</summary>
    public void CountDropped(IReadOnlyDictionary<ulong, long> rows)
    {
        if (rows.Count == 0) return;

        lock (_counting)
        {
            foreach (var (project, count) in rows)
            {
                CollectionsMarshal.GetValueRefOrAddDefault(_dropped, project, out _) += count;
                Volatile.Write(ref _total, _total + count);
            }
        }
    }

    /// <summary>Puts back what could not be written down.</summary>
    public void PutBack(IReadOnlyDictionary<ulong, long> rows)
    {
        lock (_counting)
        {
            foreach (var (project, count) in rows)
                CollectionsMarshal.GetValueRefOrAddDefault(_dropped, project, out _) += count;
        }
    }
}
