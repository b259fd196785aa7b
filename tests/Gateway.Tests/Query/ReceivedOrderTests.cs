namespace Gateway.Tests.Query;

/// <summary>An EventsQuery by time of receipt: what came last stands first, however old it says that it is.</summary>
[Collection(QueryCollection.Name)]
public sealed class ReceivedOrderTests(QueryFixture fixture)
{
    private const string NewestFirst = "received_at DESC";

    private static readonly string[] EventOnly = ["event"];
    private static readonly string[] Times = ["timestamp", "event", "received_at"];

    [Theory]
    [InlineData(NewestFirst, "old late new")]
    [InlineData("received_at desc", "old late new")]
    [InlineData("-received_at", "old late new")]
    [InlineData("received_at ASC", "new late old")]
    [InlineData("received_at asc", "new late old")]
    [InlineData("received_at", "new late old")]
    [InlineData("timestamp DESC", "new late old")]
    public async Task An_old_event_that_comes_now_stands_first(string order, string expected)
    {
        ulong project = await ProjectAsync();

        Assert.Equal(expected, await NamesAsync(project, new { kind = "EventsQuery", select = EventOnly, orderBy = order }));
        string[] list = [order];
        Assert.Equal(expected, await NamesAsync(project, new { kind = "EventsQuery", select = EventOnly, orderBy = list }));
    }

    [Theory]
    [InlineData(NewestFirst, 0)]
    [InlineData("timestamp ASC", 0)]
    public async Task Both_times_can_be_shown_whichever_orders(string order, int old)
    {
        ulong project = await ProjectAsync();

        var answer = await fixture.QueryAsync(project, new { kind = "EventsQuery", select = Times, orderBy = order });

        Assert.Equal(
            """["2020-01-01T00:00:00.000000Z","old","2026-04-01T11:00:00.000003Z"]""",
            answer.GetProperty("results")[old].GetRawText());
        Assert.Equal(
            """["DateTime64(6, 'UTC')","String","DateTime64(6, 'UTC')"]""",
            answer.GetProperty("types").GetRawText());
        Assert.Equal(
            """["timestamp","event","received_at"]""", answer.GetProperty("columns").GetRawText());
    }

    [Theory]
    [InlineData("2026-04-01T11:00:00.000001Z", null, "old late")]
    [InlineData(null, "2026-04-01T11:00:00.000003Z", "late new")]
    [InlineData("2026-04-01T11:00:00.000001Z", "2026-04-01T11:00:00.000003Z", "late")]
    [InlineData("-2h", "now", "old late new")]
    [InlineData("-30M", null, "")]
    [InlineData("2026-04-02", null, "")]
    public async Task After_and_before_bound_the_receipt(string? after, string? before, string expected)
    {
        ulong project = await ProjectAsync();

        Assert.Equal(expected, await NamesAsync(
            project, new { kind = "EventsQuery", select = EventOnly, after, before, orderBy = NewestFirst }));
    }

    [Theory]
    [InlineData(1, NewestFirst)]
    [InlineData(2, "received_at ASC")]
    [InlineData(7, "-received_at")]
    public async Task A_cursor_walks_every_event_once_however_many_came_at_once(int limit, string order)
    {
        var shared = Guid.NewGuid();
        var events = Enumerable.Range(0, 23).Select(i => new TestEvent($"e{i}", $"2026-03-{1 + (i * 7 % 30):00}T10:00:00Z")
        {
            Uuid = i % 5 == 0 ? shared : Guid.NewGuid(),
            ReceivedAt = i % 3 == 0 ? "2026-03-31 10:00:00" : $"2026-03-31 10:00:00.00000{i % 4}",
        }).ToArray();
        ulong project = await fixture.ProjectAsync("UTC", events);

        // Some came again since, from another day on: the first time counts.
        await fixture.InsertAsync(string.Concat(
            events.Take(9).Select(row => (row with { ReceivedAt = "2026-04-01 09:00:00" }).ToJson(project))));
        string whole = await NamesAsync(project, new { kind = "EventsQuery", select = EventOnly, orderBy = order });

        List<string> walked = [];
        string? cursor = null;
        do
        {
            var page = await fixture.QueryAsync(
                project, new { kind = "EventsQuery", select = EventOnly, orderBy = order, limit, cursor });
            walked.AddRange(page.GetProperty("results").EnumerateArray().Select(row => row[0].GetString()!));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null && walked.Count < 100);

        Assert.Equal(events.Length, walked.Distinct().Count());
        Assert.Equal(whole, string.Join(' ', walked));
    }

    [Theory]
    [InlineData("received_at ASC", "a b")]
    [InlineData(NewestFirst, "b a")]
    public async Task A_cursor_shows_an_event_that_came_again_later_at_its_first_time_only(string order, string expected)
    {
        TestEvent first = new("a", "2026-01-01T10:00:00Z") { ReceivedAt = "2026-01-31 10:00:00" };
        ulong project = await fixture.ProjectAsync("UTC", first);
        await fixture.InsertAsync(
            new TestEvent("b", "2026-01-01T10:00:00Z") { ReceivedAt = "2026-02-10 10:00:00" }.ToJson(project));
        await fixture.InsertAsync((first with { ReceivedAt = "2026-03-10 10:00:00" }).ToJson(project));

        List<string> walked = [];
        string? cursor = null;
        do
        {
            var page = await fixture.QueryAsync(
                project, new { kind = "EventsQuery", select = EventOnly, orderBy = order, limit = 1, cursor });
            walked.AddRange(page.GetProperty("results").EnumerateArray().Select(row => row[0].GetString()!));
            cursor = page.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null && walked.Count < 100);

        Assert.Equal(expected, string.Join(' ', walked));
        Assert.Equal("b", await NamesAsync(
            project, new { kind = "EventsQuery", select = EventOnly, orderBy = order, after = "2026-02-10" }));
        Assert.Equal("", await NamesAsync(
            project, new { kind = "EventsQuery", select = EventOnly, orderBy = order, after = "2026-03-01" }));
    }

    [Fact]
    public async Task A_cursor_of_one_order_continues_no_other()
    {
        ulong project = await ProjectAsync();
        string[] orders = ["timestamp ASC", "timestamp DESC", "received_at ASC", NewestFirst];
        foreach (string order in orders)
        {
            var page = await fixture.QueryAsync(project, new { kind = "EventsQuery", limit = 1, orderBy = order });
            string cursor = page.GetProperty("nextCursor").GetString()!;
            foreach (string other in orders.Where(other => other != order))
            {
                var refused = await fixture.RefusedAsync(
                    project, new { kind = "EventsQuery", limit = 1, orderBy = other, cursor });
                Assert.Equal("query.cursor", refused.GetProperty("attr").GetString());
            }
        }
    }

    private Task<ulong> ProjectAsync() => fixture.ProjectAsync(
        "UTC",
        new TestEvent("new", "2026-04-01T10:00:00Z") { ReceivedAt = "2026-04-01 11:00:00.000001" },
        new TestEvent("late", "2026-03-01T10:00:00Z") { ReceivedAt = "2026-04-01 11:00:00.000002" },
        new TestEvent("old", "2020-01-01T00:00:00Z") { ReceivedAt = "2026-04-01 11:00:00.000003" });

    private async Task<string> NamesAsync(ulong project, object query)
    {
        var answer = await fixture.QueryAsync(project, query);
        return string.Join(' ', answer.GetProperty("results").EnumerateArray().Select(row => row[0].GetString()));
    }
}
