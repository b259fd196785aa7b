using System.Diagnostics;
using System.Globalization;

namespace Gateway.Core.Tests.Journal;

/// <summary>One thing's life in a world that fails, all of it from one seed.</summary>
internal interface ISimulatedLife : IDisposable
{
    /// <summary>What happened, for whoever has to find out why it went wrong.</summary>
    string Story { get; }

    /// <summary>Throws when something is wrong; the message begins with its kind.</summary>
    void Run();
}

/// <summary>
/// Many lives on some threads. <c>SIMULATE_SEEDS</c> of them from <c>SIMULATE_START</c> on, told of in the file
/// <c>SIMULATE_FIGURES</c>; or as many as a run of all tests has time for.
/// </summary>
/// <param name="seedsOfATestRun">How many those are.</param>
/// <param name="begin">A life from its seed.</param>
/// <param name="count">Adds up what a life came to; called by one thread at a time.</param>
/// <param name="kinds">How messages begin that are counted by themselves.</param>
internal sealed class SeedRun<TLife>(
    long seedsOfATestRun, Func<int, TLife> begin, Action<TLife> count, string[] kinds)
    where TLife : ISimulatedLife
{
    private const int MostFailures = 10;
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly Dictionary<string, int> _failures = [];
    private readonly string? _figuresFile = Environment.GetEnvironmentVariable("SIMULATE_FIGURES");
    private long _first;
    private long _seeds;
    private long _taken;
    private TimeSpan _told;

    /// <summary>Seeds that were lived.</summary>
    public long Done { get; private set; }

    public double Seconds => _watch.Elapsed.TotalSeconds;

    /// <summary>The seed that failed first, why, and the story of its life; null while none did.</summary>
    public string? FirstFailure { get; private set; }

    public void Run()
    {
        bool isAsked = long.TryParse(Environment.GetEnvironmentVariable("SIMULATE_SEEDS"), out _seeds);
        _ = long.TryParse(Environment.GetEnvironmentVariable("SIMULATE_START"), out _first);
        if (!isAsked) _seeds = seedsOfATestRun;

        int threads = isAsked ? Environment.ProcessorCount : 1;
        var others = Enumerable.Range(1, threads - 1).Select(_ => new Thread(RunSeeds)).ToList();
        foreach (var thread in others) thread.Start();
        RunSeeds();
        foreach (var thread in others) thread.Join();
    }

    /// <summary>Failures of a kind; empty: of none of those that are counted by themselves.</summary>
    public int Failures(string kind) => _failures.GetValueOrDefault(kind);

    public void Tell(string text)
    {
        if (_figuresFile is not null) File.AppendAllText(_figuresFile, text + "\n");
    }

    private void RunSeeds()
    {
        for (long taken; (taken = Interlocked.Increment(ref _taken)) <= _seeds;)
        {
            long seed = _first + taken - 1;
            using var life = begin(unchecked((int)seed));
            string? failure = null;
            try
            {
                life.Run();
            }
            catch (Exception exception)
            {
                failure = $"Seed {seed} fails.\n{life.Story}\n{exception}";
                if (!Note(exception.Message, failure)) return;
            }

            lock (_lock) Count(life);
        }
    }

    private bool Note(string message, string failure)
    {
        lock (_lock)
        {
            FirstFailure ??= failure;
            string kind = kinds.FirstOrDefault(kind => message.StartsWith(kind, StringComparison.Ordinal)) ?? "";
            _failures[kind] = _failures.GetValueOrDefault(kind) + 1;
            Tell(failure);
            return _failures.Values.Sum() < MostFailures;
        }
    }

    private void Count(TLife life)
    {
        Done++;
        count(life);
        if (_watch.Elapsed - _told < TellEvery) return;

        _told = _watch.Elapsed;
        Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"{Done} seeds of {_seeds}, {Done / _watch.Elapsed.TotalSeconds:0} a second"));
    }
}
