using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>A gateway with its embedded engine, killed at random points while clients go on.</summary>
public sealed class KilledGatewayFaultTests(ITestOutputHelper output)
{
    [Fact]
    public async Task What_was_acked_is_stored_once_and_the_books_agree_however_often_the_gateway_is_killed()
    {
        int kills = Chaos.Of(20, 200);
        var random = new Random(20261122);
        string data = Directory.CreateTempSubdirectory("gateway-kills-").FullName;
        try
        {
            var run = new ChaosRun();
            using var stop = new CancellationTokenSource();
            var clients = run.PostUntilAsync(stop.Token);
            for (int kill = 0; kill < kills; kill++)
            {
                await LiveAsync(run, data, kill, random);
                Chaos.Progress("kill-gateway", kill, kills);
            }

            await using var last = await StartAsync(data);
            run.At(last);
            await run.AckedGrowsByAsync(100);
            await stop.CancelAsync();
            await clients;
            Chaos.Tell(output, await run.CountAsync(last, "kill-gateway", $"kills {kills}"));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>One life: some end before they are ready, some while the first events are shipped and settled.</summary>
    private static async Task LiveAsync(ChaosRun run, string data, int kill, Random random)
    {
        bool diesAtStart = kill % 4 == 3;
        await using var gateway = await StartAsync(data, waitUntilReady: !diesAtStart);
        run.At(gateway);
        if (!diesAtStart) await run.AckedGrowsByAsync(1);
        if (kill % 4 == 1) await ChaosRun.ShipsAsync(gateway);
        await Task.Delay(random.Next(diesAtStart ? 200 : 800));
        await gateway.KillAsync();

        // Its port may be somebody else's from now on.
        run.At(null);
    }

    private static Task<GatewayProcess> StartAsync(string data, bool waitUntilReady = true) => GatewayProcess.StartAsync(
        data,
        waitUntilReady: waitUntilReady,
        settings: [("Gateway:Journal:SegmentBytes", "1048576"), ("Gateway:Ledger:CheckSeconds", "1")]);
}
