using System.Text.Json;
using Gateway.Core.Query;

namespace Gateway.Tests.Query;

[Collection(QueryCollection.Name)]
public sealed class TrendsQueryTests(QueryFixture fixture)
{
    [Fact]
    public async Task A_trend_has_a_number_for_every_day_also_where_nothing_happened()
    {
        ulong project = await fixture.ProjectAsync(
            "UTC",
            new TestEvent("x", "2026-03-24T23:59:59.999999Z"),
            new TestEvent("x", "2026-03-25T00:00:00Z"),
            new TestEvent("x", "2026-03-25T23:59:59.999999Z"),
            new TestEvent("y", "2026-03-27T10:00:00Z"),
            new TestEvent("x", "2026-04-01T23:00:00Z"),
            new TestEvent("x", "2026-04-02T00:00:00Z"));

        var line = Only(await fixture.QueryAsync(project, new
        {
            kind = "TrendsQuery",
            series = new[] { new { kind = "EventsNode", @event = "x" } },
            dateRange = new { date_from = "-7d", date_to = (string?)null },
        }));

        Assert.Equal([2, 0, 0, 0, 0, 0, 0, 1], Data(line));
        Assert.Equal(3, line.GetProperty("count").GetInt64());
        Assert.Equal("x", line.GetProperty("label").GetString());
        Assert.Equal("25-Mar-2026", line.GetProperty("labels")[0].GetString());
        Assert.Equal("2026-03-25", line.GetProperty("days")[0].GetString());
        Assert.Equal("2026-04-01", line.GetProperty("days")[7].GetString());
        Assert.Equal("x", line.GetProperty("action").GetProperty("id").GetString());
        Assert.False(line.TryGetProperty("breakdown_value", out _));
    }

    [Fact]
    public async Task Series_count_events_or_unique_users_each_with_its_own_filter()
    {
        ulong project = await fixture.ProjectAsync(
            "UTC",
            new TestEvent("x", "2026-03-31T10:00:00Z", """{"plan":"pro"}""", "ann"),
            new TestEvent("x", "2026-03-31T11:00:00Z", """{"plan":"pro"}""", "ann"),
            new TestEvent("y", "2026-03-31T12:00:00Z", """{"plan":"free"}""", "bob"),
            new TestEvent("y", "2026-04-01T09:00:00Z", """{"plan":"pro"}""", "ann"));

        var answer = await fixture.QueryAsync(project, new
        {
            kind = "TrendsQuery",
            dateRange = new { date_from = "-1d" },
            properties = new[] { new { key = "plan", @operator = "is_set" } },
            series = new object[]
            {
                new { kind = "EventsNode", @event = (string?)null, math = "total" },
                new { kind = "EventsNode", math = "dau", custom_name = "People" },
                new { kind = "EventsNode", @event = "x", properties = new[] { new { key = "plan", value = "free" } } },
            },
        });

        var lines = answer.GetProperty("results").EnumerateArray().ToList();
        Assert.Equal(["All events", "People", "x"], lines.Select(line => line.GetProperty("label").GetString()));
        Assert.Equal([3, 1], Data(lines[0]));
        Assert.Equal([2, 1], Data(lines[1]));
        Assert.Equal([0, 0], Data(lines[2]));
    }

    [Fact]
    public async Task Days_begin_in_the_projects_time_zone_also_when_the_clocks_change()
    {
        // On 29 March 2026 Berlin's day has 23 hours: it ends at 22:00 UTC and began at 23:00 UTC the day before.
        ulong project = await fixture.ProjectAsync(
            "Europe/Berlin",
            new TestEvent("x", "2026-03-28T22:59:59Z"),
            new TestEvent("x", "2026-03-28T23:00:00Z"),
            new TestEvent("x", "2026-03-29T21:59:59Z"),
            new TestEvent("x", "2026-03-29T22:00:00Z"),
            new TestEvent("x", "2026-03-30T21:59:59Z"));

        var line = Only(await fixture.QueryAsync(project, Trend("2026-03-28", "2026-03-30", "day")));
        Assert.Equal([1, 2, 2], Data(line));

        var hours = Only(await fixture.QueryAsync(project, Trend("2026-03-29", "2026-03-29", "hour")));
        Assert.Equal(23, Data(hours).Length);
        Assert.Equal(1, Data(hours)[0]);
        Assert.Equal(1, Data(hours)[22]);
        Assert.Equal("2026-03-29 03:00:00", hours.GetProperty("days")[2].GetString());
        Assert.Equal("29-Mar-2026 23:00", hours.GetProperty("labels")[22].GetString());
    }

