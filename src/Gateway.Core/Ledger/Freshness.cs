using System.Numerics;

namespace Gateway.Core.Ledger;

/// <summary>
/// How long events took from the receipt to where queries see them: by project over the last five to ten minutes, and
/// over all since the start. Times are rounded up to a quarter of an octave, by less than a fifth.
/// </summary>
public sealed class Freshness(TimeProvider time)
{
    private const int StepsPerOctave = 4;
    private const int Octaves = 26;

    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(5);

    private static readonly double[] StepMicros =
        [.. Enumerable.Range(0, Octaves * StepsPerOctave).Select(step => 1000 * MillisecondsOf(step))];

    private readonly Lock _lock = new();
    private readonly long[] _all = new long[Octaves * StepsPerOctave];
    private Dictionary<ulong, int[]> _now = [];
    private Dictionary<ulong, int[]> _before = [];
    private long _turnedAt = time.GetTimestamp();
    private double _seconds;

    /// <summary>Events of one record that can be queried now.</summary>
    public void Add(ulong projectId, long receivedAtMicros, long nowMicros, int events)
    {
        if (events == 0) return;

        long micros = Math.Max(0, nowMicros - receivedAtMicros);
        int step = StepOf(micros);
        lock (_lock)
        {
            TurnIfDue();
            if (!_now.TryGetValue(projectId, out int[]? steps)) _now[projectId] = steps = new int[_all.Length];
            steps[step] += events;
            _all[step] += events;
            _seconds += micros * 1e-6 * events;
        }
    }

    /// <summary>Of one project, lately.</summary>
    public FreshnessFigures Read(ulong projectId)
    {
        long[] sum = new long[_all.Length];
        lock (_lock)
        {
            TurnIfDue();
            foreach (var turn in (ReadOnlySpan<Dictionary<ulong, int[]>>)[_now, _before])
            {
                if (!turn.TryGetValue(projectId, out int[]? steps)) continue;
                for (int i = 0; i < sum.Length; i++) sum[i] += steps[i];
            }
        }

        return new FreshnessFigures(sum.Sum(), Quantile(sum, 0.5), Quantile(sum, 0.99));
    }

    /// <summary>Of all since the start: events that took at most so many seconds, and the sum of seconds.</summary>
    public (IReadOnlyList<(double? UpToSeconds, long Events)> Buckets, double Seconds) Read()
    {
        var buckets = new List<(double?, long)>();
        lock (_lock)
        {
            long events = 0;
            for (int i = 0; i < _all.Length; i++)
            {
                events += _all[i];
                if ((i + 1) % StepsPerOctave == 0) buckets.Add((MillisecondsOf(i) / 1000, events));
            }

            buckets.Add((null, events));
            return (buckets, _seconds);
        }
    }

    /// <summary>The first step that is not below it; found in its octave, as this is asked for each record.</summary>
    private static int StepOf(long micros)
    {
        int octave = BitOperations.Log2((ulong)Math.Max(1, micros / 1000));
        int step = Math.Min(octave * StepsPerOctave, StepMicros.Length - 1);
        while (step < StepMicros.Length - 1 && StepMicros[step] < micros) step++;
        return step;
    }

    private static double MillisecondsOf(int step) => Math.Pow(2, (double)step / StepsPerOctave);

    private static TimeSpan? Quantile(long[] steps, double share)
    {
        long wanted = (long)Math.Ceiling(steps.Sum() * share);
        if (wanted == 0) return null;

        int step = 0;
        for (long seen = steps[0]; seen < wanted; seen += steps[step]) step++;
        return TimeSpan.FromMilliseconds(MillisecondsOf(step));
    }

    /// <summary>A project that sends no more is forgotten by this.</summary>
    private void TurnIfDue()
    {
        var passed = time.GetElapsedTime(_turnedAt);
        if (passed < Turn) return;

        _before = passed < 2 * Turn ? _now : [];
        _now = [];
        _turnedAt = time.GetTimestamp();
    }
}

/// <param name="Events">How many were shipped in that time.</param>
/// <param name="P50">Half of them could be queried within this time; null without any.</param>
/// <param name="P99">Of a hundred, ninety-nine.</param>
public readonly record struct FreshnessFigures(long Events, TimeSpan? P50, TimeSpan? P99);
