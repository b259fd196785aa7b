using System.Diagnostics;
using System.Text.RegularExpressions;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>What we said we took, we kept: the real process, killed again and again under load.</summary>
public sealed partial class KeptTests
{
    private const int Clients = 4;

    [Fact]
    public async Task Every_acked_event_is_there_once_after_the_gateway_was_killed_again_and_again()
    {
        string data = Directory.CreateTempSubdirectory("gateway-kill-").FullName;
        var load = new Load();
        var random = new Random(20261121);
        try
        {
            for (int round = 0; round < 5; round++)
            {
                await using var gateway = await GatewayProcess.StartAsync(data);
                using var stop = new CancellationTokenSource();
                var clients = Start(load, gateway.Address, stop.Token);

                long goal = load.Acked + random.Next(200, 2_000);
                await Eventually.HoldsAsync(
                    () => Task.FromResult(load.Acked >= goal), TimeSpan.FromSeconds(60), () => "the clients get answers");
                await gateway.KillAsync();
                await stop.CancelAsync();
                await Task.WhenAll(clients);
            }

            await using var last = await GatewayProcess.StartAsync(data);
            load.AssertKept(await WaitForAckedAsync(last, load));
            Assert.Equal(0, await last.TerminateAsync());
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Capture_goes_on_while_the_engine_is_killed_and_every_event_is_there_when_it_is_back()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        var load = new Load();
        using var stop = new CancellationTokenSource();
        var clients = Start(load, gateway.Address, stop.Token);
        int killed = 0;
        for (int round = 0; round < 4; round++)
        {
            int engine = 0;
            await Eventually.HoldsAsync(
                () => Task.FromResult((engine = EngineOf(gateway.Id)) != 0 && engine != killed),
                TimeSpan.FromSeconds(60), () => "the engine runs");
            using (var process = Process.GetProcessById(engine))
            {
                process.Kill();
                await process.WaitForExitAsync();
            }

            killed = engine;
            long goal = load.Acked + 300;
            await Eventually.HoldsAsync(
                () => Task.FromResult(load.Acked >= goal), TimeSpan.FromSeconds(30),
                () => $"capture answers 200 without the engine; it said\n{gateway.Output}");
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);

        Assert.DoesNotContain(load.Fates.Values, fate => fate != Fate.Acked);
        load.AssertKept(await WaitForAckedAsync(gateway, load));
    }

    [Fact]
    public async Task An_engine_that_hangs_while_its_gateway_dies_is_ended_by_the_next_one()
    {
        string data = Directory.CreateTempSubdirectory("gateway-left-").FullName;
        var load = new Load();
        try
        {
            await using (var first = await GatewayProcess.StartAsync(data))
            {
                int engine = 0;
                await Eventually.HoldsAsync(
                    () => Task.FromResult((engine = EngineOf(first.Id)) != 0 && File.Exists(Path.Combine(data, "clickhouse", "port.json"))),
                    TimeSpan.FromSeconds(60), () => "the engine runs");
                GatewayProcess.Signal(engine, GatewayProcess.SigStop);
                using var stop = new CancellationTokenSource();
                var client = load.PostUntilAsync(first.Address, stop.Token);
                await Eventually.HoldsAsync(
                    () => Task.FromResult(load.Acked > 100), TimeSpan.FromSeconds(30), () => "capture goes on");
                await first.KillAsync();
                await stop.CancelAsync();
                await client;
            }

            await using var second = await GatewayProcess.StartAsync(data);
            load.AssertKept(await WaitForAckedAsync(second, load));
            Assert.Contains("left behind", second.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static Task[] Start(Load load, Uri address, CancellationToken stop) =>
        [.. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => load.PostUntilAsync(address, stop), CancellationToken.None))];

    private static async Task<List<StoredEvent>> WaitForAckedAsync(GatewayProcess gateway, Load load)
    {
        var acked = load.Fates.Where(pair => pair.Value == Fate.Acked).Select(pair => pair.Key).ToHashSet();
        List<StoredEvent> stored = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                stored = await gateway.EventsAsync();
                return acked.IsSubsetOf(stored.Select(row => row.Uuid));
            },
            TimeSpan.FromSeconds(90),
            () => $"all {acked.Count} acked events are queryable ({stored.Count} are); it said\n{gateway.Output}");
        return stored;
    }

    /// <summary>The engine is the child process whose command line says so; 0 when there is none.</summary>
    private static int EngineOf(int gateway)
    {
        foreach (string folder in Directory.EnumerateDirectories("/proc").Where(name => char.IsDigit(name[^1])))
        {
            try
            {
                string status = File.ReadAllText(Path.Combine(folder, "status"));
                if (Parent().Match(status) is not { Success: true } match || int.Parse(match.Groups[1].Value) != gateway)
                    continue;
                if (File.ReadAllText(Path.Combine(folder, "cmdline")).Contains("Gateway.Engine", StringComparison.Ordinal))
                    return int.Parse(Path.GetFileName(folder));
            }
            catch (IOException)
            {
                // The process ended while we looked.
            }
        }

        return 0;
    }

    [GeneratedRegex(@"PPid:\s+(\d+)")]
    private static partial Regex Parent();
}
