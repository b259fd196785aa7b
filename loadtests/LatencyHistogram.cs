using System.Numerics;

namespace Gateway.LoadTests;

/// <summary>
/// Latencies in nanoseconds, in buckets that are never wider than 1/64 of their value: every percentile is right to
/// within 1.6 %, whatever its size, in a few kilobytes. Thread safe.
/// </summary>
internal sealed class LatencyHistogram
{
    private const int SubBits = 6;
    private const int SubBuckets = 1 << SubBits;

    private readonly long[] _counts = new long[(64 - SubBits) * SubBuckets];

    public long Count => _counts.Sum();

    public void Record(TimeSpan latency) => Record(latency.Ticks * TimeSpan.NanosecondsPerTick);

    public void Record(long nanoseconds) => Interlocked.Increment(ref _counts[Index(nanoseconds)]);

    /// <summary>The smallest latency that is not exceeded by the given share of all.</summary>
    public TimeSpan Percentile(double share) =>
        TimeSpan.FromTicks(Nanoseconds(share) / TimeSpan.NanosecondsPerTick);

    /// <summary>The same in nanoseconds: .NET's own unit of time is a hundred of them.</summary>
    public long Nanoseconds(double share)
    {
        long wanted = (long)Math.Ceiling(share * Count);
        long seen = 0;
        for (int index = 0; index < _counts.Length; index++)
        {
            seen += _counts[index];
            if (seen >= wanted && seen > 0) return Upper(index);
        }

        return 0;
    }

    // Values below SubBuckets have a bucket each; above, the leading bit picks the row and the next six the column.
    private static int Index(long value)
    {
        if (value < SubBuckets) return (int)Math.Max(value, 0);

        int shift = BitOperations.Log2((ulong)value) - SubBits;
        return ((shift + 1) << SubBits) + (int)(value >> shift) - SubBuckets;
    }

    /// <summary>The largest value of a bucket.</summary>
    private static long Upper(int index)
    {
        int row = index >> SubBits;
        return row == 0 ? index : (((long)(index & (SubBuckets - 1)) + SubBuckets + 1) << (row - 1)) - 1;
    }
}
