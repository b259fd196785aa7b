namespace Gateway.Capture;

/// <summary>How a capture request ended.</summary>
internal enum CaptureOutcome : byte
{
    Kept,
    Malformed,
    TooLarge,
    Refused,
    TimedOut,
    Unfenced,
    DiskFull,
    OverQuota,
    OverBudget,
    Failed,
    ClientGone,
}

/// <summary>Counts of the capture path since start, read by <c>/metrics</c>.</summary>
internal sealed class CaptureCounters
{
    private readonly long[] _requests = new long[Enum.GetValues<CaptureOutcome>().Length];
    private long _eventsAccepted;
    private long _eventsRefused;

    public long EventsAccepted => Volatile.Read(ref _eventsAccepted);

    public long EventsRefused => Volatile.Read(ref _eventsRefused);

    public long Requests(CaptureOutcome outcome) => Volatile.Read(ref _requests[(int)outcome]);

    public void Count(CaptureOutcome outcome) => Interlocked.Increment(ref _requests[(int)outcome]);

    public void CountEvents(int accepted, int refused)
    {
        Interlocked.Add(ref _eventsAccepted, accepted);
        if (refused > 0) Interlocked.Add(ref _eventsRefused, refused);
    }
}
