using System.Text.Json;

namespace Gateway.Tests.Query;

[Collection(QueryCollection.Name)]
public sealed class EventListTests(QueryFixture fixture)
{
    private const string Chain =
        """button.md:flex.btn:attr__id="b"attr__class="md:flex btn"attr_id="b"nth-child="1"nth-of-type="2"text="click \"me\"; now";body:nth-child="2"nth-of-type="1" """;

    [Fact]
    public async Task An_event_has_posthogs_shape_with_its_elements()
    {
        string properties = JsonSerializer.Serialize(new Dictionary<string, string> { ["$elements_chain"] = Chain });
        TestEvent row = new("$autocapture", "2026-04-01T10:00:00Z", properties, "ann");
        ulong project = await fixture.ProjectAsync("UTC", row);

        var answer = await ListAsync(project, "");
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("next").ValueKind);
        var shown = Assert.Single(answer.GetProperty("results").EnumerateArray());

        Assert.Equal(row.Uuid.ToString(), shown.GetProperty("id").GetString());
        Assert.Equal(row.Uuid.ToString(), shown.GetProperty("uuid").GetString());
        Assert.Equal("ann", shown.GetProperty("distinct_id").GetString());
        Assert.Equal("2026-04-01T10:00:00.000000Z", shown.GetProperty("timestamp").GetString());
        Assert.Equal(properties, shown.GetProperty("properties").GetRawText());
        Assert.Equal(Chain, shown.GetProperty("elements_chain").GetString());

        var element = shown.GetProperty("elements")[0];
        Assert.Equal("button", element.GetProperty("tag_name").GetString());
        Assert.Equal("click \"me\"; now", element.GetProperty("text").GetString());
        Assert.Equal("b", element.GetProperty("attributes").GetProperty("attr__id").GetString());
        Assert.Equal(2, element.GetProperty("nth_of_type").GetInt32());
        Assert.Equal("body", shown.GetProperty("elements")[1].GetProperty("tag_name").GetString());

