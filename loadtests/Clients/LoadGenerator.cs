using System.Diagnostics;
using System.Net.Sockets;
using System.Threading.Channels;

namespace Gateway.LoadTests.Clients;

/// <summary>
/// Runs a scenario over kept connections, so cheaply that on a machine shared with the gateway most of it is left to
/// the gateway. Once.
/// </summary>
internal sealed class LoadGenerator(Scenario scenario, LoadSimulation simulation)
{
    // What is not answered this long after the last one was due will not be.
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(60);

    private readonly Stopwatch _clock = new();

    /// <summary>What it has come to so far.</summary>
    public Measurement Measured { get; } = new();

    /// <summary>As many as are answered: each connection has its next request once it is answered.</summary>
    /// <returns>Answered as they must be, a second.</returns>
    /// <exception cref="InvalidOperationException">One was not.</exception>
    public static async Task<double> SaturateAsync(
        Scenario scenario, Uri gateway, TimeSpan during, CancellationToken cancellationToken)
    {
        var generator = new LoadGenerator(scenario, new(Rate: 0, during));
        generator._clock.Start();
        await Task.WhenAll(Enumerable.Range(0, scenario.Connections).Select(_ => Task.Run(
            async () =>
            {
                using var connection = new LeanConnection(gateway);
                for (long number = 0; generator._clock.Elapsed < during; number++)
                    await generator.StepAsync(connection, number, generator._clock.Elapsed, cancellationToken);
            },
            cancellationToken)));
        var measured = generator.Measured;
        return measured.Failed == 0
            ? measured.Good / generator._clock.Elapsed.TotalSeconds
            : throw new InvalidOperationException($"{measured.Failed} requests failed, the first {measured.FirstFailure}.");
    }

    /// <summary>So many a second, over connections of its own, which are there before it begins.</summary>
    /// <param name="gateways">Each has its part of the connections.</param>
    /// <param name="cancellationToken">Ends it early.</param>
    public async Task<Measurement> InjectAsync(Uri[] gateways, CancellationToken cancellationToken)
    {
        LeanConnection[] connections =
        [
            .. Enumerable.Range(0, scenario.Connections)
                .Select(number => new LeanConnection(gateways[number % gateways.Length])),
        ];
        try
        {
            foreach (var connection in connections) await connection.OpenAsync(cancellationToken);
            return await InjectAsync(connections, cancellationToken);
        }
        catch (SocketException error)
        {
            throw new InvalidOperationException($"Nobody listens at {string.Join(", ", (object[])gateways)}.", error);
        }
        finally
        {
            foreach (var connection in connections) connection.Dispose();
        }
    }

    /// <summary>The same over connections that the caller keeps from one run to the next.</summary>
    public async Task<Measurement> InjectAsync(
        IReadOnlyList<LeanConnection> connections, CancellationToken cancellationToken)
    {
        long total = (long)Math.Round(simulation.Rate * simulation.During.TotalSeconds);
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limit.CancelAfter(simulation.During + AnswerLimit);
        var due = Channel.CreateUnbounded<long>(new UnboundedChannelOptions { SingleWriter = true });
        var senders = connections.Select(connection => Task.Run(
            async () =>
            {
                await foreach (long number in due.Reader.ReadAllAsync(limit.Token))
                    await StepAsync(connection, number, TimeSpan.FromSeconds(number / simulation.Rate), limit.Token);
            },
            limit.Token)).ToArray();

        _clock.Start();
        await Arrivals.WriteAsync(due.Writer, total, simulation.Rate, _clock, limit.Token);
        try
        {
            await Task.WhenAll(senders);
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            Measured.NotAnswered(total - Measured.Good - Measured.Failed);
        }

        Measured.Took = _clock.Elapsed;
        return Measured;
    }

    private async ValueTask StepAsync(
        LeanConnection connection, long number, TimeSpan intended, CancellationToken cancellationToken)
    {
        try
        {
            var result = await scenario.Step(connection, number, cancellationToken);
            Measured.Answered(intended, _clock.Elapsed, result);
        }
        catch (IOException error)
        {
            Measured.NotAnswered(1, error.Message);
        }
    }
}
