using System.Net;
using System.Text.Json.Nodes;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>An SDK's retry is the same event: it is shown once, as it came first.</summary>
public sealed class RetryTests
{
    private static TheoryData<string, string, string> Retries()
    {
        string now = DateTimeOffset.UtcNow.ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
        string slow = DateTimeOffset.UtcNow.AddHours(-1).ToString("yyyy-MM-ddTHH:mm:ss.fffZ");
        return new TheoryData<string, string, string>
        {
            { "another sent_at", $$"""{"timestamp":"{{now}}"}""", now },
            { "across midnight", """{"timestamp":"2026-11-20T23:59:59.900Z"}""", "2026-11-21T00:00:03Z" },
            { "across a month's end", """{"timestamp":"2026-10-31T23:59:59.900Z"}""", "2026-11-01T00:00:03Z" },
            { "a clock an hour off", $$"""{"timestamp":"{{slow}}"}""", slow },
            { "an offset", """{"offset":1500}""", now },
            { "an unreadable timestamp", """{"timestamp":"the day before yesterday"}""", now },
            { "no time at all", "{}", now },
        };
    }

    [Fact]
    public async Task A_retry_is_shown_once_as_it_came_first()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        var sent = new Dictionary<string, string>();
        foreach (object?[] row in Retries().Select(row => row.ToArray()))
        {
            var (name, fields, sentAt) = ((string)row[0]!, (string)row[1]!, (string)row[2]!);
            string uuid = Guid.CreateVersion7().ToString();
            sent[uuid] = name;
            var second = DateTimeOffset.Parse(sentAt).AddSeconds(7);
            await PostAsync(gateway, uuid, fields, sentAt, attempt: 1);
            await gateway.WaitForEventsAsync(sent.Count);
            await PostAsync(gateway, uuid, fields, second.ToString("O"), attempt: 2);
        }

        // The journal ships in order: when this last event is shown, every retry before it has been stored.
        string marker = Guid.CreateVersion7().ToString();
        await PostAsync(gateway, marker, "{}", "2026-11-21T00:00:00Z", attempt: 1);
        await Eventually.HoldsAsync(
            async () => (await gateway.EventsAsync()).Any(row => row.Uuid == marker),
            TimeSpan.FromSeconds(30), () => "the marker is queryable");


        var stored = await gateway.EventsAsync();
        Assert.All(sent, pair =>
        {
            var shown = stored.Where(row => row.Uuid == pair.Key).ToList();
            Assert.True(shown.Count == 1, $"with {pair.Value} the event is shown {shown.Count} times");
            Assert.Equal(1, shown[0].Properties.GetProperty("attempt").GetInt32());
        });
    }

    private static async Task PostAsync(GatewayProcess gateway, string uuid, string fields, string sentAt, int attempt)
    {
        var item = (JsonObject)JsonNode.Parse(fields)!;
        item["uuid"] = uuid;
        item["event"] = "retried";
        item["distinct_id"] = "d";
        item["properties"] = new JsonObject { ["attempt"] = attempt };
        using var answer = await gateway.PostAsync("/batch/", new JsonObject
        {
            ["api_key"] = GatewayProcess.ProjectToken,
            ["batch"] = new JsonArray(item),
            ["sent_at"] = sentAt,
        });
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }
}
