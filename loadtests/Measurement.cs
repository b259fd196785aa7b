using System.Collections.Concurrent;

namespace Gateway.LoadTests;

/// <param name="IsGood">It was answered as it must be.</param>
/// <param name="EventsAcked">How many events the answer promised to have kept.</param>
/// <param name="Status">Of the answer; 0 where that is not what counts.</param>
internal readonly record struct StepResult(bool IsGood, int EventsAcked = 0, int Status = 0);

/// <summary>What one run of a scenario came to, as a whole and second by second. Thread safe.</summary>
internal sealed class Measurement
{
    private readonly ConcurrentDictionary<int, LatencyHistogram> _seconds = new();
    private long _good;
    private long _failed;
    private long _eventsAcked;

    /// <summary>Of all that were answered, from when they were meant to start.</summary>
    public LatencyHistogram Latency { get; } = new();

    /// <summary>The same, by the second in which they were meant to start.</summary>
    public IReadOnlyList<(int Second, LatencyHistogram Latency)> Seconds =>
        [.. _seconds.OrderBy(pair => pair.Key).Select(pair => (pair.Key, pair.Value))];

    public long Good => Volatile.Read(ref _good);

    /// <summary>Answered otherwise than they must be, or not at all.</summary>
    public long Failed => Volatile.Read(ref _failed);

    /// <summary>Why the first of them failed; null while none has.</summary>
    public string? FirstFailure { get; private set; }

    /// <summary>Of the answers, also of those that should have been others.</summary>
    public long EventsAcked => Volatile.Read(ref _eventsAcked);

    /// <summary>From the first intended start to the last answer; set at the end.</summary>
    public TimeSpan Took { get; set; }

    /// <summary>Answers a second.</summary>
    public double Rate => Took > TimeSpan.Zero ? Latency.Count / Took.TotalSeconds : 0;

    public void Answered(TimeSpan intended, TimeSpan answered, StepResult result)
    {
        Latency.Record(answered - intended);
        _seconds.GetOrAdd((int)intended.TotalSeconds, _ => new LatencyHistogram()).Record(answered - intended);
        if (!result.IsGood) FirstFailure ??= $"answered with {result.Status} after {answered - intended}";
        Interlocked.Increment(ref result.IsGood ? ref _good : ref _failed);
        Interlocked.Add(ref _eventsAcked, result.EventsAcked);
    }

    public void NotAnswered(long count = 1, string why = "not answered in time")
    {
        if (count > 0) FirstFailure ??= why;
        Interlocked.Add(ref _failed, count);
    }
}
