namespace Gateway.Core.Tokens;

/// <summary>How much a project may send a second, at each gateway.</summary>
/// <param name="EventsPerSecond">Events kept or refused beside kept ones; 0: any number.</param>
/// <param name="BytesPerSecond">Bytes of their text, inflated; 0: any number.</param>
public readonly record struct ProjectQuota(long EventsPerSecond, long BytesPerSecond)
{
    /// <summary>The most that either may be.</summary>
    public const long Most = 1_000_000_000_000;

    public bool IsNone => EventsPerSecond == 0 && BytesPerSecond == 0;
}

/// <summary>Which limit of a project's was met.</summary>
public enum QuotaKind : byte
{
    None,
    Events,
    Bytes,
}

/// <param name="Met">The limit that was met; none: it may be taken.</param>
/// <param name="Wait">Until there is something left again.</param>
public readonly record struct QuotaAnswer(QuotaKind Met, TimeSpan Wait);

/// <summary>
/// What a project has left of its quota: two token buckets that hold <see cref="BurstSeconds"/> of it. A request is
/// taken while there is something left and may take more than that, however large it is; what it took too much has to
/// be made up first. So the rate holds over time, and no batch is too large to be ever sent. Any number of threads.
/// </summary>
/// <remarks>Time is a reading of a clock that never goes back, from whatever moment on.</remarks>
public sealed class QuotaMeter(ProjectQuota quota)
{
    public const int BurstSeconds = 5;

    private readonly Lock _lock = new();
    private double _events = quota.EventsPerSecond * BurstSeconds;
    private double _bytes = quota.BytesPerSecond * BurstSeconds;
    private TimeSpan _filledAt;

    public ProjectQuota Quota => quota;

    /// <summary>Whether anything is left; takes nothing.</summary>
    public QuotaAnswer Look(TimeSpan now)
    {
        lock (_lock)
        {
            Fill(now);
            return Judge();
        }
    }

    /// <summary>Takes so much if anything is left.</summary>
    public QuotaAnswer Take(int events, long bytes, TimeSpan now)
    {
        lock (_lock)
        {
            Fill(now);
            var answer = Judge();
            if (answer.Met == QuotaKind.None) Add(-events, -bytes);
            return answer;
        }
    }

    /// <summary>Gives back what was taken for a request that was not kept after all.</summary>
    public void GiveBack(int events, long bytes)
    {
        lock (_lock) Add(events, bytes);
    }

    private void Fill(TimeSpan now)
    {
        // Two threads may come in another order than they read the clock.
        double seconds = Math.Max(0, (now - _filledAt).TotalSeconds);
        if (now > _filledAt) _filledAt = now;
        _events = Math.Min(_events + (seconds * quota.EventsPerSecond), quota.EventsPerSecond * BurstSeconds);
        _bytes = Math.Min(_bytes + (seconds * quota.BytesPerSecond), quota.BytesPerSecond * BurstSeconds);
    }

    private QuotaAnswer Judge()
    {
        if (quota.EventsPerSecond > 0 && _events < 1)
            return new QuotaAnswer(QuotaKind.Events, Until(1 - _events, quota.EventsPerSecond));
        if (quota.BytesPerSecond > 0 && _bytes < 1)
            return new QuotaAnswer(QuotaKind.Bytes, Until(1 - _bytes, quota.BytesPerSecond));
        return default;
    }

    private void Add(double events, double bytes)
    {
        _events += events;
        _bytes += bytes;
    }

    private static TimeSpan Until(double missing, long perSecond) =>
        TimeSpan.FromSeconds(Math.Min(missing / perSecond, TimeSpan.FromDays(1).TotalSeconds));
}
