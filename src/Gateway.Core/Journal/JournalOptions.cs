namespace Gateway.Core.Journal;

/// <summary>Where the journal lives and how much of the disk it may take.</summary>
/// <param name="Directory">Made when missing; one process at a time.</param>
public sealed record JournalOptions(string Directory)
{
    public const long SmallestSegment = 16 << 10;
    public const long LargestSegment = 1 << 30;

    /// <summary>Size of a segment file. A record longer than a segment gets a file of its own.</summary>
    public long SegmentBytes { get; init; } = 64 << 20;

    /// <summary>Bytes of unshipped records at which appends are refused.</summary>
    public long QuotaBytes { get; init; } = 10L << 30;

    /// <summary>
    /// Free bytes below which appends are refused. When null: the greatest of 2 GB, a tenth of the disk, and the size
    /// of the backlog, which needs that much again as stored events before the journal can forget it.
    /// </summary>
    public long? MinFreeBytes { get; init; }

    /// <summary>
    /// Bytes of unshipped records that the system's cache may keep. What comes behind them is dropped from it once its
    /// segment is full: it will not be read soon, and a backlog of hours would take all memory that is free.
    /// </summary>
    public long CachedBytes { get; init; } = 512 << 20;

    /// <summary>A larger group is synced in parts, so that its first records need not wait for its last.</summary>
    public int MaxGroupBytes { get; init; } = 8 << 20;

    public int MaxGroupRecords { get; init; } = 16 << 10;

    /// <summary>Payloads above this are a mistake of the caller, who limits requests to less.</summary>
    public int MaxPayloadBytes { get; init; } = 256 << 20;

    /// <summary>All that is wrong with these options, one sentence each.</summary>
    public IEnumerable<string> Validate()
    {
        if (string.IsNullOrWhiteSpace(Directory)) yield return "The journal needs a directory.";
        if (SegmentBytes is < SmallestSegment or > LargestSegment)
            yield return $"SegmentBytes must be between {SmallestSegment} and {LargestSegment}.";
        if (QuotaBytes < SegmentBytes) yield return "QuotaBytes must be at least SegmentBytes.";
        if (CachedBytes < 0) yield return "CachedBytes cannot be negative.";
        if (MinFreeBytes < 0) yield return "MinFreeBytes cannot be negative.";
        if (MaxGroupBytes <= 0 || MaxGroupRecords <= 0) yield return "A group must be allowed to hold something.";
        if (MaxPayloadBytes is <= 0 or > (int)LargestSegment)
            yield return $"MaxPayloadBytes must be between 1 and {LargestSegment}.";
    }
}
