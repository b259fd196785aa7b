using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>A project that is moved through one of two gateways, while its apps and its people use the other.</summary>
[Collection(EngineCollection.Name)]
public sealed class SharedMovesTests(EngineFixture engine)
{
    private const int Moves = 6;

    [Fact]
    public async Task A_move_through_one_gateway_holds_at_the_other_from_its_return_on_and_no_event_is_refused()
    {
        string store = new UriBuilder(engine.ConnectionString) { Path = $"/moves_{Guid.NewGuid():N}" }.Uri.AbsoluteUri;
        (string, string)[] shared =
        [
            ("ConnectionStrings:Postgres", PostgresServer.Shared.NewDatabase()),
            ("ConnectionStrings:ClickHouse", store),
        ];
        await using var one = await GatewayProcess.StartAsync(settings: shared);
        await using var other = await GatewayProcess.StartAsync(settings: shared);

        using var owner = ApiUser.Owner(one);
        string here = (await owner.GetAsync("/api/organizations/@current/")).GetProperty("id").GetString()!;
        string there = (await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = "There" }))
            .GetProperty("id").GetString()!;
        using var invitedHere = await owner.InviteAsync(here, "local@example.com");
        using var invitedThere = await owner.InviteAsync(there, "remote@example.com", level: 15);
        using var local = invitedHere.At(other);
        using var remote = invitedThere.At(other);
        var shop = await owner.DoAsync(
            HttpMethod.Post, $"/api/organizations/{here}/projects/", new { name = "Shop" });
        string project = $"/api/projects/{shop.GetProperty("id").GetInt64()}";
        string token = shop.GetProperty("api_token").GetString()!;

        var load = new Load();
        using var stop = new CancellationTokenSource();
        var readings = new ConcurrentQueue<(string Who, long Began, HttpStatusCode Status)>();
        Task[] running =
        [
            .. Enumerable.Range(0, 2).Select(_ => load.PostUntilAsync(other.Address, stop.Token, token: token)),
            MovedTests.ReadUntilAsync(local, project, readings, stop.Token),
            MovedTests.ReadUntilAsync(remote, project, readings, stop.Token),
        ];

        var stays = new List<(string Who, long From, long Until)>();
        for (int i = 0; i < Moves; i++)
        {
            long acked = load.Acked;
            int read = readings.Count;
            await Eventually.HoldsAsync(
                () => Task.FromResult(load.Acked > acked + 20 && readings.Count > read + 4),
                TimeSpan.FromSeconds(60), () => "events and queries go on");

            string outsider = i % 2 == 0 ? local.Email : remote.Email;
            long returned = await MovedTests.MoveAsync(owner, project, i % 2 == 0 ? there : here, outsider);
            await Eventually.HoldsAsync(
                () => Task.FromResult(readings.Count(each => each.Who == outsider && each.Began > returned) > 2),
                TimeSpan.FromSeconds(60), () => "who is out has tried");
            stays.Add((outsider, returned, Stopwatch.GetTimestamp()));
        }

        await stop.CancelAsync();
        await Task.WhenAll(running);

        var late = stays
            .SelectMany(stay => readings.Where(reading => reading.Who == stay.Who
                && reading.Began > stay.From && reading.Began < stay.Until))
            .Where(reading => reading.Status is not (HttpStatusCode.NotFound or HttpStatusCode.ServiceUnavailable))
            .ToList();
        Assert.True(late.Count == 0, $"{late.Count} of {readings.Count}: {string.Join(", ", late.Take(5))}");
        Assert.Contains(readings, reading => reading.Status == HttpStatusCode.OK);
        Assert.DoesNotContain(load.Fates, fate => fate.Value != Fate.Acked);
        List<StoredEvent> stored = [];
        await Eventually.HoldsAsync(
            async () => (stored = await one.EventsAsync(shop.GetProperty("id").ToString())).Count >= load.Acked,
            TimeSpan.FromSeconds(60), () => $"{load.Acked} events are queryable (found {stored.Count})");
        load.AssertKept(stored);
    }
}
