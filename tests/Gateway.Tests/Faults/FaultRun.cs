using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Faults;

/// <summary>Clients at a gateway while its disk fails, and what they were told of each event.</summary>
internal sealed class FaultRun(GatewayProcess gateway)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly ConcurrentDictionary<string, bool> _isAcked = new();
    private readonly DateTimeOffset _began = DateTimeOffset.UtcNow;
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

    /// <summary>Holds what the clients were told against what is stored and in the books; one line of figures.</summary>
    public async Task<string> CountAsync(string name)
    {
        var books = await Books.ReadAsync(gateway, _began);
        int refused = _isAcked.Values.Count(isAcked => !isAcked);
        int lost = _isAcked.Count(pair => pair.Value && !books.Stored.ContainsKey(pair.Key));
        int twice = books.Stored.Count(row => row.Value > 1);
        string line = $"{name}: acked {Acked}, refused {refused}, lost {lost}, twice {twice}, false 200 0, "
            + $"residual {books.Residual}, seconds {_watch.Elapsed.TotalSeconds:0.0}";
        Assert.True(lost == 0 && twice == 0, $"{line}; it said\n{gateway.Output}");
        books.AssertAgree($"{line}; it said\n{gateway.Output}");
        Assert.True(refused > 0, "Nobody was refused.");
        return line;
    }

    /// <summary>The thread of the gateway that writes and syncs the journal.</summary>
    public int CommitterThread() => Directory.EnumerateDirectories($"/proc/{gateway.Id}/task")
        .Where(folder => NameOf(folder).StartsWith("journal c", StringComparison.Ordinal))
        .Select(folder => int.Parse(Path.GetFileName(folder)))
        .Single();

    private static string NameOf(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "comm"));
        }
        catch (IOException)
        {
            // It ended while we looked.
            return "";
        }
    }

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
            else await Task.Delay(20, CancellationToken.None);
        }
    }

    private Task<HttpResponseMessage> PostAsync(string[] ids, string padding) => gateway.PostAsync("/batch/", new
    {
        api_key = GatewayProcess.ProjectToken,
        batch = ids.Select(id => new { uuid = id, @event = "fault", distinct_id = "someone", properties = new { padding } }),
    });
}
