using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// A project that is moved to another organization while events come in: its apps notice nothing, and those who belong
/// only to the organization that it left are out when the call returns.
/// </summary>
public sealed class MovedTests
{
    private const int Moves = 8;

    private static readonly object Query = new
    {
        query = new { kind = "EventsQuery", select = (string[])["uuid"], limit = 1 },
    };

    [Fact]
    public async Task No_event_is_refused_or_lost_and_a_former_member_is_out_from_the_return_on()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var owner = ApiUser.Owner(gateway);
        string here = (await owner.GetAsync("/api/organizations/@current/")).GetProperty("id").GetString()!;
        string there = (await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = "There" }))
            .GetProperty("id").GetString()!;
        using var local = await owner.InviteAsync(here, "local@example.com");
        using var remote = await owner.InviteAsync(there, "remote@example.com", level: 15);
        var shop = await owner.DoAsync(
            HttpMethod.Post, $"/api/organizations/{here}/projects/", new { name = "Shop" });
        string project = $"/api/projects/{shop.GetProperty("id").GetInt64()}";
        string token = shop.GetProperty("api_token").GetString()!;

        var load = new Load();
        using var stop = new CancellationTokenSource();
        var readings = new ConcurrentQueue<(string Who, long Began, HttpStatusCode Status)>();
        Task[] running =
        [
            .. Enumerable.Range(0, 4).Select(_ => Task.Run(() => load.PostUntilAsync(gateway.Address, stop.Token, token: token))),
            ReadUntilAsync(local, project, readings, stop.Token),
            ReadUntilAsync(remote, project, readings, stop.Token),
        ];

        var stays = new List<(string Who, long From, long Until)>();
        for (int i = 0; i < Moves; i++)
        {
            long acked = load.Acked;
            int read = readings.Count;
            await Eventually.HoldsAsync(
                () => Task.FromResult(load.Acked > acked + 50 && readings.Count > read + 4),
                TimeSpan.FromSeconds(60), () => "events and queries go on");

            string outsider = i % 2 == 0 ? local.Email : remote.Email;
            long returned = await MoveAsync(owner, project, i % 2 == 0 ? there : here, outsider);
            await Eventually.HoldsAsync(
                () => Task.FromResult(readings.Count(reading => reading.Who == outsider && reading.Began > returned) > 2),
                TimeSpan.FromSeconds(60), () => "who is out has tried");
            stays.Add((outsider, returned, Stopwatch.GetTimestamp()));
        }

        await stop.CancelAsync();
        await Task.WhenAll(running);

        // Whoever was out was let in by no request that began after the return.
        int late = stays.Sum(stay => readings.Count(reading => reading.Who == stay.Who
            && reading.Status == HttpStatusCode.OK && reading.Began > stay.From && reading.Began < stay.Until));
        Assert.True(late == 0, $"{late} of {readings.Count} queries by somebody who was out");
        Assert.Contains(readings, reading => reading.Status == HttpStatusCode.OK);
        Assert.Contains(readings, reading => reading.Status == HttpStatusCode.NotFound);

        Assert.DoesNotContain(load.Fates, fate => fate.Value != Fate.Acked);
        string id = shop.GetProperty("id").GetInt64().ToString();
        List<StoredEvent> stored = [];
        await Eventually.HoldsAsync(
            async () => (stored = await gateway.EventsAsync(id)).Count >= load.Acked,
            TimeSpan.FromSeconds(60), () => $"{load.Acked} events are queryable (found {stored.Count})");
        load.AssertKept(stored);

        foreach (string organization in (string[])[here, there])
        {
            var check = await owner.GetAsync($"/api/organizations/{organization}/audit_log/check/");
            Assert.True(check.GetProperty("intact").GetBoolean(), check.ToString());
            var log = await owner.GetAsync($"/api/organizations/{organization}/audit_log/?limit=1000");
            Assert.Equal(Moves, log.GetProperty("results").EnumerateArray()
                .Count(row => row.GetProperty("action").GetString()!.StartsWith("project.moved", StringComparison.Ordinal)));
        }
    }

    /// <summary>Asks first what would happen, and holds the answer against what does; when the move had returned.</summary>
    internal static async Task<long> MoveAsync(ApiUser owner, string project, string target, string outsider)
    {
        var body = new { organization_id = target };
        var dry = await owner.DoAsync(HttpMethod.Post, $"{project}/change_organization/?dry_run=true", body);
        var moved = await owner.DoAsync(HttpMethod.Post, $"{project}/change_organization/", body);
        long returned = Stopwatch.GetTimestamp();

        Assert.Equal(outsider, Assert.Single(moved.GetProperty("lose_access").EnumerateArray()).GetString());
        Assert.Equal(dry.GetProperty("lose_access").ToString(), moved.GetProperty("lose_access").ToString());
        Assert.Equal(target, moved.GetProperty("organization").GetString());
        Assert.True(dry.GetProperty("dry_run").GetBoolean());
        return returned;
    }

    /// <summary>Queries without end, each noted with when it began.</summary>
    internal static async Task ReadUntilAsync(
        ApiUser reader,
        string project,
        ConcurrentQueue<(string, long, HttpStatusCode)> readings,
        CancellationToken stop)
    {
        while (!stop.IsCancellationRequested)
        {
            long began = Stopwatch.GetTimestamp();
            var status = await reader.StatusAsync(HttpMethod.Post, $"{project}/query/", Query);
            readings.Enqueue((reader.Email, began, status));

            // Also when it is refused, or the refusals take the machine from all else.
            await Task.Delay(20, CancellationToken.None);
        }
    }
}
