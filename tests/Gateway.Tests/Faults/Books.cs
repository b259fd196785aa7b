using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Faults;

/// <summary>What a gateway's ledger says of its one project once nothing waits, and what is really there.</summary>
/// <param name="Totals">Of the whole run, as the API has them.</param>
/// <param name="IsAlarmed">Whether it says that events are, or were, lost.</param>
/// <param name="Open">Of this process: accepted less all that became of it, each counted by itself.</param>
/// <param name="Stored">How often each event is shown by a query, by its uuid.</param>
/// <param name="PutAside">How often each event is in the quarantine, by its uuid.</param>
internal sealed record Books(
    JsonElement Totals, bool IsAlarmed, long Open, Dictionary<string, int> Stored, Dictionary<string, int> PutAside)
{
    private const int PageRows = 1000;

    // Rows of the quarantine may be large: no page has more.
    private const int RowsAside = 100;

    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(4);

    /// <summary>What is in the ledger and nowhere else, or the other way round: each event is sent once.</summary>
    public long Residual => Math.Abs(Of("accepted") - Stored.Count - PutAside.Count) + Math.Abs(Open);

    public long Of(string name) => Totals.GetProperty(name).GetInt64();

    /// <summary>What the ledger alone says that cannot be.</summary>
    public void AssertAgree(string report)
    {
        long ends = Of("shipped") + Of("quarantined") + Of("erased") + Of("waiting") + Of("damaged");
        Assert.True(
            Residual == 0 && Of("accepted") == ends && Of("stored") == Stored.Count && Of("duplicates") == 0
                && Of("quarantined") == PutAside.Count && Of("damaged") == 0 && Of("missed") == 0 && !IsAlarmed,
            $"The ledger does not agree: {Totals}, stored {Stored.Count}, put aside {PutAside.Count}, open {Open}. "
            + report);
    }

    /// <summary>Waits until nothing waits any more, then reads all.</summary>
    /// <param name="gateway">Nobody may send to it any more.</param>
    /// <param name="since">Before the first event.</param>
    public static async Task<Books> ReadAsync(GatewayProcess gateway, DateTimeOffset since)
    {
        await Eventually.HoldsAsync(
            async () => await gateway.MetricAsync("gateway_ledger_waiting") == 0,
            Patience, () => $"nothing waits any more; the gateway said\n{gateway.Output}");

        string range = $"?from={since.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture)}";
        JsonElement answer = default;
        await Eventually.HoldsAsync(
            async () => (await TryGetAsync(gateway, "ledger/" + range)) is { } json
                && (answer = json).GetProperty("totals").GetProperty("stored").ValueKind == JsonValueKind.Number,
            Patience, () => $"the ledger is read, with the store: {answer}; the gateway said\n{gateway.Output}");

        long open = await gateway.MetricAsync("gateway_ledger_accepted_total")
            - await gateway.MetricAsync("gateway_ledger_waiting");
        foreach (string fate in (string[])["shipped", "quarantined", "erased", "damaged"])
            open -= await gateway.MetricAsync($"gateway_ledger_events_total{{fate=\"{fate}\"}}");

        return new Books(
            answer.GetProperty("totals"), answer.GetProperty("alarm").GetBoolean(), open,
            await StoredAsync(gateway), await PutAsideAsync(gateway));
    }

    private static async Task<Dictionary<string, int>> StoredAsync(GatewayProcess gateway)
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
            string text = await response.Content.ReadAsStringAsync();
            Assert.True(response.IsSuccessStatusCode, text);

            var answer = JsonElement.Parse(text);
            foreach (var row in answer.GetProperty("results").EnumerateArray()) Count(stored, row[0].GetString()!);
            cursor = answer.GetProperty("hasMore").GetBoolean() ? answer.GetProperty("nextCursor").GetString() : null;
        }
        while (cursor is not null);

        return stored;
    }

    private static async Task<Dictionary<string, int>> PutAsideAsync(GatewayProcess gateway)
    {
        Dictionary<string, int> rows = [];
        for (int offset = 0; ; offset += RowsAside)
        {
            var page = await TryGetAsync(gateway, $"quarantine/?limit={RowsAside}&offset={offset}");
            Assert.NotNull(page);
            var results = page.Value.GetProperty("results");
            foreach (var row in results.EnumerateArray())
                Count(rows, row.GetProperty("event").GetProperty("uuid").GetString()!);
            if (results.GetArrayLength() < RowsAside) return rows;
        }
    }

    private static void Count(Dictionary<string, int> rows, string uuid) =>
        rows[uuid] = rows.GetValueOrDefault(uuid) + 1;

    /// <summary>Null while it is not to be had.</summary>
    private static async Task<JsonElement?> TryGetAsync(GatewayProcess gateway, string path)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/api/projects/1/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        using var response = await gateway.Http.SendAsync(request);
        if (response.StatusCode == HttpStatusCode.ServiceUnavailable) return null;

        string text = await response.Content.ReadAsStringAsync();
        Assert.True(response.IsSuccessStatusCode, $"{path}: {text}");
        return JsonElement.Parse(text);
    }
}
