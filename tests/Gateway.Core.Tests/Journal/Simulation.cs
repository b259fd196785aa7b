using System.Diagnostics;
using System.Globalization;

namespace Gateway.Core.Tests.Journal;

/// <summary>Many simulated lives on some threads, and what came of them in one line.</summary>
internal sealed class Simulation(long first, long count, int threads, string? figuresFile)
{
    private const long SeedsOfATestRun = 3000;
    private const int MostFailures = 10;
    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(10);

    private readonly Lock _lock = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private readonly SimulationFigures _figures = new() { Lives = 0 };
    private readonly Dictionary<string, int> _failures = [];
    private long _taken;
    private long _done;
    private TimeSpan _told;

    /// <summary>The seed that failed first, why, and the story of its life; null while none did.</summary>
    public string? FirstFailure { get; private set; }

    /// <summary><c>SIMULATE_SEEDS</c> lives from <c>SIMULATE_START</c> on, told of in <c>SIMULATE_FIGURES</c>.</summary>
    public static Simulation FromEnvironment()
    {
        bool isAsked = long.TryParse(Environment.GetEnvironmentVariable("SIMULATE_SEEDS"), out long seeds);
        _ = long.TryParse(Environment.GetEnvironmentVariable("SIMULATE_START"), out long start);
        return isAsked
            ? new Simulation(
                start, seeds, Environment.ProcessorCount, Environment.GetEnvironmentVariable("SIMULATE_FIGURES"))
            : new Simulation(0, SeedsOfATestRun, 1, null);
    }

    public void Run()
    {
        var others = Enumerable.Range(1, threads - 1).Select(_ => new Thread(RunSeeds)).ToList();
        foreach (var thread in others) thread.Start();
        RunSeeds();
        foreach (var thread in others) thread.Join();

        Tell($"simulate: seeds {_done}, lives {_figures.Lives}, crashes {_figures.Crashes}, faults {_figures.Faults}, "
            + $"damaged {_figures.Damages}, acked {_figures.Acked}, lost {Failures("Lost")}, twice {Failures("Twice")}, "
            + $"false damage {Failures("False damage")}, other {Failures("")}, "
            + $"seconds {_watch.Elapsed.TotalSeconds:0.0}");
    }

    private void RunSeeds()
    {
        for (long taken; (taken = Interlocked.Increment(ref _taken)) <= count;)
        {
            long seed = first + taken - 1;
            using var life = new SimulatedLife(unchecked((int)seed));
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

            lock (_lock) Count(life.Figures);
        }
    }

    private bool Note(string message, string failure)
    {
        lock (_lock)
        {
            FirstFailure ??= failure;
            string kind = ((string[])["Lost", "Twice", "False damage"])
                .FirstOrDefault(kind => message.StartsWith(kind, StringComparison.Ordinal)) ?? "";
            _failures[kind] = _failures.GetValueOrDefault(kind) + 1;
            Tell(failure);
            return _failures.Values.Sum() < MostFailures;
        }
    }

    private void Count(SimulationFigures figures)
    {
        _done++;
        _figures.Add(figures);
        if (_watch.Elapsed - _told < TellEvery) return;

        _told = _watch.Elapsed;
        Tell($"{_done} seeds of {count}, {_done / _watch.Elapsed.TotalSeconds:0} a second");
    }

    private int Failures(string kind) => _failures.GetValueOrDefault(kind);

    private void Tell(FormattableString text) => Tell(text.ToString(CultureInfo.InvariantCulture));

    private void Tell(string text)
    {
        if (figuresFile is not null) File.AppendAllText(figuresFile, text + "\n");
    }
}
