using System.Globalization;

namespace Gateway.Core.Tests.Journal;

/// <summary>Many lives of journals on simulated disks, and what came of them in one line.</summary>
internal sealed class Simulation
{
    private const long SeedsOfATestRun = 3000;

    private readonly SimulationFigures _figures = new() { Lives = 0 };
    private readonly SeedRun<SimulatedLife> _run;

    public Simulation() => _run = new SeedRun<SimulatedLife>(
        SeedsOfATestRun,
        seed => new SimulatedLife(seed),
        life => _figures.Add(life.Figures),
        ["Lost", "Twice", "False damage"]);

    public string? FirstFailure => _run.FirstFailure;

    public void Run()
    {
        _run.Run();
        _run.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"journal: seeds {_run.Done}, lives {_figures.Lives}, crashes {_figures.Crashes}, "
            + $"faults {_figures.Faults}, damaged {_figures.Damages}, acked {_figures.Acked}, "
            + $"lost {_run.Failures("Lost")}, twice {_run.Failures("Twice")}, "
            + $"false damage {_run.Failures("False damage")}, other {_run.Failures("")}, seconds {_run.Seconds:0.0}"));
    }
}
