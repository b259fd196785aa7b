using System.Text.Json;

namespace Gateway.Tests.Query;

[Collection(QueryCollection.Name)]
public sealed class EventsQueryTests(QueryFixture fixture)
{
    private const string Odd =
        """{"a": "b\"\\\n\u0000ü€😀", "n":1.50, "big":123456789012345678901234567890, "deep":{"x":[1,{"y":null}]}}""";

    private static readonly string[] EventOnly = ["event"];
    private static readonly string[] TryOnly = ["properties.try"];

    [Fact]
    public async Task Rows_have_the_columns_asked_for_and_properties_as_they_were_sent()
    {
        TestEvent row = new("it's \"odd\" \\ ünï", "2026-03-31T10:20:30.123456Z", Odd, "id-ü");
        ulong project = await fixture.ProjectAsync("UTC", row);

        var (_, body) = await fixture.PostAsync(project, """{"query":{"kind":"EventsQuery"}}""");
        var answer = JsonSerializer.Deserialize<JsonElement>(body);

        Assert.Equal(["uuid", "event", "distinct_id", "timestamp", "properties"], Texts(answer.GetProperty("columns")));
        Assert.Equal(5, answer.GetProperty("types").GetArrayLength());
        Assert.False(answer.GetProperty("hasMore").GetBoolean());
        Assert.Equal(JsonValueKind.Null, answer.GetProperty("nextCursor").ValueKind);

        var shown = answer.GetProperty("results")[0];
        Assert.Equal(row.Uuid.ToString(), shown[0].GetString());
        Assert.Equal(row.Name, shown[1].GetString());
        Assert.Equal("id-ü", shown[2].GetString());
        Assert.Equal("2026-03-31T10:20:30.123456Z", shown[3].GetString());
        Assert.Equal(Odd, shown[4].GetRawText());
    }

    [Fact]
    public async Task Single_properties_keep_their_json_type()
    {
        const string Properties =
            """{"s":"a\"b","n":12,"f":1.5,"t":true,"z":null,"l":[1,"x"],"o":{"k":1},"a.b":"dot"}""";
        ulong project = await fixture.ProjectAsync("UTC", new TestEvent("x", "2026-03-31T10:00:00Z", Properties));

        string[] select =
        [
            "properties.s", "properties.n", "properties.f", "properties.t", "properties.z", "properties.l",
            "properties.o", "properties.a.b", "properties.none", "event",
        ];
        var answer = await fixture.QueryAsync(project, new { kind = "EventsQuery", select });

        Assert.Equal(
            """["a\"b",12,1.5,true,null,[1,"x"],{"k":1},"dot",null,"x"]""",
            answer.GetProperty("results")[0].GetRawText());
        Assert.Equal(select, Texts(answer.GetProperty("columns")));
    }

    [Fact]
    public async Task An_event_sent_again_is_shown_once_also_when_it_was_received_in_the_next_month()
    {
        TestEvent first = new("x", "2026-02-28T23:59:00Z", """{"try":1}""") { ReceivedAt = "2026-02-28 23:59:59" };
        var again = first with { Properties = """{"try":2}""", ReceivedAt = "2026-03-01 00:00:10" };
        ulong project = await fixture.ProjectAsync("UTC", first);
        await fixture.InsertAsync(again.ToJson(project));

        var answer = await fixture.QueryAsync(project, new { kind = "EventsQuery", select = TryOnly });
        Assert.Equal("[[1]]", answer.GetProperty("results").GetRawText());

        // The copy that lost is not found by what only it says.
        var filter = new[] { new { key = "try", value = 2 } };
        var none = await fixture.QueryAsync(project, new { kind = "EventsQuery", properties = filter });
        Assert.Equal(0, none.GetProperty("results").GetArrayLength());
    }

