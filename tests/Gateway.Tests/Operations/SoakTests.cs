using Gateway.LoadTests.Running;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Operations;

/// <summary>
/// Half a minute under load beside other tests: nothing grows without bounds. An hour by itself, with tight limits, is
/// <c>make soak</c>.
/// </summary>
public sealed class SoakTests(ITestOutputHelper output)
{
    private const int Clients = 4;
    // Far above what a busy machine makes of a sound gateway, far below what a leak for each of some ten thousand
    // requests comes to.
    private const long MemorySlack = 96 << 20;
    private const int Slack = 64;

    private static readonly TimeSpan WarmUp = TimeSpan.FromSeconds(10);
    private static readonly TimeSpan Measured = TimeSpan.FromSeconds(25);

    [Fact]
    public async Task Under_load_neither_memory_nor_handles_nor_threads_grow_and_what_was_acked_is_stored()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        var load = new Load();
        var history = new ProcessHistory();
        using var stop = new CancellationTokenSource(WarmUp + Measured);
        var clients = Enumerable.Range(0, Clients)
            .Select(_ => Task.Run(() => load.PostUntilAsync(gateway.Address, stop.Token), CancellationToken.None)).ToArray();
        await Task.Delay(WarmUp, CancellationToken.None);
        await history.SampleAsync(gateway.Id, TimeSpan.FromMilliseconds(250), stop.Token);
        await Task.WhenAll(clients);

        output.WriteLine($"acked {load.Acked}, from {history.First} to {history.Last}");
        var first = history.First;
        Assert.InRange(history.Last.MemoryBytes, 1, first.MemoryBytes + MemorySlack);
        Assert.InRange(history.Last.Handles, 1, first.Handles + Slack);
        Assert.InRange(history.Last.Threads, 1, first.Threads + Slack);
        Assert.DoesNotContain(load.Fates, fate => fate.Value != Fate.Acked);
        load.AssertKept(await gateway.WaitForEventsAsync((int)load.Acked, seconds: 90));
    }
}
