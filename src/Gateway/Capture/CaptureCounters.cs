using Gateway.Core;
using Gateway.Core.Tokens;

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
    RateLimited,
    Failed,
    ClientGone,
}

/// <summary>Counts of the capture path since start, read by <c>/metrics</c>.</summary>
internal sealed class CaptureCounters
{
    private readonly long[] _requests = new long[Enum.GetValues<CaptureOutcome>().Length];
    private readonly long[] _tokens = new long[Enum.GetValues<TokenState>().Length];
    private readonly long[] _rejections = new long[Enum.GetValues<RejectionReason>().Length];
    private readonly long[] _quotaRefusals = new long[Enum.GetValues<QuotaKind>().Length];
    private long _eventsAccepted;
    private long _eventsRefused;
    private long _tokensAsked;

    public long EventsAccepted => Volatile.Read(ref _eventsAccepted);

    public long EventsRefused => Volatile.Read(ref _eventsRefused);

    public long Requests(CaptureOutcome outcome) => Volatile.Read(ref _requests[(int)outcome]);

    /// <summary>Token checks by what they found.</summary>
    public long TokenChecks(TokenState state) => Volatile.Read(ref _tokens[(int)state]);

    /// <summary>Token checks that this process could answer by itself.</summary>
    public long TokensKnown => _tokens.Sum() - Volatile.Read(ref _tokensAsked);

    /// <summary>Requests that were refused, by why.</summary>
    public long Rejections(RejectionReason reason) => Volatile.Read(ref _rejections[(int)reason]);

    /// <summary>Requests past their project's quota, by which limit.</summary>
    public long QuotaRefusals(QuotaKind met) => Volatile.Read(ref _quotaRefusals[(int)met]);

    public void Count(QuotaKind met) => Interlocked.Increment(ref _quotaRefusals[(int)met]);

    public void Count(TokenState state) => Interlocked.Increment(ref _tokens[(int)state]);

    /// <summary>A check that had to be asked of somebody; counted apart from what it found.</summary>
    public void CountAsked() => Interlocked.Increment(ref _tokensAsked);

    public void Count(RejectionReason reason) => Interlocked.Increment(ref _rejections[(int)reason]);

    public void Count(CaptureOutcome outcome) => Interlocked.Increment(ref _requests[(int)outcome]);

    public void CountEvents(int accepted, int refused)
    {
        Interlocked.Add(ref _eventsAccepted, accepted);
        if (refused > 0) Interlocked.Add(ref _eventsRefused, refused);
    }
}
