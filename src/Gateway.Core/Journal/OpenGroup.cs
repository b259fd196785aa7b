using System.Collections.Concurrent;

namespace Gateway.Core.Journal;

/// <summary>
/// The group that appends may still join: a list that any thread pushes to and that the committer takes whole,
/// without a lock on either side. Taking it is what closes the group, and is a full fence in the machine's sense:
/// whatever the committer does next, it does after the close.
/// </summary>
internal sealed class OpenGroup
{
    private readonly PendingAppend _seal;
    private PendingAppend? _last;

    public OpenGroup(ConcurrentQueue<PendingAppend> pool) => _seal = PendingAppend.Rent(pool, null, 0, 0, default);

    /// <summary>False when the journal was closed.</summary>
    /// <param name="pending">The append that joins.</param>
    /// <param name="isFirst">Whether the group was empty: then the committer wants waking.</param>
    public bool TryJoin(PendingAppend pending, out bool isFirst)
    {
        while (true)
        {
            var last = Volatile.Read(ref _last);
            isFirst = last is null;
            if (last == _seal) return false;

            pending.Next = last;
            if (Interlocked.CompareExchange(ref _last, pending, last) == last) return true;
        }
    }

    /// <summary>Closes the group and returns it in the order of arrival; null when it is empty.</summary>
    public PendingAppend? Close() =>
        Volatile.Read(ref _last) is null ? null : Reverse(Interlocked.Exchange(ref _last, null));

    /// <summary>Closes the last group: nothing can join any more. Once only.</summary>
    public PendingAppend? Seal() => Reverse(Interlocked.Exchange(ref _last, _seal));

    private static PendingAppend? Reverse(PendingAppend? last)
    {
        PendingAppend? first = null;
        while (last is not null)
        {
            (last.Next, first, last) = (first, last, last.Next);
        }

        return first;
    }
}
