namespace Gateway.Core.Tokens;

/// <summary>Whether the table can vouch for anything.</summary>
public enum FenceState : byte
{
    /// <summary>Nothing was loaded yet.</summary>
    Cold,

    /// <summary>Somebody answers, and the table follows.</summary>
    Synced,

    /// <summary>Nobody answered the last question: 503.</summary>
    Unsynced,

    /// <summary>The log does not lead on from where the table is: it is being read anew.</summary>
    Reload,
}

/// <summary>What the fence did since the start. Written by whoever asks, read by <c>/metrics</c>.</summary>
public sealed class FenceCounters
{
    // Upper bounds of the buckets in microseconds: a question inside the process takes less than one, one over the
    // network some hundred, one that waited for a deadline a quarter of a second.
    private static readonly int[] Bounds =
        [1, 5, 10, 25, 50, 100, 200, 400, 800, 1_600, 3_200, 10_000, 50_000, 250_000, 1_000_000];

    private readonly long[] _answered = new long[Enum.GetValues<AuthorityKind>().Length];
    private readonly long[] _buckets = new long[Bounds.Length + 1];
    private long _unavailable;
    private long _ticks;

    /// <summary>Groups that nobody answered for.</summary>
    public long Unavailable => Volatile.Read(ref _unavailable);

    /// <summary>All waiting, together.</summary>
    public TimeSpan Total => new(Volatile.Read(ref _ticks));

    /// <summary>Groups by who answered.</summary>
    public long Answered(AuthorityKind by) => Volatile.Read(ref _answered[(int)by]);

    /// <summary>Upper bounds in microseconds, each with the answers that took no longer; then all of them.</summary>
    public IEnumerable<(int? Microseconds, long Count)> Latencies()
    {
        long count = 0;
        for (int i = 0; i < _buckets.Length; i++)
        {
            count += Volatile.Read(ref _buckets[i]);
            yield return (i < Bounds.Length ? Bounds[i] : null, count);
        }
    }

    internal void CountUnavailable() => Interlocked.Increment(ref _unavailable);

    internal void Count(AuthorityKind by, TimeSpan took)
    {
        int bucket = 0;
        while (bucket < Bounds.Length && took.TotalMicroseconds > Bounds[bucket]) bucket++;

        Interlocked.Increment(ref _answered[(int)by]);
        Interlocked.Increment(ref _buckets[bucket]);
        Interlocked.Add(ref _ticks, took.Ticks);
    }
}
