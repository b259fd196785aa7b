using System.Numerics;
using System.Runtime.InteropServices;

namespace Gateway.Core.Ledger;

/// <summary>
/// How long events took from the receipt to where queries see them: by project over the last five to ten minutes and in
/// each minute, and over all since the start. Times are rounded up to a quarter of an octave, by less than a fifth.
/// </summary>
public sealed class Freshness(TimeProvider time)
{
    private const int StepsPerOctave = 4;
    private const int Octaves = 26;
    private const int MostMinutes = 3;

    /// <summary>Of a histogram.</summary>
    internal const int Steps = Octaves * StepsPerOctave;

    private static readonly TimeSpan Turn = TimeSpan.FromMinutes(5);

    private static readonly double[] StepMicros =
        [.. Enumerable.Range(0, Steps).Select(step => 1000 * MillisecondsOf(step))];

    private readonly Lock _lock = new();
    private readonly long[] _all = new long[Steps];
    private readonly List<FreshnessMinute> _ended = [];
    private Dictionary<ulong, int[]> _now = [];
    private Dictionary<ulong, int[]> _before = [];
    private FreshnessMinute _minute = new(0, []);
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
            BeginMinute(LedgerMinute.Of(nowMicros));
            StepsOf(_now, projectId)[step] += events;
            StepsOf(_minute.Projects, projectId)[step] += events;
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

        return FiguresOf(sum);
    }

    /// <summary>
    /// What became visible since it was taken last, by the minute in which it did; where nobody takes it, the latest
    /// are kept. The histograms are the caller's.
    /// </summary>
    internal List<FreshnessMinute> TakeMinutes()
    {
        lock (_lock)
        {
            List<FreshnessMinute> taken = [.. _ended, _minute];
            _ended.Clear();
            _minute = new FreshnessMinute(_minute.Minute, []);
            return taken;
        }
    }

    internal static FreshnessFigures FiguresOf(long[] steps) =>
        new(steps.Sum(), Quantile(steps, 0.5), Quantile(steps, 0.99));

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

    private static int[] StepsOf(Dictionary<ulong, int[]> projects, ulong projectId)
    {
        ref int[]? steps = ref CollectionsMarshal.GetValueRefOrAddDefault(projects, projectId, out _);
        return steps ??= new int[Steps];
    }

    private void BeginMinute(int minute)
    {
        // Two shippers at a minute's edge: the later one has begun it, and the other counts along.
        if (minute <= _minute.Minute) return;

        if (_ended.Count == MostMinutes) _ended.RemoveAt(0);
        _ended.Add(_minute);
        _minute = new FreshnessMinute(minute, []);
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

/// <param name="Minute">Since 1970 UTC: when events became visible.</param>
/// <param name="Projects">The histogram of each project that had some.</param>
internal sealed record FreshnessMinute(int Minute, Dictionary<ulong, int[]> Projects);
