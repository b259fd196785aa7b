using System.Text;
using System.Text.Json;
using System.Text.RegularExpressions;
using Gateway.Core.Query;

namespace Gateway.Core.Tests.Query;

public sealed partial class QueryCompilerTests
{
    private const ulong Project = 4711;

    private static readonly string[] Hostile =
    [
        "'", "\"", "\\", "\\'", "''", "' OR 1=1 --", "') OR project_id = 1 --", "/* x */", "-- x", "#", ";",
        "; DROP TABLE events", "\0", "a\0b", "\n\r\t\b\f", "{project_id:UInt64}", "{p1:String}", "$1", "?", "%", "_", "`",
        "project_id", "team_id",
        "SETTINGS readonly=0", "UNION ALL SELECT * FROM events", "FORMAT Null", "PREWHERE 1", "merge('default','.*')",
        "$browser", "$ip", "$current_url", "😀", "ünï", "\u202e", " ", "NULL", "1e999", "[1]", "{}", "-7d",
    ];

    private readonly QueryCompiler _compiler = new(new FixedTime(new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero)));

    public static TheoryData<string> HostileTexts() => new(Hostile);

    [Theory]
    [MemberData(nameof(HostileTexts))]
    public void Every_read_of_every_kind_is_scoped_and_no_text_of_the_client_is_in_the_statement(string text)
    {
        foreach (var (query, harmless) in Queries(text).Zip(Queries("harmless")))
        {
            var compiled = Compile(query);
            AssertScoped(compiled);

            // The same query about a harmless text has the same statement: the client's text decides nothing in it.
            Assert.Equal(Compile(harmless).Sql, compiled.Sql);
        }
    }

    [Fact]
    public void Random_queries_are_scoped_or_refused_and_never_throw()
    {
        Random random = new(1);
        string[] operators =
        [
            "exact", "is_not", "icontains", "not_icontains", "regex", "not_regex", "gt", "gte", "lt", "lte", "is_set",
            "is_not_set", "is_date_before", "is_date_after", "bogus",
        ];
        int compiledCount = 0;
        for (int i = 0; i < 3000; i++)
        {
            var filters = Enumerable.Range(0, random.Next(4)).Select(_ => new Dictionary<string, object?>
            {
                ["key"] = Pick(random, Hostile),
                ["operator"] = Pick(random, operators),
                ["value"] = random.Next(6) switch
                {
                    0 => null,
                    1 => random.Next(),
                    2 => random.NextDouble() * 1e300,
                    3 => true,
                    4 => Enumerable.Range(0, random.Next(5)).Select(_ => Pick(random, Hostile)).ToArray(),
                    _ => Pick(random, Hostile),
                },
            }).ToArray();
            var query = new Dictionary<string, object?>
            {
                ["kind"] = random.Next(2) == 0 ? "EventsQuery" : "TrendsQuery",
                ["properties"] = random.Next(3) == 0 ? new { type = "OR", values = filters } : filters,
            };
            if ((string)query["kind"]! == "EventsQuery")
            {
                query["event"] = Pick(random, Hostile);
                query["select"] = new[] { "event", "properties." + Pick(random, Hostile) };
            }
            else
            {
                query["series"] = new[] { new { @event = Pick(random, Hostile), properties = filters, math = "dau" } };
                query["breakdownFilter"] = new { breakdown = Pick(random, Hostile) };
            }

            var (plan, error) = _compiler.Compile(new AuthorizedProject(Project, "UTC"), Body(query));
            Assert.True(plan is null ^ error is null);
            if (plan is null) continue;

            compiledCount++;
            AssertScoped(plan.Query);
        }

        Assert.InRange(compiledCount, 300, 3000);
    }

    [Fact]
    public void A_request_cannot_name_the_project_that_it_reads()
    {
        foreach (string body in new[]
        {
            """{"project_id":1,"query":{"kind":"EventsQuery"}}""",
            """{"query":{"kind":"EventsQuery","project_id":1}}""",
            """{"query":{"kind":"EventsQuery","team_id":1}}""",
            """{"query":{"kind":"TrendsQuery","series":[{"event":"x","project_id":1}]}}""",
        })
        {
            var (plan, error) = _compiler.Compile(new AuthorizedProject(Project, "UTC"), Encoding.UTF8.GetBytes(body));
            Assert.Null(plan);
            Assert.Equal("unknown_field", error!.Code);
        }
    }

    [Theory]
    [InlineData("""[]""", "")]
    [InlineData("""{}""", "query")]
    [InlineData("""{"query":[]}""", "query")]
    [InlineData("""{"query":{}}""", "query.kind")]
    [InlineData("""{"query":{"kind":"HogQLQuery","query":"SELECT 1"}}""", "query.kind")]
    [InlineData("""{"query":{"kind":"EventsQuery","where":["1"]}}""", "query.where")]
    [InlineData("""{"query":{"kind":"EventsQuery","select":["*"]}}""", "query.select[0]")]
    [InlineData("""{"query":{"kind":"EventsQuery","select":["version"]}}""", "query.select[0]")]
    [InlineData("""{"query":{"kind":"EventsQuery","select":[]}}""", "query.select")]
    [InlineData("""{"query":{"kind":"EventsQuery","limit":50001}}""", "query.limit")]
    [InlineData("""{"query":{"kind":"EventsQuery","limit":0}}""", "query.limit")]
    [InlineData("""{"query":{"kind":"EventsQuery","limit":"10"}}""", "query.limit")]
    [InlineData("""{"query":{"kind":"EventsQuery","orderBy":["uuid"]}}""", "query.orderBy")]
    [InlineData("""{"query":{"kind":"EventsQuery","orderBy":["received_at","timestamp"]}}""", "query.orderBy")]
    [InlineData("""{"query":{"kind":"EventsQuery","orderBy":"received_at desc, uuid"}}""", "query.orderBy")]
    [InlineData("""{"query":{"kind":"EventsQuery","after":"soon"}}""", "query.after")]
    [InlineData("""{"query":{"kind":"EventsQuery","cursor":"AAAA"}}""", "query.cursor")]
    [InlineData("""{"query":{"kind":"EventsQuery","event":5}}""", "query.event")]
    [InlineData("""{"query":{"kind":"EventsQuery","event":"\ud800"}}""", "query.event")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":5}}""", "query.properties")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[5]}}""", "query.properties[0]")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"value":1}]}}""", "query.properties[0].key")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"key":"a"}]}}""", "query.properties[0].value")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"key":"a","operator":"like","value":1}]}}""", "query.properties[0].operator")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"key":"a","type":"person","value":1}]}}""", "query.properties[0].type")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"key":"a","operator":"gt","value":"x"}]}}""", "query.properties[0].value")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"key":"a","operator":"gt","value":[1,2]}]}}""", "query.properties[0].value")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":[{"key":"a","value":1e999}]}}""", "query.properties[0].value")]
    [InlineData("""{"query":{"kind":"EventsQuery","properties":{"type":"XOR","values":[]}}}""", "query.properties.type")]
    [InlineData("""{"query":{"kind":"TrendsQuery"}}""", "query.series")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{"kind":"ActionsNode"}]}}""", "query.series[0].kind")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{"math":"sum"}]}}""", "query.series[0].math")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{}],"interval":"second"}}""", "query.interval")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{}],"dateRange":{"date_from":"x"}}}""", "query.dateRange.date_from")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{}],"dateRange":{"date_from":"-1d","date_to":"-5d"}}}""", "query.dateRange")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{}],"interval":"hour","dateRange":{"date_from":"-3y"}}}""", "query.dateRange")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{}],"breakdownFilter":{"breakdown":["a","b"]}}}""", "query.breakdownFilter.breakdown")]
    [InlineData("""{"query":{"kind":"TrendsQuery","series":[{}],"trendsFilter":{"formula":"A/B"}}}""", "query.trendsFilter.formula")]
    public void What_is_wrong_is_named(string body, string attr)
    {
        var (plan, error) = _compiler.Compile(new AuthorizedProject(Project, "UTC"), Encoding.UTF8.GetBytes(body));
        Assert.Null(plan);
        Assert.Equal(attr, error!.Attr);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{")]
    [InlineData("""{"query":1,"query":2}""")]
    [InlineData("""{"\ud800":1}""")]
    [InlineData("\u0001")]
    public void What_is_no_json_is_refused(string body)
    {
        var (plan, error) = _compiler.Compile(new AuthorizedProject(Project, "UTC"), Encoding.UTF8.GetBytes(body));
        Assert.Null(plan);
        Assert.NotNull(error);
    }

    [Fact]
    public void Fields_that_posthogs_clients_send_are_left_aside() => Compile(
        """
        {"client_query_id":"x","refresh":"blocking","name":"n","query":{"kind":"TrendsQuery","filterTestAccounts":true,
        "series":[{"kind":"EventsNode","event":"x","name":"x","math":"total","version":1}],"interval":"day","version":2,
        "trendsFilter":{"display":"ActionsLineGraph","smoothingIntervals":1},"compareFilter":{"compare":false},
        "breakdownFilter":{"breakdown_type":"event"},"samplingFactor":null,"tags":{},"properties":{"type":"AND","values":[]},
        "dateRange":{"date_from":"-7d","date_to":null,"explicitDate":false},"modifiers":{}}}
        """);

    [Fact]
    public void Every_list_has_a_limit()
    {
        object Filter(object value) => new { key = "a", value };
        object Events(object properties) => new { kind = "EventsQuery", properties };

        Compile(Events(new[] { Filter(Enumerable.Repeat("v", QueryLimits.MaxValues)) }));
        Refused(Events(new[] { Filter(Enumerable.Repeat("v", QueryLimits.MaxValues + 1)) }));
        Compile(Events(Enumerable.Repeat(Filter("v"), QueryLimits.MaxFilters)));
        Refused(Events(Enumerable.Repeat(Filter("v"), QueryLimits.MaxFilters + 1)));
        Refused(Events(new[] { Filter(new string('x', QueryLimits.MaxTextLength + 1)) }));
        Refused(Events(new[] { Filter(Enumerable.Range(0, 200).Select(i => new string('ü', 100) + i)) }));
        Refused(new { kind = "TrendsQuery", series = Enumerable.Repeat(new { }, QueryLimits.MaxSeries + 1) });
        Refused(new
        {
            kind = "TrendsQuery",
            series = Enumerable.Repeat(new { }, 26),
            interval = "hour",
            dateRange = new { date_from = "-1y" },
            breakdownFilter = new { breakdown = "a", breakdown_limit = 1000 },
        });

        object nested = new { type = "AND", values = Array.Empty<object>() };
        for (int depth = 0; depth < QueryLimits.MaxFilterDepth; depth++)
        {
            nested = new { type = "OR", values = new[] { nested } };
        }

        Refused(Events(nested));
    }

    [Fact]
    public void A_statement_is_refused_before_it_is_longer_than_ClickHouse_is_told_to_read()
    {
        var filters = Enumerable.Range(0, QueryLimits.MaxFilters)
            .Select(i => new { key = $"k{i}", @operator = "is_date_after", value = "-7d" });
        object Trend(int series) => new
        {
            kind = "TrendsQuery",
            series = Enumerable.Repeat(new { }, series),
            properties = filters,
            breakdownFilter = new { breakdown = "plan" },
        };

        int longest = Enumerable.Range(1, QueryLimits.MaxSeries)
            .Select(series => _compiler.Compile(new AuthorizedProject(Project, "UTC"), Body(Trend(series))).Plan)
            .Max(plan => plan?.Query.Sql.Length ?? 0);
        Assert.InRange(longest, 1, QueryLimits.MaxSqlBytes);
        Refused(Trend(QueryLimits.MaxSeries));
    }

    [Fact]
    public void The_buckets_are_in_the_statement_once()
    {
        object Trend(int series) => new
        {
            kind = "TrendsQuery",
            interval = "hour",
            dateRange = new { date_from = "2025-04-01" },
            series = Enumerable.Repeat(new { }, series),
        };

        int one = Compile(Trend(1)).Sql.Length;
        Assert.InRange(Compile(Trend(QueryLimits.MaxSeries)).Sql.Length, one, one + QueryLimits.MaxSeries * 1000);
    }

    [Theory]
    [InlineData("Chrome", true)]
    [InlineData("127.0.0.1", true)]
    [InlineData("-", true)]
    [InlineData("", false)]
    [InlineData("5", false)]
    [InlineData("-1.5e3", false)]
    [InlineData("[1]", false)]
    [InlineData("{}", false)]
    public void A_promoted_column_is_read_only_where_it_says_the_same(string value, bool column)
    {
        object query = new { kind = "EventsQuery", select = new[] { "event" }, properties = new[] { new { key = "$ip", value } } };
        string sql = Compile(query).Sql;
        Assert.Equal(column, sql.Contains("p_ip IN", StringComparison.Ordinal));
        Assert.NotEqual(column, sql.Contains("JSONExtract", StringComparison.Ordinal));
    }

    [Fact]
    public void The_settings_keep_final_exact_and_the_query_read_only()
    {
        Assert.Equal("2", QuerySettings.Recent["readonly"]);
        Assert.Equal("0", QuerySettings.Recent["do_not_merge_across_partitions_select_final"]);
        Assert.Equal("1", QuerySettings.Recent[QuerySettings.ExactSkipIndexes]);
        Assert.Equal("0", QuerySettings.Recent["optimize_move_to_prewhere_if_final"]);
        Assert.Equal("0", QuerySettings.Older["use_skip_indexes_if_final"]);
        Assert.DoesNotContain(QuerySettings.ExactSkipIndexes, QuerySettings.Older.Keys);
    }

    private static object[] Queries(string text) =>
    [
        new { kind = "EventsQuery", @event = text, distinct_id = text, select = new[] { "properties." + text } },
        new { kind = "EventsQuery", @event = text, orderBy = "received_at DESC", after = "-1h", before = "now" },
        new { kind = "EventsQuery", properties = new[] { new { key = text, value = text, @operator = "icontains" } } },
        new { kind = "EventsQuery", properties = new[] { new { key = text, value = text, @operator = "not_regex" } } },
        new
        {
            kind = "TrendsQuery",
            series = new[] { new { @event = text, math = "dau" } },
            properties = new[] { new { key = text, @operator = "is_set" } },
            breakdownFilter = new { breakdown = text + "x" },
        },
    ];

    private static void AssertScoped(CompiledQuery query)
    {
        string scope = "FROM events FINAL WHERE project_id = {project_id:UInt64} AND (";
        Assert.Equal(Reads().Count(query.Sql), query.Sql.Split(scope).Length - 1);
        Assert.NotEqual(0, Reads().Count(query.Sql));
        Assert.Equal(Project.ToString(), query.Parameters["project_id"]);
        Assert.DoesNotContain("PREWHERE", query.Sql, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("SETTINGS", query.Sql, StringComparison.OrdinalIgnoreCase);
        Assert.DoesNotContain("\0", query.Sql, StringComparison.Ordinal);

        // The scope's bracket closes over the whole condition: no OR escapes from it.
        foreach (string condition in query.Sql.Split(scope).Skip(1)) Assert.True(ClosesOnce(condition), query.Sql);
    }

    private static bool ClosesOnce(string condition)
    {
        int depth = 1;
        bool quoted = false;
        for (int i = 0; i < condition.Length; i++)
        {
            if (quoted && condition[i] == '\\') i++;
            else if (condition[i] == '\'') quoted = !quoted;
            else if (!quoted) depth += condition[i] == '(' ? 1 : condition[i] == ')' ? -1 : 0;

            if (depth == 0) return AfterCondition().IsMatch(condition[(i + 1)..]);
        }

        return false;
    }

    private CompiledQuery Compile(object query)
    {
        byte[] body = query is string text ? Encoding.UTF8.GetBytes(text) : Body(query);
        var (plan, error) = _compiler.Compile(new AuthorizedProject(Project, "Europe/Berlin"), body);
        Assert.True(error is null, error?.ToString());
        return plan!.Query;
    }

    private void Refused(object query)
    {
        var (_, error) = _compiler.Compile(new AuthorizedProject(Project, "UTC"), Body(query));
        Assert.Equal("too_large", error?.Code is "invalid_input" ? "too_large" : error?.Code);
    }

    private static byte[] Body(object query) => JsonSerializer.SerializeToUtf8Bytes(new { query });

    private static T Pick<T>(Random random, T[] items) => items[random.Next(items.Length)];

    [GeneratedRegex(@"\b(FROM|JOIN)\b")]
    private static partial Regex Reads();

    [GeneratedRegex(@"^ (GROUP BY|ORDER BY)")]
    private static partial Regex AfterCondition();

    private sealed class FixedTime(DateTimeOffset now) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => now;
    }
}