    [Theory]
    [InlineData(1, "timestamp DESC")]
    [InlineData(2, "timestamp ASC")]
    [InlineData(3, "-timestamp")]
    [InlineData(7, "timestamp")]
    public async Task A_cursor_walks_every_event_once_however_many_share_a_timestamp(int limit, string order)
    {
        var shared = Guid.NewGuid();
        var events = Enumerable.Range(0, 23).Select(i => new TestEvent(
            $"e{i}", i % 3 == 0 ? "2026-03-30T10:00:00Z" : $"2026-03-30T10:00:00.00000{i % 4}Z")
        {
            Uuid = i % 5 == 0 ? shared : Guid.NewGuid(),
        }).ToArray();
        ulong project = await fixture.ProjectAsync("UTC", events);
        var whole = await fixture.QueryAsync(project, new { kind = "EventsQuery", select = EventOnly, orderBy = new[] { order } });

        List<string> walked = [];
        string? cursor = null;
        do
        {
            var page = await fixture.QueryAsync(
                project, new { kind = "EventsQuery", select = EventOnly, orderBy = new[] { order }, limit, cursor });
            walked.AddRange(page.GetProperty("results").EnumerateArray().Select(row => row[0].GetString()!));
            cursor = page.GetProperty("nextCursor").GetString();
            Assert.Equal(cursor is not null, page.GetProperty("hasMore").GetBoolean());
        }
        while (cursor is not null && walked.Count < 100);

        Assert.Equal(events.Length, walked.Distinct().Count());
        Assert.Equal(whole.GetProperty("results").EnumerateArray().Select(row => row[0].GetString()!), walked);
    }

    [Fact]
    public async Task A_cursor_continues_only_the_query_that_gave_it()
    {
        ulong project = await fixture.ProjectAsync(
            "UTC", new TestEvent("a", "2026-03-30T10:00:00Z"), new TestEvent("a", "2026-03-30T11:00:00Z"));
        var page = await fixture.QueryAsync(project, new { kind = "EventsQuery", limit = 1 });
        string cursor = page.GetProperty("nextCursor").GetString()!;

        var other = await fixture.RefusedAsync(project, new { kind = "EventsQuery", limit = 1, @event = "a", cursor });
        Assert.Equal("query.cursor", other.GetProperty("attr").GetString());
        var garbage = await fixture.RefusedAsync(project, new { kind = "EventsQuery", cursor = cursor[..^60] });
        Assert.Equal("query.cursor", garbage.GetProperty("attr").GetString());
    }

    [Theory]
    [InlineData("2026-03-30", null, "b c d")]
    [InlineData("2026-03-30T10:00:00Z", null, "c d")]
    [InlineData("2026-03-30T09:59:59.999999Z", "2026-03-31", "b c")]
    [InlineData("-1d", null, "d")]
    [InlineData("-26h", "-24h", "")]
    [InlineData("-2d", "now", "c d")]
    [InlineData(null, null, "a b c d")]
    [InlineData("all", null, "a b c d")]
    public async Task After_and_before_bound_the_events(string? after, string? before, string expected)
    {
        ulong project = await fixture.ProjectAsync(
            "UTC",
            new TestEvent("a", "2020-01-01T00:00:00Z"),
            new TestEvent("b", "2026-03-30T10:00:00Z"),
            new TestEvent("c", "2026-03-30T12:00:00.000001Z"),
            new TestEvent("d", "2026-03-31T23:00:00Z"));

        var answer = await fixture.QueryAsync(
            project, new { kind = "EventsQuery", select = EventOnly, after, before, orderBy = "timestamp" });
        Assert.Equal(expected, string.Join(' ', answer.GetProperty("results").EnumerateArray().Select(row => row[0])));
    }

    [Fact]
    public async Task Event_and_distinct_id_are_compared_exactly_whatever_they_hold()
    {
        string[] names = ["' OR 1=1 --", "\\", "{project_id:UInt64}", "a\tb\nc\0d", "😀", "%", "/* */"];
        ulong project = await fixture.ProjectAsync(
            "UTC", [.. names.Select(name => new TestEvent(name, "2026-03-30T10:00:00Z", DistinctId: name))]);

        foreach (string name in names)
        {
            var answer = await fixture.QueryAsync(
                project, new { kind = "EventsQuery", select = EventOnly, @event = name, distinct_id = name });
            Assert.Equal(name, Assert.Single(answer.GetProperty("results").EnumerateArray())[0].GetString());
        }
    }

    private static IEnumerable<string> Texts(JsonElement list) => list.EnumerateArray().Select(item => item.GetString()!);
}
