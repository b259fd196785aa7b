using System.Globalization;
using Gateway.LoadTests.Clients;

namespace Gateway.LoadTests.Limits;

/// <summary>One of two installations that are compared, with what is sent to it and what an event cost it.</summary>
/// <param name="name">Tells it from the other.</param>
/// <param name="installation">The gateway and its engine.</param>
/// <param name="events">In one body.</param>
/// <param name="bodies">Sent in turn, again and again.</param>
/// <param name="filled">Rows that were in the store before.</param>
internal sealed class GrowthSide(
    string name, ShippingGateway installation, int events, byte[][] bodies, long filled = 0) : IDisposable
{
    private const int Connections = 64;

    private readonly LeanConnection[] _connections =
        [.. Enumerable.Range(0, Connections).Select(_ => new LeanConnection(installation.Gateway.Address))];

    private readonly Scenario _scenario = Scenario.Capture(name, NextOf(bodies), events);

    /// <summary>Microseconds of the processor for an event, by the gateway, of each round.</summary>
    public List<double> Gateway { get; } = [];

    /// <summary>The same by the engine.</summary>
    public List<double> Engine { get; } = [];

    /// <summary>The last round, in words.</summary>
    public string Last => string.Create(
        CultureInfo.InvariantCulture, $"{name}: gateway {Gateway[^1]:0.00} µs, engine {Engine[^1]:0.00} µs an event");

    /// <summary>With as much as it takes.</summary>
    /// <returns>Events a second.</returns>
    public async Task<double> WarmUpAsync(int seconds, CancellationToken cancellationToken)
    {
        using var flood = new Flood(bodies);
        await WarmUp.RunAsync(installation.Gateway, flood, "/batch/", Connections, cancellationToken);
        double requests = await LoadGenerator.SaturateAsync(
            _scenario, installation.Gateway.Address, TimeSpan.FromSeconds(seconds), cancellationToken);
        await installation.SettleAsync(cancellationToken);
        return requests * events;
    }

    /// <summary>So many events a second for so long, until all of them are stored and merged.</summary>
    public async Task RunAsync(double rate, TimeSpan during, CancellationToken cancellationToken)
    {
        var before = installation.CpuTimes;
        var measured = await new LoadGenerator(_scenario, new(rate / events, during))
            .InjectAsync(_connections, cancellationToken);
        if (measured.Failed > 0)
        {
            throw new InvalidOperationException(
                $"{name}: {measured.Failed} requests failed, the first {measured.FirstFailure}.");
        }

        await installation.SettleAsync(cancellationToken);
        var used = installation.CpuTimes - before;
        double sent = measured.EventsAcked;
        Gateway.Add(used.Gateway.TotalMicroseconds / sent);
        Engine.Add(used.Engine.TotalMicroseconds / sent);
    }

    /// <summary>On it that each event was stored, and shown once.</summary>
    public async Task InsistAsync(CancellationToken cancellationToken)
    {
        long accepted = await installation.AcceptedAsync(cancellationToken);
        long stored = await installation.CountStoredAsync(cancellationToken) - filled;
        if (stored != accepted)
            throw new InvalidOperationException($"{name}: of {accepted} events {stored} are stored.");
    }

    public void Dispose()
    {
        foreach (var connection in _connections) connection.Dispose();
    }

    /// <summary>One after the other, whoever asks.</summary>
    private static Func<long, byte[]> NextOf(byte[][] bodies)
    {
        byte[][] requests = [.. bodies.Select(Requests.Batch)];
        int next = -1;
        return _ => requests[(uint)Interlocked.Increment(ref next) % requests.Length];
    }
}
