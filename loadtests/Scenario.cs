using Gateway.LoadTests.Clients;

namespace Gateway.LoadTests;

/// <summary>One kind of work, done again and again.</summary>
/// <param name="Name">For the report.</param>
/// <param name="Step">
/// Does it once, over a connection that nobody else has meanwhile; the number says which time of the run it is.
/// </param>
internal sealed record Scenario(string Name, Func<LeanConnection, long, CancellationToken, ValueTask<StepResult>> Step)
{
    /// <summary>How many can be under way at once: what comes when all are busy waits, and its wait counts.</summary>
    public int Connections { get; init; } = 64;

    /// <summary>Single events, each with a token of its own.</summary>
    /// <param name="name">For the report.</param>
    /// <param name="token">The token of each; no event is a duplicate of another.</param>
    /// <param name="expected">The status that is right for them.</param>
    public static Scenario SingleEvents(string name, Func<long, string> token, int expected = 200) =>
        Capture(name, number => Requests.SingleEvent(token(number)), events: 1, expected);

    /// <summary>Whole requests to a capture endpoint, of so many events each.</summary>
    public static Scenario Capture(string name, Func<long, byte[]> request, int events, int expected = 200) =>
        new(name, async (connection, number, cancellationToken) =>
        {
            var answer = await connection.SendAsync(request(number), cancellationToken);
            return new(answer.Status == expected, answer.Status == 200 ? events : 0, answer.Status);
        });
}

/// <summary>Inject: so many a second for so long, whether or not earlier ones were answered.</summary>
internal sealed record LoadSimulation(double Rate, TimeSpan During);
