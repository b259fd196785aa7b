using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>What you revoked, we refused: one gateway, regenerated under load.</summary>
public sealed class RevokedTests
{
    private const int Clients = 8;
    private const int Regenerations = 40;

    [Fact]
    public async Task No_request_that_began_after_regenerate_returned_is_answered_200()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        var tokens = new List<(string Token, long Returned)>();
        var acks = new ConcurrentBag<(string Token, long Began)>();
        var kept = new ConcurrentBag<string>();
        var refused = new ConcurrentBag<string>();
        string current = GatewayProcess.ProjectToken;
        using var stop = new CancellationTokenSource();

        var clients = Enumerable.Range(0, Clients).Select(_ => Task.Run(async () =>
        {
            using var http = new HttpClient { BaseAddress = gateway.Address };
            string mine = Volatile.Read(ref current);
            while (!stop.IsCancellationRequested)
            {
                long began = Stopwatch.GetTimestamp();
                string uuid = Guid.CreateVersion7().ToString();
                using var answer = await http.PostAsJsonAsync("/e/", new
                {
                    api_key = mine,
                    @event = "ping",
                    distinct_id = "d",
                    uuid,
                });
                if (answer.StatusCode == HttpStatusCode.OK)
                {
                    acks.Add((mine, began));
                    kept.Add(uuid);
                    continue;
                }

                // Nobody to ask for a moment: nothing was kept, and nothing is said of the token.
                refused.Add(uuid);
                if (answer.StatusCode == HttpStatusCode.ServiceUnavailable) continue;

                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                mine = Volatile.Read(ref current);
            }
        })).ToArray();

        for (int i = 0; i < Regenerations; i++)
        {
            int seen = acks.Count;
            await Eventually.HoldsAsync(
                () => Task.FromResult(acks.Count > seen + 20), TimeSpan.FromSeconds(30), () => "clients are answered");
            string old = current;
            string fresh = await RegenerateAsync(gateway);
            tokens.Add((old, Stopwatch.GetTimestamp()));
            Volatile.Write(ref current, fresh);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);

        var returned = tokens.ToDictionary(pair => pair.Token, pair => pair.Returned);
        int late = acks.Count(ack => returned.TryGetValue(ack.Token, out long at) && ack.Began > at);
        Assert.True(late == 0, $"{late} acks of {acks.Count} to requests that began after their token's end");

        var stored = await gateway.WaitForEventsAsync(kept.Count);
        Assert.NotEmpty(refused);
        Assert.Equal(kept.Order(), stored.Select(row => row.Uuid).Order());
    }

    [Fact]
    public async Task On_one_connection_the_next_post_after_regenerate_is_401_and_the_new_token_is_200_at_once()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        string old = GatewayProcess.ProjectToken;
        for (int i = 0; i < 20; i++)
        {
            Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, old));
            string fresh = await RegenerateAsync(gateway);
            Assert.Equal(HttpStatusCode.Unauthorized, await PostAsync(gateway, old));
            Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, fresh));
            old = fresh;
        }
    }

    private static async Task<HttpStatusCode> PostAsync(GatewayProcess gateway, string token)
    {
        using var answer = await gateway.PostAsync("/capture/", new { api_key = token, @event = "x", distinct_id = "d" });
        return answer.StatusCode;
    }

    private static async Task<string> RegenerateAsync(GatewayProcess gateway)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/projects/@current/reset_token/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        using var answer = await gateway.Http.SendAsync(request);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement.GetProperty("api_token").GetString()!;
    }
}
