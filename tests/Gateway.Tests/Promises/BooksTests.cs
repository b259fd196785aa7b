using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Core.ClickHouse;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>
/// The books of a real gateway: what was accepted is shipped, quarantined, erased or waiting, what ClickHouse refuses is
/// put aside and can be sent again, and what is lost from the store is noticed.
/// </summary>
public sealed class BooksTests(EngineFixture engine, ITestOutputHelper output)
    : IClassFixture<EngineFixture>, IAsyncLifetime, IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly string _database = "books_" + Guid.NewGuid().ToString("N");
    private readonly TemporaryFolder _folder = new();
    private ClickHouseClient _store = null!;
    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync()
    {
        var target = engine.Target with { Database = _database };
        _store = new ClickHouseClient(target);
        _gateway = await StartAsync(checkSeconds: "1");
        await Eventually.HoldsAsync(
            async () => (await LedgerAsync()).Status != HttpStatusCode.ServiceUnavailable, Patience, () => "the books open");
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        _folder.Remove();
        await _store.ExecuteAsync($"DROP DATABASE IF EXISTS {_database}");
    }

    public void Dispose() => _store.Dispose();

    [Fact]
    public async Task One_bad_row_among_fifty_thousand_is_put_aside_and_stored_once_when_it_is_sent_again()
    {
        await _gateway.PostAsync("/e/", Event("first"));
        await StoredAsync(1);
        await _store.ExecuteAsync("ALTER TABLE events ADD CONSTRAINT no_bad CHECK event != 'bad'");
        for (int batch = 0; batch < 5; batch++)
        {
            var events = Enumerable.Range(0, 10_000)
                .Select(i => batch == 3 && i == 1_234 ? Event("bad") : Event($"good {batch}"));
            var answer = await _gateway.PostAsync("/batch/", new { api_key = GatewayProcess.ProjectToken, batch = events });
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        var clock = Stopwatch.StartNew();
        await StoredAsync(50_000);
        var took = clock.Elapsed;
        var ledger = await SettledAsync(accepted: 50_001);
        Assert.Equal((50_000, 1, 0), (ledger.Of("shipped"), ledger.Of("quarantined"), ledger.Of("waiting")));

        var row = Assert.Single((await GetAsync("quarantine/")).Json.GetProperty("results").EnumerateArray());
        Assert.Equal(("store", "clickhouse_469"), (row.GetProperty("origin").GetString(), row.GetProperty("code").GetString()));
        Assert.Equal("bad", row.GetProperty("event").GetProperty("event").GetString());
        string path = $"quarantine/{row.GetProperty("id").GetInt64()}/";

        // It is taken back as long as ClickHouse refuses it, and counted each time.
        Assert.Equal(1, (await SendAsync("POST", path + "replay/")).Json.GetProperty("replayed").GetInt32());
        Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(path)).Status);
        ledger = await SettledAsync(accepted: 50_002);
        Assert.Equal((50_000, 2), (ledger.Of("shipped"), ledger.Of("quarantined")));

        await _store.ExecuteAsync("ALTER TABLE events DROP CONSTRAINT no_bad");
        Assert.Equal(1, (await SendAsync("POST", "quarantine/replay/")).Json.GetProperty("replayed").GetInt32());
        ledger = await SettledAsync(accepted: 50_003);
        Assert.Equal((50_001, 50_001, 0), (ledger.Of("shipped"), ledger.Of("stored"), ledger.Of("duplicates")));
        Assert.Equal("1\n", await _store.QueryTextAsync("SELECT count() FROM events FINAL WHERE event = 'bad'"));
        Assert.Equal(0, (await GetAsync("quarantine/")).Json.GetProperty("count").GetInt32());
        output.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"bad row: events 50000, stored 49999 in {took.TotalSeconds:0.00} s, quarantined 1, replayed 1, stored once 1"));
    }

    [Fact]
    public async Task A_row_that_is_deleted_from_the_store_fires_the_alarm_and_is_there_again()
    {
        await _gateway.DisposeAsync();
        _gateway = await StartAsync(checkSeconds: "86400");
        var lost = Guid.NewGuid();
        await _gateway.PostAsync("/e/", Event("lost", lost));
        await _gateway.PostAsync("/e/", Event("kept"));
        await StoredAsync(2);
        await _store.ExecuteAsync($"ALTER TABLE events DELETE WHERE uuid = '{lost}' SETTINGS mutations_sync = 2");
        Assert.False((await LedgerAsync()).Json.GetProperty("alarm").GetBoolean());

        // The check comes with a whole segment at the latest.
        string filling = new('x', 200_000);
        for (int i = 0; i < 8; i++) await _gateway.PostAsync("/e/", Event("filling", properties: filling));
        await Eventually.HoldsAsync(
            async () => (await LedgerAsync()).Json.GetProperty("alarm").GetBoolean(), Patience, () => "the alarm fires");
        await StoredAsync(10);

        var ledger = await SettledAsync(accepted: 10);
        Assert.Equal((10, 1, 10), (ledger.Of("shipped"), ledger.Of("missed"), ledger.Of("stored")));
        string metrics = await _gateway.Http.GetStringAsync("/metrics");
        Assert.Contains("gateway_store_rows_lost_total 1\n", metrics, StringComparison.Ordinal);
        Assert.Contains("LOST FROM THE STORE: 1 events of projects 1 ", _gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task What_capture_refuses_beside_good_events_is_kept_with_its_reason_and_can_be_mended()
    {
        var partial = await _gateway.PostAsync("/batch/", new
        {
            api_key = GatewayProcess.ProjectToken,
            batch = new object[] { Event("good"), new { @event = "nameless", properties = new { note = "\ud83d\ude00" } } },
        });
        Assert.Equal(HttpStatusCode.OK, partial.StatusCode);
        var whole = await _gateway.PostAsync("/e/", new { api_key = GatewayProcess.ProjectToken, @event = "alone" });
        Assert.Equal(HttpStatusCode.BadRequest, whole.StatusCode);
        var ledger = await SettledAsync(accepted: 1);
        Assert.Equal((1, 1, 0), (ledger.Of("shipped"), ledger.Of("refused"), ledger.Of("quarantined")));

        var row = Assert.Single((await GetAsync("quarantine/")).Json.GetProperty("results").EnumerateArray());
        Assert.Equal(
            ("capture", "missing_distinct_id"),
            (row.GetProperty("origin").GetString(), row.GetProperty("code").GetString()));
        Assert.Equal("nameless", row.GetProperty("event").GetProperty("event").GetString());
        string replay = $"quarantine/{row.GetProperty("id").GetInt64()}/replay/";

        var asItIs = await SendAsync("POST", replay);
        Assert.Equal(
            (HttpStatusCode.BadRequest, "missing_distinct_id"),
            (asItIs.Status, asItIs.Json.GetProperty("code").GetString()));
        foreach (string wrong in (string[])["{", "[]", """{"event":"a","distinct_id":"b"},{"event":"c","distinct_id":"d"}"""])
            Assert.Equal(HttpStatusCode.BadRequest, (await SendAsync("POST", replay, wrong)).Status);

        string mended = """{"event":"nameless","distinct_id":"ann"}""";
        Assert.Equal(HttpStatusCode.OK, (await SendAsync("POST", replay, mended)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("POST", replay, mended)).Status);
        await StoredAsync(2);
        Assert.Equal("ann\n", await _store.QueryTextAsync("SELECT distinct_id FROM events WHERE event = 'nameless'"));
    }

    [Fact]
    public async Task Copies_of_an_event_are_accepted_and_shipped_each_and_stored_once()
    {
        var uuid = Guid.NewGuid();
        for (int copy = 0; copy < 3; copy++)
        {
            await _gateway.PostAsync("/e/", Event("again", uuid));
            await SettledAsync(accepted: copy + 1);
        }

        var ledger = await SettledAsync(accepted: 3);
        Assert.Equal((3, 1, 2), (ledger.Of("shipped"), ledger.Of("stored"), ledger.Of("duplicates")));
        var freshness = (await GetAsync("freshness/")).Json;
        Assert.Equal(3, freshness.GetProperty("events").GetInt32());
        Assert.InRange(freshness.GetProperty("p99_seconds").GetDouble(), 0.001, 60);
        Assert.Contains(
            "gateway_freshness_seconds_count 3\n", await _gateway.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_project_reads_and_steers_its_own_books_only_and_bad_questions_are_told()
    {
        await TwoProjects.AddSecondAsync(_gateway);
        await _gateway.PostAsync("/batch/", new
        {
            api_key = GatewayProcess.ProjectToken,
            batch = new object[] { Event("good"), new { @event = "nameless" } },
        });
        await SettledAsync(accepted: 1);
        long id = (await GetAsync("quarantine/")).Json.GetProperty("results")[0].GetProperty("id").GetInt64();

        Assert.Equal(0, (await GetAsync("quarantine/", "2")).Json.GetProperty("count").GetInt32());
        Assert.Equal(0, (await GetAsync("ledger/", "2")).Json.GetProperty("totals").GetProperty("accepted").GetInt32());
        Assert.Equal(0, (await GetAsync("freshness/", "2")).Json.GetProperty("events").GetInt32());
        foreach (string path in (string[])[$"quarantine/{id}/", "quarantine/x/", "quarantine/-1/"])
        {
            Assert.Equal(HttpStatusCode.NotFound, (await GetAsync(path, "2")).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("DELETE", path, project: "2")).Status);
            Assert.Equal(HttpStatusCode.NotFound, (await SendAsync("POST", path + "replay/", project: "2")).Status);
        }

        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync("DELETE", "quarantine/", project: "2")).Status);
        Assert.Equal(HttpStatusCode.OK, (await GetAsync($"quarantine/{id}/")).Status);
        foreach (string query in (string[])
            ["from=x", "to=x", "from=2026-01-02&to=2026-01-01", "from=2026-01-01&to=2026-01-03", "from=0001-01-01"])
        {
            Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("ledger/?" + query)).Status);
        }

        Assert.Equal(HttpStatusCode.BadRequest, (await GetAsync("quarantine/?limit=0")).Status);
        Assert.Equal(HttpStatusCode.NoContent, (await SendAsync("DELETE", $"quarantine/{id}/")).Status);
        Assert.Equal(0, (await GetAsync("quarantine/")).Json.GetProperty("count").GetInt32());
    }

    private static object Event(string name, Guid? uuid = null, string? properties = null) => new
    {
        api_key = GatewayProcess.ProjectToken,
        @event = name,
        distinct_id = "d",
        uuid = uuid ?? Guid.CreateVersion7(),
        timestamp = "2026-11-01T00:00:00Z",
        properties = new { text = properties },
    };

    private Task<GatewayProcess> StartAsync(string checkSeconds) => GatewayProcess.StartAsync(_folder.Path, settings:
    [
        ("ConnectionStrings:ClickHouse", $"{engine.ConnectionString[..engine.ConnectionString.LastIndexOf('/')]}/{_database}"),
        ("Gateway:Ledger:CheckSeconds", checkSeconds),
        ("Gateway:Journal:SegmentBytes", "1048576"),
    ]);

    private Task StoredAsync(int count) => Eventually.HoldsAsync(
        async () =>
        {
            try
            {
                return await _store.QueryTextAsync("SELECT count() FROM events FINAL") == $"{count}\n";
            }
            catch (ClickHouseException)
            {
                return false;
            }
        },
        Patience, () => $"{count} events are stored; the gateway said\n{_gateway.Output}");

    private async Task<Counts> SettledAsync(int accepted)
    {
        var ledger = default(Answer);
        await Eventually.HoldsAsync(
            async () =>
            {
                ledger = await LedgerAsync();
                var totals = new Counts(ledger.Json);
                return totals.Of("accepted") == accepted && totals.Of("waiting") == 0 && totals.Has("stored");
            },
            Patience, () => $"{accepted} events are settled: {ledger.Json}; the gateway said\n{_gateway.Output}");
        return new Counts(ledger.Json);
    }

    private Task<Answer> LedgerAsync() => GetAsync("ledger/");

    private Task<Answer> GetAsync(string path, string project = "1") => SendAsync("GET", path, project: project);

    private async Task<Answer> SendAsync(string method, string path, string? body = null, string project = "1")
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), $"/api/projects/{project}/{path}");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _gateway.Http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return new Answer(response.StatusCode, text.Length == 0 ? default : JsonElement.Parse(text));
    }

    private readonly record struct Answer(HttpStatusCode Status, JsonElement Json);

    private sealed class Counts(JsonElement ledger)
    {
        private readonly JsonElement _totals = ledger.GetProperty("totals");

        public int Of(string name) => _totals.GetProperty(name).GetInt32();

        public bool Has(string name) => _totals.GetProperty(name).ValueKind == JsonValueKind.Number;
    }
}
