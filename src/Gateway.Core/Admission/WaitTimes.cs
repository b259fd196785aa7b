namespace Gateway.Core.Admission;

/// <summary>How long requests waited for a slot. Written by the gate, read by <c>/metrics</c>.</summary>
public sealed class WaitTimes
{
    // Upper bounds of the buckets in microseconds: a small request takes some ten, a large batch some ten thousand.
    private static readonly int[] Bounds =
        [100, 250, 500, 1_000, 2_500, 5_000, 10_000, 25_000, 50_000, 100_000, 250_000, 500_000, 1_000_000, 5_000_000];

    private readonly long[] _buckets = new long[Bounds.Length + 1];
    private long _ticks;

    /// <summary>All waiting, together.</summary>
    public TimeSpan Total => new(Volatile.Read(ref _ticks));

    /// <summary>Upper bounds in microseconds, each with those that waited no longer; then all of them.</summary>
    public IEnumerable<(int? Microseconds, long Count)> Buckets()
    {
        long count = 0;
        for (int i = 0; i < _buckets.Length; i++)
        {
            count += Volatile.Read(ref _buckets[i]);
            yield return (i < Bounds.Length ? Bounds[i] : null, count);
        }
    }

    internal void Count(TimeSpan waited)
    {
        int bucket = 0;
        while (bucket < Bounds.Length && waited.TotalMicroseconds > Bounds[bucket]) bucket++;

        Interlocked.Increment(ref _buckets[bucket]);
        Interlocked.Add(ref _ticks, waited.Ticks);
    }
}