    [Fact]
    public async Task An_hour_that_the_clock_shows_twice_is_two_buckets()
    {
        ulong project = await fixture.ProjectAsync(
            "Europe/Berlin",
            new TestEvent("x", "2025-10-26T00:30:00Z"),
            new TestEvent("x", "2025-10-26T01:30:00Z"),
            new TestEvent("x", "2025-10-26T01:40:00Z"));

        var line = Only(await fixture.QueryAsync(project, Trend("2025-10-26", "2025-10-26", "hour")));
        Assert.Equal(25, Data(line).Length);
        Assert.Equal([0, 0, 1, 2, 0], Data(line)[..5]);
    }

    [Fact]
    public async Task Weeks_start_on_sunday_and_months_on_the_first_in_local_time()
    {
        ulong project = await fixture.ProjectAsync(
            "America/New_York",
            new TestEvent("x", "2026-03-01T04:59:59Z"),
            new TestEvent("x", "2026-03-01T05:00:00Z"),
            new TestEvent("x", "2026-03-08T04:59:00Z"),
            new TestEvent("x", "2026-03-08T05:00:00Z"));

        var weeks = Only(await fixture.QueryAsync(project, Trend("2026-02-25", "2026-03-09", "week")));
        Assert.Equal([1, 2, 1], Data(weeks));
        Assert.Equal("2026-02-22", weeks.GetProperty("days")[0].GetString());

        var months = Only(await fixture.QueryAsync(project, Trend("2026-02-10", "2026-03-09", "month")));
        Assert.Equal([1, 3], Data(months));
        Assert.Equal("2026-02-01", months.GetProperty("days")[0].GetString());
    }

    [Theory]
    [InlineData("$browser")]
    [InlineData("plan")]
    public async Task A_breakdown_shows_the_greatest_values_the_rest_and_what_lacks_the_property(string key)
    {
        string[] values = ["\"a\"", "\"a\"", "\"a\"", "\"b\"", "\"b\"", "5", "true", "null", "\"\""];
        var events = values.Select((value, i) => new TestEvent(
            "x", $"2026-03-31T10:00:0{i}Z", $$"""{"{{key}}":{{value}}}""", i < 2 ? "ann" : "bob"));
        ulong project = await fixture.ProjectAsync("UTC", [.. events, new TestEvent("x", "2026-04-01T10:00:00Z")]);

        object Query(string math, int limit, bool hide) => new
        {
            kind = "TrendsQuery",
            dateRange = new { date_from = "2026-03-31" },
            series = new[] { new { @event = "x", math } },
            breakdownFilter = new { breakdown = key, breakdown_type = "event", breakdown_limit = limit, breakdown_hide_other_aggregation = hide },
        };

        // The property is missing three times: null, empty, and absent.
        Assert.Equal(
            "a=3,0 b=2,0 $$_posthog_breakdown_null_$$=2,1 $$_posthog_breakdown_other_$$=2,0",
            Lines(await fixture.QueryAsync(project, Query("total", 3, false))));
        Assert.Equal(
            "a=3,0 b=2,0 5=1,0 true=1,0 $$_posthog_breakdown_null_$$=2,1",
            Lines(await fixture.QueryAsync(project, Query("total", 25, false))));

        // Whoever is among several of the other values is one user there.
        Assert.Equal(
            "a=2,0 $$_posthog_breakdown_null_$$=1,1 $$_posthog_breakdown_other_$$=1,0",
            Lines(await fixture.QueryAsync(project, Query("dau", 2, false))));
        Assert.Equal(
            "a=2,0 $$_posthog_breakdown_null_$$=1,1",
            Lines(await fixture.QueryAsync(project, Query("dau", 2, true))));
    }