        var (status, body) = await fixture.GetAsync(project, $"/api/projects/{project}/events/{row.Uuid}/");
        Assert.Equal(200, status);
        Assert.Equal(shown.GetRawText(), body);
        (status, _) = await fixture.GetAsync(project, $"/api/projects/{project}/events/{Guid.NewGuid()}/");
        Assert.Equal(404, status);
    }

    [Fact]
    public async Task It_shows_the_last_day_unless_asked_for_more_and_filters()
    {
        ulong project = await fixture.ProjectAsync(
            "UTC",
            new TestEvent("old", "2026-03-01T10:00:00Z"),
            new TestEvent("x", "2026-04-01T10:00:00Z", """{"plan":"pro"}""", "ann"),
            new TestEvent("x", "2026-04-01T11:00:00Z", """{"plan":"free"}""", "bob"));

        Assert.Equal(2, (await ListAsync(project, "")).GetProperty("results").GetArrayLength());
        Assert.Equal(3, (await ListAsync(project, "?after=2026-01-01")).GetProperty("results").GetArrayLength());
        Assert.Equal(1, (await ListAsync(project, "?distinct_id=ann&event=x")).GetProperty("results").GetArrayLength());
        string filter = Uri.EscapeDataString("""[{"key":"plan","value":"free","operator":"exact","type":"event"}]""");
        var found = Assert.Single((await ListAsync(project, $"?properties={filter}")).GetProperty("results").EnumerateArray());
        Assert.Equal("bob", found.GetProperty("distinct_id").GetString());
    }

    [Fact]
    public async Task The_next_link_leads_through_every_event()
    {
        ulong project = await fixture.ProjectAsync(
            "UTC", [.. Enumerable.Range(0, 7).Select(i => new TestEvent($"e{i}", "2026-04-01T10:00:00Z"))]);

        HashSet<string> seen = [];
        string? url = $"/api/projects/{project}/events/?limit=2&distinct_id=someone";
        for (int page = 0; url is not null && page < 10; page++)
        {
            var (status, body) = await fixture.GetAsync(project, url);
            Assert.Equal(200, status);
            var answer = JsonSerializer.Deserialize<JsonElement>(body);
            foreach (var row in answer.GetProperty("results").EnumerateArray())
                Assert.True(seen.Add(row.GetProperty("event").GetString()!));
            url = answer.GetProperty("next").GetString();

            // A path, so that no proxy's scheme or name is guessed at, and no key sent where it was not sent before.
            if (url is not null) Assert.StartsWith($"/api/projects/{project}/events/?", url, StringComparison.Ordinal);
        }

        Assert.Equal(7, seen.Count);
    }

    [Fact]
    public async Task The_next_link_is_short_however_long_the_names_are()
    {
        // As long as Gateway:Limits:NameCodePoints lets a name be.
        string name = string.Concat(Enumerable.Repeat("😀", 10_000));
        ulong project = await fixture.ProjectAsync(
            "UTC", [.. Enumerable.Range(0, 3).Select(_ => new TestEvent(name, "2026-04-01T10:00:00Z"))]);

        var first = await ListAsync(project, "?limit=2");
        string next = first.GetProperty("next").GetString()!;
        Assert.InRange(next.Length, 1, 1000);

        var (status, body) = await fixture.GetAsync(project, next);
        Assert.True(status == 200, body);
        Assert.Equal(1, JsonSerializer.Deserialize<JsonElement>(body).GetProperty("results").GetArrayLength());
    }

    [Fact]
    public async Task Events_that_differ_in_their_name_only_are_all_walked()
    {
        var shared = Guid.NewGuid();
        ulong project = await fixture.ProjectAsync(
            "UTC", [.. Enumerable.Range(0, 9).Select(i => new TestEvent($"e{i}", "2026-04-01T10:00:00Z") { Uuid = shared })]);

        HashSet<string> seen = [];
        string? url = $"/api/projects/{project}/events/?limit=2";
        for (int page = 0; url is not null && page < 10; page++)
        {
            var answer = JsonSerializer.Deserialize<JsonElement>((await fixture.GetAsync(project, url)).Body);
            foreach (var row in answer.GetProperty("results").EnumerateArray())
                Assert.True(seen.Add(row.GetProperty("event").GetString()!));
            url = answer.GetProperty("next").GetString();
        }

        Assert.Equal(9, seen.Count);
    }

    [Theory]
    [InlineData("?limit=0", "limit")]
    [InlineData("?limit=x", "limit")]
    [InlineData("?after=tomorrow", "after")]
    [InlineData("?surprise=1", "surprise")]
    [InlineData("?properties=[{", "properties")]
    [InlineData("?properties=[{\"key\":\"a\",\"operator\":\"like\",\"value\":1}]", "properties[0].operator")]
    [InlineData("?cursor=AAAA", "cursor")]
    [InlineData("?orderBy=-received_at", "orderBy")]
    [InlineData("?orderBy=[%22received_at DESC%22]", "orderBy")]
    public async Task What_is_wrong_is_named(string query, string attr)
    {
        ulong project = await fixture.ProjectAsync("UTC");
        var (status, body) = await fixture.GetAsync(project, $"/api/projects/{project}/events/{query}");
        Assert.Equal(400, status);
        Assert.Equal(attr, JsonSerializer.Deserialize<JsonElement>(body).GetProperty("attr").GetString());
    }

    private async Task<JsonElement> ListAsync(ulong project, string query)
    {
        var (status, body) = await fixture.GetAsync(project, $"/api/projects/{project}/events/{query}");
        Assert.True(status == 200, body);
        Assert.DoesNotContain(QueryFixture.Canary, body, StringComparison.Ordinal);
        return JsonSerializer.Deserialize<JsonElement>(body);
    }
}
