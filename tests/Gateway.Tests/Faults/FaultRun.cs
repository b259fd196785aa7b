using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Tests.Running;

namespace Gateway.Tests.Faults;

/// <summary>Clients at a gateway while its disk fails, and what they were told of each event.</summary>
internal sealed partial class FaultRun(GatewayProcess gateway)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, bool> _isAcked = new();
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private long _acked;

    public long Acked => Interlocked.Read(ref _acked);

    /// <summary>Posts until told to stop; each client waits for its answer before it sends again.</summary>
    /// <param name="stop">Ends it.</param>
    /// <param name="padding">Characters that each event carries beside its own.</param>
    public Task PostUntilAsync(CancellationToken stop, int padding = 0) =>
        Task.WhenAll(Enumerable.Range(0, 2).Select(_ => PostOneAfterTheOtherAsync(new string('x', padding), stop)));

    public async Task AckedGrowsByAsync(long count)
    {
        long goal = Acked + count;
        await Eventually.HoldsAsync(
            () => Task.FromResult(Acked >= goal), Patience, () => $"{count} more are acked; it said {gateway.Output}");
    }

    /// <summary>Waits until an event is refused by 503 with this code, and is told that it may be sent again.</summary>
    public Task IsRefusedAsync(string code) => Eventually.HoldsAsync(
        async () =>
        {
            using var response = await PostAsync([Guid.CreateVersion7().ToString()], "");
            if (response.StatusCode != HttpStatusCode.ServiceUnavailable) return false;

            Assert.NotNull(response.Headers.RetryAfter);
            var error = await response.Content.ReadFromJsonAsync<JsonElement>();
            return error.GetProperty("code").GetString() == code;
        },
        Patience,
        () => $"capture answers 503 {code}; it said {gateway.Output}");

    /// <summary>Waits until it is not ready for this reason; null: until it is ready.</summary>
    public Task ReadinessSaysAsync(string? reason) => Eventually.HoldsAsync(
        async () =>
        {
            using var response = await gateway.Http.GetAsync("/_readiness");
            var health = await response.Content.ReadFromJsonAsync<JsonElement>();
            string? told = health.GetProperty("reason").GetString();
            Assert.Equal(told is null, response.StatusCode == HttpStatusCode.OK);
            return told == reason;
        },
        Patience,
        () => $"readiness says '{reason ?? "ready"}'");

    /// <summary>Holds what the clients were told against what is stored; one line of figures.</summary>
    public async Task<string> CountAsync(string name)
    {
        Dictionary<string, int> stored = [];
        await Eventually.HoldsAsync(
            async () =>
            {
                stored = await StoredAsync();
                return _isAcked.All(pair => !pair.Value || stored.ContainsKey(pair.Key));
            },
            TimeSpan.FromSeconds(120),
            () => $"all of {Acked} acked events are stored (found {stored.Count}); it said {gateway.Output}");

        int refused = _isAcked.Values.Count(isAcked => !isAcked);
        int twice = stored.Count(row => row.Value > 1 && _isAcked.ContainsKey(row.Key));
        Assert.Equal(0, twice);
        Assert.True(refused > 0, "Nobody was refused.");
        return $"{name}: acked {Acked}, refused {refused}, lost 0, twice {twice}, false 200 0, "
            + $"seconds {_watch.Elapsed.TotalSeconds:0.0}";
    }

    /// <summary>The embedded engine's process; 0 while there is none.</summary>
    public int EngineProcess() => Directory.EnumerateDirectories("/proc")
        .Where(folder => char.IsDigit(folder[^1]))
        .Where(IsEngine)
        .Select(folder => int.Parse(Path.GetFileName(folder)))
        .FirstOrDefault();

    /// <summary>The thread of the gateway that writes and syncs the journal.</summary>
    public int CommitterThread() => Directory.EnumerateDirectories($"/proc/{gateway.Id}/task")
        .Where(folder => File.ReadAllText(Path.Combine(folder, "comm")).StartsWith("journal c", StringComparison.Ordinal))
        .Select(folder => int.Parse(Path.GetFileName(folder)))
        .Single();

    private async Task PostOneAfterTheOtherAsync(string padding, CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            string[] ids = [.. Enumerable.Range(0, 20).Select(_ => Guid.CreateVersion7().ToString())];
            using var response = await PostAsync(ids, padding);
            bool isAcked = response.StatusCode == HttpStatusCode.OK;
            Assert.True(
                isAcked || response.StatusCode == HttpStatusCode.ServiceUnavailable, $"It says {response.StatusCode}.");
            foreach (string id in ids) _isAcked[id] = isAcked;
            if (isAcked) Interlocked.Add(ref _acked, ids.Length);
            else await Task.Delay(5, CancellationToken.None);
        }
    }

    private Task<HttpResponseMessage> PostAsync(string[] ids, string padding) => gateway.PostAsync("/batch/", new
    {
        api_key = GatewayProcess.ProjectToken,
        batch = ids.Select(id => new { uuid = id, @event = "fault", distinct_id = "someone", properties = new { padding } }),
    });

    /// <summary>How often each event is stored, by its id.</summary>
    private async Task<Dictionary<string, int>> StoredAsync()
    {
        Dictionary<string, int> stored = [];
        string? cursor = null;
        do
        {
            using var response = await gateway.QueryAsync(new
            {
                kind = "EventsQuery",
                select = (string[])["uuid"],
                after = "1970-01-01T00:00:00Z",
                before = "2149-01-01T00:00:00Z",
                limit = 50_000,
                cursor,
            });
            if (response.StatusCode == HttpStatusCode.ServiceUnavailable) return [];

            var answer = await response.Content.ReadFromJsonAsync<JsonElement>();
            foreach (var row in answer.GetProperty("results").EnumerateArray())
            {
                string id = row[0].GetString()!;
                stored[id] = stored.GetValueOrDefault(id) + 1;
            }

            cursor = answer.GetProperty("hasMore").GetBoolean() ? answer.GetProperty("nextCursor").GetString() : null;
        }
        while (cursor is not null);

        return stored;
    }

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
