using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Tests.Running;

namespace Gateway.Tests.Faults;

/// <summary>Clients at a gateway while its disk fails, and what they were told.</summary>
internal sealed partial class FaultRun(GatewayProcess gateway)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Load _load = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();

    public long Acked => _load.Acked;

    public int Refused => _load.Fates.Values.Count(fate => fate == Fate.Unknown);

    /// <summary>Posts until told to stop; each client waits for its answer before it sends again.</summary>
    public Task PostUntilAsync(CancellationToken stop, int clients = 2, int batch = 20) => Task.WhenAll(
        Enumerable.Range(0, clients).Select(_ => _load.PostUntilAsync(gateway.Address, stop, batch)));

    public async Task AckedGrowsByAsync(long count)
    {
        long goal = Acked + count;
        await Eventually.HoldsAsync(
            () => Task.FromResult(Acked >= goal), Patience, () => $"{count} more are acked; it said\n{gateway.Output}");
    }

    /// <summary>Waits until one more event is refused by 503 with this code, and says that it may be sent again.</summary>
    public Task IsRefusedAsync(string code) => Eventually.HoldsAsync(
        async () =>
        {
            string[] ids = [Guid.CreateVersion7().ToString()];
            using var response = await Load.SendAsync(gateway.Http, GatewayProcess.ProjectToken, ids);
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable) return false;

            Assert.NotNull(response.Headers.RetryAfter);
            var error = await response.Content.ReadFromJsonAsync<JsonElement>();
            return error.GetProperty("code").GetString() == code;
        },
        Patience,
        () => $"capture answers 503 {code}; it said\n{gateway.Output}");

    public Task ReadinessSaysAsync(string? reason) => Eventually.HoldsAsync(
        async () =>
        {
            using var response = await gateway.Http.GetAsync("/_readiness");
            var health = await response.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal(
                health.GetProperty("reason").GetString() is null, response.StatusCode == HttpStatusCode.OK);
            return health.GetProperty("reason").GetString() == reason;
        },
        Patience,
        () => $"readiness says '{reason ?? "ready"}'");

    /// <summary>Holds what the clients were told against what can be queried; one line of figures.</summary>
    public async Task<string> CountAsync(string name)
    {
        await gateway.WaitForEventsAsync((int)Acked, seconds: 120);
        var stored = await gateway.EventsAsync();
        _load.AssertKept(stored);
        Assert.True(Refused > 0, "Nobody was refused.");
        return $"{name}: acked {Acked}, refused {Refused}, lost 0, twice 0, false 200 0, "
            + $"seconds {_watch.Elapsed.TotalSeconds:0.0}";
    }

    /// <summary>The embedded engine's process; 0 while there is none.</summary>
    public int EngineProcess() => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsDigit(folder[^1]))
        .Where(folder => IsEngine(folder))
        .Select(folder => int.Parse(Path.GetFileName(folder)))
        .FirstOrDefault();

    /// <summary>The thread of the gateway that writes and syncs the journal.</summary>
    public int CommitterThread() => Directory.EnumerateDirectories($"/proc/{gateway.Id}/task")
        .Where(folder => File.ReadAllText(Path.Combine(folder, "comm")).StartsWith("journal commit", StringComparison.Ordinal))
        .Select(folder => int.Parse(Path.GetFileName(folder)))
        .Single();

    private bool IsEngine(string folder)
    {
        try
        {
            var parent = Parent().Match(File.ReadAllText(Path.Combine(folder, "status")));
            return parent.Success
                && int.Parse(parent.Groups[1].Value) == gateway.Id
                && File.ReadAllText(Path.Combine(folder, "cmdline")).Contains("Gateway.Engine", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // It ended while we looked.
        }
    }

    [GeneratedRegex(@"PPid:\s+(\d+)")]
    private static partial Regex Parent();
}
