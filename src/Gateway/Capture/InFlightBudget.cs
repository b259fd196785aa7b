namespace Gateway.Capture;

/// <summary>
/// Bounds the bytes of all bodies that are in memory at one time. Past the bound a request is answered 503: memory
/// is the one thing that a gateway under attack must not run out of.
/// </summary>
internal sealed class InFlightBudget(long limitBytes)
{
    private long _held;

    public long HeldBytes => Volatile.Read(ref _held);

    public bool TryCharge(long bytes)
    {
        if (Interlocked.Add(ref _held, bytes) <= limitBytes) return true;

        Release(bytes);
        return false;
    }

    public void Release(long bytes) => Interlocked.Add(ref _held, -bytes);
}