    [Fact]
    public async Task A_year_of_hours_with_breakdown_is_answered()
    {
        ulong project = await fixture.ProjectAsync(
            "Europe/Berlin", new TestEvent("x", "2025-06-01T10:00:00Z", """{"plan":"pro"}"""));
        var line = Only(await fixture.QueryAsync(project, new
        {
            kind = "TrendsQuery",
            interval = "hour",
            dateRange = new { date_from = "2025-04-01", date_to = "2026-03-31" },
            series = new[] { new { @event = "x" } },
            breakdownFilter = new { breakdown = "plan" },
        }));
        Assert.Equal(8760, Data(line).Length);
        Assert.Equal(1, Data(line).Sum());
    }

    [Fact]
    public async Task Ten_thousand_hours_of_every_series_are_answered()
    {
        ulong project = await fixture.ProjectAsync(
            "Europe/Berlin",
            new TestEvent("x", "2025-02-09T10:00:00Z"),
            new TestEvent("x", "2026-03-31T10:00:00Z"));
        var answer = await fixture.QueryAsync(project, new
        {
            kind = "TrendsQuery",
            interval = "hour",
            dateRange = new { date_from = "2025-02-09", date_to = "2026-03-31" },
            series = Enumerable.Repeat(new { @event = "x" }, QueryLimits.MaxSeries),
        });

        var lines = answer.GetProperty("results").EnumerateArray().ToArray();
        Assert.Equal(QueryLimits.MaxSeries, lines.Length);
        Assert.All(lines, line => Assert.InRange(Data(line).Length, 9_900, QueryLimits.MaxBuckets));
        Assert.All(lines, line => Assert.Equal(2, Data(line).Sum()));
    }

    [Theory]
    [InlineData("regex", "a", 1)]
    [InlineData("is_date_after", "-7d", 1)]
    [InlineData("exact", "a", QueryLimits.MaxSeries)]
    [InlineData("regex", "a", QueryLimits.MaxSeries)]
    [InlineData("is_date_after", "-7d", QueryLimits.MaxSeries)]
    public async Task As_many_filters_as_may_be_are_answered_or_refused(string comparison, string value, int series)
    {
        ulong project = await fixture.ProjectAsync("UTC", new TestEvent("x", "2026-03-31T10:00:00Z"));
        var (status, body) = await fixture.PostAsync(project, JsonSerializer.Serialize(new
        {
            query = new
            {
                kind = "TrendsQuery",
                series = Enumerable.Repeat(new { @event = "x" }, series),
                properties = Enumerable.Range(0, QueryLimits.MaxFilters)
                    .Select(i => new { key = $"k{i}", @operator = comparison, value }),
                breakdownFilter = new { breakdown = "plan" },
            },
        }));

        Assert.True(status == 200 || series > 1, body);
        Assert.True(status is 200 or 400, $"{status} {body}");
        if (status != 400) return;

        string? code = JsonSerializer.Deserialize<JsonElement>(body).GetProperty("code").GetString();
        Assert.Contains(code, new[] { "too_large", "query_too_expensive" });
    }

    private static object Trend(string from, string to, string interval) => new
    {
        kind = "TrendsQuery",
        interval,
        dateRange = new { date_from = from, date_to = to },
        series = new[] { new { kind = "EventsNode", @event = "x" } },
    };

    private static JsonElement Only(JsonElement answer) => Assert.Single(answer.GetProperty("results").EnumerateArray());

    private static long[] Data(JsonElement line) =>
        [.. line.GetProperty("data").EnumerateArray().Select(count => count.GetInt64())];

    private static string Lines(JsonElement answer) => string.Join(' ', answer.GetProperty("results").EnumerateArray()
        .Select(line => $"{line.GetProperty("breakdown_value").GetString()}={string.Join(',', Data(line))}"));
}
