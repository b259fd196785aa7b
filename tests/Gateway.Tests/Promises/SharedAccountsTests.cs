using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Npgsql;

namespace Gateway.Tests.Promises;

/// <summary>Two gateways that share PostgreSQL and ClickHouse are one: what one revokes, the other refuses.</summary>
[Collection(EngineCollection.Name)]
public sealed class SharedAccountsTests(EngineFixture engine)
{
    private const int ClientsEach = 4;
    private const int Regenerations = 30;

    [Fact]
    public async Task No_gateway_answers_200_to_a_request_that_began_after_regenerate_returned_on_one()
    {
        var shared = Shared(PostgresServer.Shared.NewDatabase(), NewClickHouse());
        await using var one = await GatewayProcess.StartAsync(settings: shared);
        await using var other = await GatewayProcess.StartAsync(settings: shared);
        Assert.DoesNotContain("never-shown", one.Output + other.Output, StringComparison.Ordinal);
        Assert.Contains("accounts  PostgreSQL at 127.0.0.1:", one.Output, StringComparison.Ordinal);

        var returned = new Dictionary<string, long>();
        var acks = new ConcurrentBag<(string Token, long Began, string Uuid, int Port)>();
        string current = GatewayProcess.ProjectToken;
        using var stop = new CancellationTokenSource();
        var clients = ((GatewayProcess[])[one, other])
            .SelectMany(gateway => Enumerable.Repeat(gateway, ClientsEach))
            .Select(gateway => Task.Run(async () =>
            {
                using var http = new HttpClient { BaseAddress = gateway.Address };
                string mine = Volatile.Read(ref current);
                while (!stop.IsCancellationRequested)
                {
                    long began = Stopwatch.GetTimestamp();
                    string uuid = Guid.CreateVersion7().ToString();
                    using var answer = await http.PostAsJsonAsync(
                        "/e/", new { api_key = mine, @event = "ping", distinct_id = "d", uuid });
                    if (answer.StatusCode == HttpStatusCode.OK)
                    {
                        acks.Add((mine, began, uuid, gateway.Address.Port));
                        continue;
                    }

                    Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
                    mine = Volatile.Read(ref current);
                }
            }))
            .ToArray();

        for (int i = 0; i < Regenerations; i++)
        {
            int seen = acks.Count;
            await Eventually.HoldsAsync(
                () => Task.FromResult(acks.Count > seen + 20), TimeSpan.FromSeconds(30), () => "clients are answered");
            string fresh = await RegenerateAsync(one);
            returned[current] = Stopwatch.GetTimestamp();
            Volatile.Write(ref current, fresh);
        }

        await stop.CancelAsync();
        await Task.WhenAll(clients);

        int late = acks.Count(ack => returned.TryGetValue(ack.Token, out long at) && ack.Began > at);
        Assert.True(late == 0, $"{late} acks of {acks.Count} to requests that began after their token's end");
        Assert.Equal(2, acks.DistinctBy(ack => ack.Port).Count());

        // Each answers for what both took.
        var stored = await one.WaitForEventsAsync(acks.Count);
        Assert.Equal(acks.Select(ack => ack.Uuid).Order(), stored.Select(row => row.Uuid).Order());
    }

    [Fact]
    public async Task A_gateway_that_does_not_match_its_installation_refuses_to_start_and_says_why()
    {
        string postgres = PostgresServer.Shared.NewDatabase();
        string clickHouse = NewClickHouse();
        await using var first = await GatewayProcess.StartAsync(settings: Shared(postgres, clickHouse));

        // An engine of its own beside the installation's store.
        string ownEngine = await RefusedAsync(("ConnectionStrings:Postgres", postgres));
        Assert.Contains("kept in another store", ownEngine, StringComparison.Ordinal);
        Assert.Contains("ConnectionStrings:ClickHouse", ownEngine, StringComparison.Ordinal);

        // Another installation's accounts beside this one's events; it is noticed when the store answers.
        string[] said = await EndedAsync(("ConnectionStrings:ClickHouse", clickHouse));
        Assert.Contains(said, line => line.Contains("events of another installation", StringComparison.Ordinal));

        // A database whose tokens are checked elsewhere.
        Execute(postgres, "UPDATE installation SET authority = 'redis'");
        string authority = await RefusedAsync(Shared(postgres, clickHouse));
        Assert.Contains("'redis'", authority, StringComparison.Ordinal);
        Assert.Contains("'database'", authority, StringComparison.Ordinal);
    }

    private static (string, string)[] Shared(string postgres, string clickHouse) =>
        [("ConnectionStrings:Postgres", postgres), ("ConnectionStrings:ClickHouse", clickHouse)];

    private static async Task<string> RefusedAsync(params (string, string)[] settings)
    {
        var refused = await Assert.ThrowsAsync<InvalidOperationException>(
            () => GatewayProcess.StartAsync(settings: settings));
        Assert.DoesNotContain("never-shown", refused.Message, StringComparison.Ordinal);
        return refused.Message;
    }

    /// <summary>Of a gateway that ends by itself after it began to listen: what it said.</summary>
    private static async Task<string[]> EndedAsync(params (string, string)[] settings)
    {
        var gateway = await GatewayProcess.StartAsync(waitUntilReady: false, settings: settings);
        Assert.Equal(1, await gateway.EndedAsync());
        string[] said = gateway.Output.Split('\n');
        await gateway.ForgetAsync();
        return said;
    }

    private string NewClickHouse() =>
        new UriBuilder(engine.ConnectionString) { Path = $"/shared_{Guid.NewGuid():N}" }.Uri.AbsoluteUri;

    private static void Execute(string postgres, string sql)
    {
        using var connection = new NpgsqlConnection(postgres + ";Pooling=false");
        connection.Open();
        using var command = new NpgsqlCommand(sql, connection);
        command.ExecuteNonQuery();
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
