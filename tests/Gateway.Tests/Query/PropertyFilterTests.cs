using System.Text.Json;

namespace Gateway.Tests.Query;

/// <summary>What each operator means, asked of the real engine.</summary>
[Collection(QueryCollection.Name)]
public sealed class PropertyFilterTests(PropertyFilterTests.Events events) : IClassFixture<PropertyFilterTests.Events>
{
    private static readonly string[] EventOnly = ["event"];

    /// <summary>One event for each value of <c>v</c>; each is named after its value.</summary>
    public sealed class Events(QueryFixture fixture) : IAsyncLifetime
    {
        private static readonly Dictionary<string, string> Values = new()
        {
            ["none"] = "{}",
            ["null"] = """{"v":null}""",
            ["empty"] = """{"v":""}""",
            ["pro"] = """{"v":"pro"}""",
            ["PRO"] = """{"v":"PRO plan"}""",
            ["ümlaut"] = """{"v":"ÜMLAUT"}""",
            ["quote"] = """{"v":"it's 50% \\ \"x\" -- "}""",
            ["5"] = """{"v":5}""",
            ["5.0"] = """{"v":5.0}""",
            ["text5"] = """{"v":"5"}""",
            ["1.5"] = """{"v":1.50}""",
            ["-3"] = """{"v":-3}""",
            ["big"] = """{"v":"pro","id":123456789012345678901234567890}""",
            ["huge"] = """{"v":"pro","id":[1e999]}""",
            ["true"] = """{"v":true}""",
            ["list"] = """{"v":["pro","b"]}""",
            ["object"] = """{"v":{"k":1}}""",
            ["day"] = """{"v":"2026-03-10"}""",
            ["moment"] = """{"v":"2026-03-10T23:30:00Z"}""",
            ["unix"] = """{"v":1773100000}""",
            ["nested"] = """{"o":{"v":"pro"}}""",
            ["twice"] = """{"v":"first","v":"second"}""",
        };

        public QueryFixture Fixture { get; } = fixture;

        public ulong Project { get; private set; }

        public async Task InitializeAsync()
        {
            Project = await Fixture.ProjectAsync(
                "Europe/Berlin",
                [.. Values.Select(value => new TestEvent(value.Key, "2026-03-30T10:00:00Z", value.Value))]);
        }

        public Task DisposeAsync() => Task.CompletedTask;
    }

    [Theory]
    [InlineData("""{"operator":"exact","value":"pro"}""", "big huge pro")]
    [InlineData("""{"value":["pro"]}""", "big huge pro")]
    [InlineData("""{"operator":"exact","value":["pro","5"]}""", "5 5.0 big huge pro text5")]
    [InlineData("""{"operator":"exact","value":5}""", "5 5.0 text5")]
    [InlineData("""{"operator":"exact","value":5.00}""", "5 5.0 text5")]
    [InlineData("""{"operator":"exact","value":1.5}""", "1.5")]
    [InlineData("""{"operator":"exact","value":15e-1}""", "1.5")]
    [InlineData("""{"operator":"exact","value":true}""", "true")]
    [InlineData("""{"operator":"exact","value":"true"}""", "true")]
    [InlineData("""{"operator":"exact","value":null}""", "nested none null")]
    [InlineData("""{"operator":"exact","value":[null,"pro"]}""", "big huge nested none null pro")]
    [InlineData("""{"operator":"exact","value":""}""", "empty")]
    [InlineData("""{"operator":"exact","value":"first"}""", "twice")]
    [InlineData("""{"operator":"exact","value":"second"}""", "")]
    [InlineData("""{"operator":"exact","value":"it's 50% \\ \"x\" -- "}""", "quote")]
    [InlineData("""{"operator":"exact","value":"[\"pro\",\"b\"]"}""", "list")]
    [InlineData("""{"operator":"icontains","value":"PR"}""", "PRO big huge list pro")]
    [InlineData("""{"operator":"icontains","value":"üm"}""", "ümlaut")]
    [InlineData("""{"operator":"icontains","value":"50%"}""", "quote")]
    [InlineData("""{"operator":"icontains","value":"%o"}""", "")]
    [InlineData("""{"operator":"icontains","value":["plan","umla","50"]}""", "PRO quote")]
    [InlineData("""{"operator":"regex","value":"^p.o$"}""", "big huge pro")]
    [InlineData("""{"operator":"regex","value":"(?i)^p.o"}""", "PRO big huge pro")]
    [InlineData("""{"operator":"regex","value":"\\\\ \"x"}""", "quote")]
    [InlineData("""{"operator":"gt","value":1.5}""", "5 5.0 text5 unix")]
    [InlineData("""{"operator":"gte","value":"1.5"}""", "1.5 5 5.0 text5 unix")]
    [InlineData("""{"operator":"lt","value":1.5}""", "-3")]
    [InlineData("""{"operator":"lte","value":1.5}""", "-3 1.5")]
    [InlineData("""{"operator":"is_not_set"}""", "nested none null")]
    [InlineData("""{"operator":"is_date_after","value":"2026-03-10T00:30:00Z"}""", "moment")]
    [InlineData("""{"operator":"is_date_before","value":"2026-03-10T00:30:00Z"}""", "day unix")]
    [InlineData("""{"operator":"is_date_before","value":"2026-03-10"}""", "")]
    [InlineData("""{"operator":"is_date_after","value":"-30d"}""", "day moment unix")]
    public async Task An_operator_finds(string filter, string expected) => Assert.Equal(expected, await FindAsync(filter));

