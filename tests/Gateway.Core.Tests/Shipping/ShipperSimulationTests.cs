using System.Globalization;
using Gateway.Core.Tests.Journal;

namespace Gateway.Core.Tests.Shipping;

/// <summary>
/// Short lives of a shipper beside a store that fails: each event that was acknowledged is in the store
/// once, or put aside once, or of a deleted project; the books are right; and who loses rows is told.
/// </summary>
public sealed class ShipperSimulationTests
{
    private const long SeedsOfATestRun = 1000;

    /// <summary>A thousand lives, or as many as <c>make simulate</c> asks for.</summary>
    [Fact]
    public void What_was_accepted_is_stored_or_put_aside_once_whatever_the_store_does()
    {
        var figures = new ShipperFigures();
        var run = new SeedRun<ShipperLife>(
            SeedsOfATestRun,
            seed => new ShipperLife(seed),
            life => figures.Add(life.Figures),
            ["Lost", "Twice", "Risen", "Ledger", "Silent", "False alarm"]);
        run.Run();

        run.Tell(string.Create(
            CultureInfo.InvariantCulture,
            $"shipper: seeds {run.Done}, lives {figures.Lives}, crashes {figures.Crashes}, faults {figures.Faults}, "
            + $"acked {figures.Acked}, late {figures.Late}, put aside {figures.PutAside}, in both {figures.Both}, "
            + $"lost by the store {figures.Losses}, alarms {figures.Alarms}, lost {run.Failures("Lost")}, "
            + $"twice {run.Failures("Twice")}, risen {run.Failures("Risen")}, ledger {run.Failures("Ledger")}, "
            + $"silent {run.Failures("Silent")}, false alarms {run.Failures("False alarm")}, "
            + $"other {run.Failures("")}, seconds {run.Seconds:0.0}"));
        Assert.True(run.FirstFailure is null, run.FirstFailure);
    }
}
