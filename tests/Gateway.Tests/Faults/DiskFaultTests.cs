using System.Diagnostics;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Faults;

/// <summary>The real gateway on a disk that is full, has no room left for the journal, or fails to sync.</summary>
public sealed class DiskFaultTests(ITestOutputHelper output)
{
    private const long DiskBytes = 40 << 20;
    private const int SegmentBytes = 1 << 20;

    [Theory]
    [InlineData("0")] // A write finds the disk full.
    [InlineData("6000000")] // Too little of it is free.
    public async Task A_full_disk_is_answered_503_and_nothing_acked_is_lost(string minFreeBytes)
    {
        string data = Directory.CreateTempSubdirectory("gateway-full-").FullName;
        string folder = Path.Combine(data, "journal");
        var (mount, whyNot) = await Mount.TryMakeAsync(folder, DiskBytes);
        if (mount is null)
        {
            output.WriteLine($"Not tried: a small disk cannot be mounted here ({whyNot}).");
            Directory.Delete(data, recursive: true);
            return;
        }

        try
        {
            await using var gateway = await StartAsync(data, ("Gateway:Journal:MinFreeBytes", minFreeBytes));
            var run = new FaultRun(gateway);
            using var stop = new CancellationTokenSource();
            var clients = run.PostUntilAsync(stop.Token);
            await run.AckedGrowsByAsync(200);

            // The store stands still, so that nothing is forgotten, and somebody else takes the room.
            int engine = await EmbeddedEngine.WaitForAsync(gateway);
            GatewayProcess.Signal(engine, GatewayProcess.SigStop);
            string ballast = Path.Combine(folder, "ballast");
            FillUp(ballast);
            await run.IsRefusedAsync("disk_full");
            await run.ReadinessSaysAsync("the disk is full");

            File.Delete(ballast);
            await run.AckedGrowsByAsync(200);
            await run.ReadinessSaysAsync(null);
            GatewayProcess.Signal(engine, GatewayProcess.SigCont);
            await stop.CancelAsync();
            await clients;
            Chaos.Tell(output, await run.CountAsync("disk-full"));
        }
        finally
        {
            await mount.DisposeAsync();
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_quota_that_is_reached_is_answered_503_until_the_store_is_back()
    {
        string data = Directory.CreateTempSubdirectory("gateway-quota-").FullName;
        try
        {
            await using var gateway = await StartAsync(data, ("Gateway:Journal:QuotaBytes", (64 << 20).ToString()));
            var run = new FaultRun(gateway);
            using var stop = new CancellationTokenSource();
            var clients = run.PostUntilAsync(stop.Token, padding: 200_000);

            // It is stopped in the middle of its work, and goes on there: nobody has to find it again.
            await ChaosRun.ShipsAsync(gateway);
            int engine = await EmbeddedEngine.WaitForAsync(gateway);
            GatewayProcess.Signal(engine, GatewayProcess.SigStop);
            await run.IsRefusedAsync("journal_full");
            await run.ReadinessSaysAsync("the journal has reached its quota");

            GatewayProcess.Signal(engine, GatewayProcess.SigCont);
            await run.AckedGrowsByAsync(200);
            await stop.CancelAsync();
            await clients;
            await run.ReadinessSaysAsync(null);
            Chaos.Tell(output, await run.CountAsync("quota"));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task A_sync_that_fails_refuses_its_requests_and_the_journal_goes_on_in_a_new_segment()
    {
        string data = Directory.CreateTempSubdirectory("gateway-sync-").FullName;
        try
        {
            await using var gateway = await StartAsync(data);
            var run = new FaultRun(gateway);
            using var stop = new CancellationTokenSource();
            var clients = run.PostUntilAsync(stop.Token);
            await run.AckedGrowsByAsync(200);
            if (await TryFailSyncsAsync(run) is not { } strace) return;

            await run.IsRefusedAsync("write_failed");
            await run.ReadinessSaysAsync("the journal cannot be written");
            await EndAsync(strace);
            await run.AckedGrowsByAsync(200);
            await run.ReadinessSaysAsync(null);
            await stop.CancelAsync();
            await clients;

            Assert.Contains("the next ones go to a new segment", gateway.Output, StringComparison.Ordinal);
            Chaos.Tell(output, await run.CountAsync("fdatasync-fails"));
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    private static Task<GatewayProcess> StartAsync(string data, params (string Key, string Value)[] settings) =>
        GatewayProcess.StartAsync(
            data, settings: [("Gateway:Journal:SegmentBytes", SegmentBytes.ToString()), .. settings]);

    /// <summary>Takes all the room that is left on the disk.</summary>
    private static void FillUp(string path)
    {
        using var file = new FileStream(path, FileMode.Create, FileAccess.Write, FileShare.None, bufferSize: 0);
        byte[] block = new byte[4096];
        try
        {
            while (true) file.Write(block);
        }
        catch (IOException)
        {
            // Full.
        }
    }

    /// <summary>From now on every sync of the journal's writer fails, and of nobody else.</summary>
    private async Task<Process?> TryFailSyncsAsync(FaultRun run)
    {
        string thread = run.CommitterThread().ToString();
        var start = new ProcessStartInfo(
            "strace", ["-qq", "-p", thread, "-e", "trace=fdatasync", "-e", "inject=fdatasync:error=EIO"])
        {
            RedirectStandardError = true,
        };
        Process strace;
        try
        {
            strace = Process.Start(start)!;
        }
        catch (System.ComponentModel.Win32Exception error)
        {
            output.WriteLine($"Not tried: {error.Message}");
            return null;
        }

        string? first = await strace.StandardError.ReadLineAsync();
        if (first?.Contains("INJECTED", StringComparison.Ordinal) == true)
        {
            _ = strace.StandardError.ReadToEndAsync(); // Else it would wait for somebody to read what it says.
            return strace;
        }

        output.WriteLine($"Not tried: syncs cannot be made to fail here ({first}).");
        await EndAsync(strace);
        return null;
    }

    private static async Task EndAsync(Process process)
    {
        // It lets go of the gateway; killed hard, it does so as well.
        if (!process.HasExited) GatewayProcess.Signal(process.Id, GatewayProcess.SigTerm);
        await process.WaitForExitAsync();
        process.Dispose();
    }
}
