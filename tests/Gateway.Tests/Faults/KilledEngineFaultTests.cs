using System.Diagnostics;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>The embedded engine, killed or stopped while clients go on and nobody is to notice.</summary>
public sealed class KilledEngineFaultTests(ITestOutputHelper output)
{
    // Before each start that follows soon the gateway waits twice as long: after some it is started anew, as well.
    private const int KillsOfALife = 4;

    [Fact]
    public async Task Capture_goes_on_and_all_is_stored_once_however_often_the_engine_is_killed()
    {
        int kills = Chaos.Of(10, 100);
        var random = new Random(20261123);
        string data = Directory.CreateTempSubdirectory("gateway-engine-kills-").FullName;
        try
        {
            var run = new ChaosRun();
            for (int done = 0; done < kills; done += KillsOfALife)
            {
                await using var gateway = await StartAsync(data);
                int killed = 0;
                await WithClientsAsync(run, gateway, async () =>
                {
                    for (int kill = done; kill < Math.Min(done + KillsOfALife, kills); kill++)
                        killed = await KillAsync(run, gateway, killed, ships: kill % 2 == 0, random);
                });
                Chaos.Progress("kill-engine", done, kills);
                await gateway.KillAsync();
            }

            await CountAsync(run, data, "kill-engine", $"kills {kills}");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Capture_goes_on_and_all_is_stored_once_while_the_engine_hangs()
    {
        int stops = Chaos.Of(2, 10);
        string data = Directory.CreateTempSubdirectory("gateway-engine-stops-").FullName;
        try
        {
            var run = new ChaosRun();
            await using (var gateway = await StartAsync(data))
            {
                await WithClientsAsync(run, gateway, async () =>
                {
                    for (int stop = 0; stop < stops; stop++)
                    {
                        await ChaosRun.ShipsAsync(gateway);
                        int engine = await EmbeddedEngine.WaitForAsync(gateway);
                        GatewayProcess.Signal(engine, GatewayProcess.SigStop);
                        await Task.Delay(TimeSpan.FromSeconds(3));
                        await run.AckedGrowsByAsync(100);
                        GatewayProcess.Signal(engine, GatewayProcess.SigCont);
                        await run.AckedGrowsByAsync(100);
                    }
                });
            }

            await CountAsync(run, data, "stop-engine", $"stops {stops}");
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    /// <summary>Every other time once it stores; else at random, also while it starts. The one that was killed.</summary>
    private static async Task<int> KillAsync(
        ChaosRun run, GatewayProcess gateway, int killed, bool ships, Random random)
    {
        long blocks = await gateway.MetricAsync("gateway_ship_blocks_total");
        int engine = await EmbeddedEngine.WaitForAsync(gateway, killed);
        if (ships)
        {
            await Eventually.HoldsAsync(
                async () => await gateway.MetricAsync("gateway_ship_blocks_total") > blocks,
                TimeSpan.FromSeconds(90), () => $"the engine stores again; the gateway said\n{gateway.Output}");
        }

        await Task.Delay(random.Next(800));
        using (var process = Process.GetProcessById(engine))
        {
            process.Kill();
            await process.WaitForExitAsync();
        }

        await run.AckedGrowsByAsync(100);
        return engine;
    }

    private static async Task WithClientsAsync(ChaosRun run, GatewayProcess gateway, Func<Task> fault)
    {
        using var stop = new CancellationTokenSource();
        run.At(gateway);
        var clients = run.PostUntilAsync(stop.Token);
        await fault();
        await stop.CancelAsync();
        await clients;
    }

    private async Task CountAsync(ChaosRun run, string data, string name, string faults)
    {
        Assert.Equal(0, run.Unanswered);
        await using var last = await StartAsync(data);
        Chaos.Tell(output, await run.CountAsync(last, name, faults));
    }

    private static Task<GatewayProcess> StartAsync(string data) => GatewayProcess.StartAsync(
        data, settings: [("Gateway:Journal:SegmentBytes", "1048576"), ("Gateway:Ledger:CheckSeconds", "1")]);
}
