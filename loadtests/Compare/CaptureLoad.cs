using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Compare;

/// <summary>What all contestants are sent, and what they are to refuse.</summary>
/// <param name="Name">For the report.</param>
/// <param name="Events">In each body.</param>
/// <param name="Encoding">Of the content, if any.</param>
/// <param name="Good">The body.</param>
/// <param name="Unknown">The same with a token that nobody was given.</param>
/// <param name="Broken">Half of it.</param>
internal sealed record CaptureLoad(
    string Name, int Events, string? Encoding, byte[] Good, byte[] Unknown, byte[] Broken)
{
    private const string UnknownToken = "phc_nobodynobodynobodynobodynobodynobodynob12";

    public static CaptureLoad Single() => New("single", 1, null, token => LoadTests.Events.Single(token));

    public static CaptureLoad GzippedBatch(int events) =>
        New($"gzip batch of {events}", events, "gzip", token => LoadTests.Events.GzippedBatch(token, events));

    private static CaptureLoad New(string name, int events, string? encoding, Func<string, byte[]> bodyWith)
    {
        byte[] good = bodyWith(GatewayServer.ProjectToken);
        return new CaptureLoad(name, events, encoding, good, bodyWith(UnknownToken), good[..(good.Length / 2)]);
    }
}