    [Theory]
    [InlineData("""{"operator":"is_not","value":"pro"}""", """{"operator":"exact","value":"pro"}""")]
    [InlineData("""{"operator":"is_not","value":["pro",5,null]}""", """{"operator":"exact","value":["pro",5,null]}""")]
    [InlineData("""{"operator":"not_icontains","value":"pr"}""", """{"operator":"icontains","value":"pr"}""")]
    [InlineData("""{"operator":"not_regex","value":"p.o"}""", """{"operator":"regex","value":"p.o"}""")]
    [InlineData("""{"operator":"is_set"}""", """{"operator":"is_not_set"}""")]
    public async Task A_negated_operator_finds_exactly_the_others(string negated, string positive)
    {
        string[] all = (await FindAsync("""{"operator":"exact","value":[]}""")).Split(' ');
        Assert.Equal(22, all.Length);

        string[] found = (await FindAsync(positive)).Split(' ');
        Assert.Equal(all.Except(found), (await FindAsync(negated)).Split(' '));
    }

    [Theory]
    [InlineData("$browser", "Chrome", "plain twice")]
    [InlineData("$browser", "", "empty")]
    [InlineData("$browser", "[\"Chrome\"]", "list")]
    [InlineData("$browser", "1.5", "number")]
    [InlineData("$browser", "true", "boolean")]
    public async Task A_promoted_property_answers_as_any_other(string key, string value, string expected)
    {
        string[] names = ["plain", "twice", "empty", "list", "number", "boolean", "none"];
        string[] values = ["\"Chrome\"", "\"Chrome\",\"KEY\":\"Opera\"", "\"\"", "[\"Chrome\"]", "1.50", "true", "null"];
        foreach (string name in new[] { key, "unpromoted" })
        {
            var rows = names.Zip(values, (label, json) => new TestEvent(
                label, "2026-03-30T10:00:00Z", $$"""{"{{name}}":{{json.Replace("KEY", name)}}}"""));
            ulong project = await events.Fixture.ProjectAsync("UTC", [.. rows]);

            Assert.Equal(expected, await FindAsync(events.Fixture, project, new { key = name, value }));
            var others = names.Except(expected.Split(' ')).Order(StringComparer.Ordinal);
            Assert.Equal(
                string.Join(' ', others),
                await FindAsync(events.Fixture, project, new { key = name, value, @operator = "is_not" }));
        }
    }

    [Fact]
    public async Task Groups_join_with_and_or_or()
    {
        object either = new
        {
            type = "OR",
            values = new object[]
            {
                new { key = "v", value = "pro" },
                new
                {
                    type = "AND",
                    values = new object[]
                    {
                        new { key = "v", value = 4, @operator = "gt" }, new { key = "v", value = 6, @operator = "lt" },
                    },
                },
            },
        };
        Assert.Equal("5 5.0 big huge pro text5", await FindAsync(events.Fixture, events.Project, either, isGroup: true));
    }

    [Theory]
    [InlineData("$ip' OR 1=1 --")]
    [InlineData("project_id")]
    [InlineData("team_id")]
    [InlineData("a\\")]
    [InlineData("{project_id:UInt64}")]
    [InlineData("😀\n\t\0/**/")]
    public async Task A_key_is_data(string key)
    {
        string json = JsonSerializer.Serialize(new Dictionary<string, object> { [key] = "x" });
        ulong project = await events.Fixture.ProjectAsync("UTC", new TestEvent("hit", "2026-03-30T10:00:00Z", json));
        Assert.Equal("hit", await FindAsync(events.Fixture, project, new { key, value = "x" }));
        Assert.Equal("", await FindAsync(events.Fixture, project, new { key, value = "y" }));
    }

    [Fact]
    public async Task A_bad_regex_is_the_clients_fault()
    {
        object filter = new { key = "v", value = "(", @operator = "regex" };
        object query = new { kind = "EventsQuery", properties = new[] { filter } };
        var error = await events.Fixture.RefusedAsync(events.Project, query);
        Assert.Equal("validation_error", error.GetProperty("type").GetString());
    }

    private Task<string> FindAsync(string filter)
    {
        var fields = JsonSerializer.Deserialize<Dictionary<string, JsonElement>>(filter)!;
        fields["key"] = JsonSerializer.SerializeToElement("v");
        return FindAsync(events.Fixture, events.Project, fields);
    }

    private static async Task<string> FindAsync(QueryFixture fixture, ulong project, object filter, bool isGroup = false)
    {
        object properties = isGroup ? filter : new[] { filter };
        var answer = await fixture.QueryAsync(
            project, new { kind = "EventsQuery", select = EventOnly, properties, limit = 1000 });
        var names = answer.GetProperty("results").EnumerateArray().Select(row => row[0].GetString()!);
        return string.Join(' ', names.Order(StringComparer.Ordinal));
    }
}
