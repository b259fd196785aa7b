namespace Gateway.Capture;

/// <summary>
/// Bounds the bytes of all bodies that are in memory at one time, and what one project may have of them. Past either
/// bound a request is answered 503: memory is the one thing that a gateway under attack must not run out of, and one
/// project's flood must leave some for the others.
/// </summary>
/// <param name="limitBytes">All projects together.</param>
/// <param name="shareBytes">One project, or several whose keys fall together.</param>
internal sealed class InFlightBudget(long limitBytes, long shareBytes)
{
    private const int Shares = 4096;

    private readonly long[] _shares = new long[Shares];
    private long _held;

    public long HeldBytes => Volatile.Read(ref _held);

    /// <summary>Whether so many more are allowed just now, whosever they are.</summary>
    public bool HasRoomFor(long bytes) => HeldBytes + bytes <= limitBytes;

    /// <param name="owner">Whose they are taken to be; 0: nobody's in particular, and no share is looked at.</param>
    /// <param name="bytes">How many more.</param>
    public bool TryCharge(ulong owner, long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) > limitBytes)
        {
            Interlocked.Add(ref _held, -bytes);
            return false;
        }

        if (TryTakeShare(owner, bytes)) return true;

        Interlocked.Add(ref _held, -bytes);
        return false;
    }

    /// <summary>What was charged to one is another's. False: that one has its share, and nothing is moved.</summary>
    public bool TryMove(ulong from, ulong to, long bytes)
    {
        if (bytes > 0 && !TryTakeShare(to, bytes)) return false;

        GiveShareBack(from, bytes);
        return true;
    }

    public void Release(ulong owner, long bytes)
    {
        GiveShareBack(owner, bytes);
        Interlocked.Add(ref _held, -bytes);
    }

    private bool TryTakeShare(ulong owner, long bytes)
    {
        if (owner == 0 || Interlocked.Add(ref _shares[owner % Shares], bytes) <= shareBytes) return true;

        GiveShareBack(owner, bytes);
        return false;
    }

    private void GiveShareBack(ulong owner, long bytes)
    {
        if (owner != 0) Interlocked.Add(ref _shares[owner % Shares], -bytes);
    }
}
