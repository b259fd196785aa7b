using System.Text.Json;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Query;

namespace Gateway.Bench;

/// <summary>
/// What compiling a query costs before ClickHouse is asked, in which it takes milliseconds; beside parsing its JSON,
/// without which nothing can be compiled.
/// </summary>
[MemoryDiagnoser]
public class QueryCompileBenchmarks
{
    private static readonly AuthorizedProject Project = new(4711, "Europe/Berlin");

    private static readonly byte[] EventsBody =
        """
        {"query":{"kind":"EventsQuery","select":["uuid","event","timestamp","properties.$browser"],"event":"$pageview",
        "properties":[{"key":"$browser","value":["Chrome","Firefox"],"operator":"exact"},
        {"key":"plan","value":"pro"}],"after":"-7d","limit":100}}
        """u8.ToArray();

    private static readonly byte[] TrendsBody =
        """
        {"query":{"kind":"TrendsQuery","series":[{"kind":"EventsNode","event":"$pageview","math":"total"},
        {"kind":"EventsNode","event":"signup","math":"dau"}],"interval":"day","dateRange":{"date_from":"-30d"},
        "breakdownFilter":{"breakdown":"$browser"}}}
        """u8.ToArray();

    private readonly QueryCompiler _compiler = new(TimeProvider.System);
    private byte[] _body = [];

    public enum Kind
    {
        EventsQuery,
        TrendsQuery,
    }

    [ParamsAllValues]
    public Kind Query { get; set; }

    [GlobalSetup]
    public void Setup() => _body = Query == Kind.EventsQuery ? EventsBody : TrendsBody;

    [Benchmark(Baseline = true)]
    public void ParseJson()
    {
        using var document = JsonDocument.Parse(_body);
        SampleEvents.Require(document.RootElement.GetProperty("query").ValueKind == JsonValueKind.Object);
    }

    [Benchmark]
    public QueryPlan Compile()
    {
        var (plan, error) = _compiler.Compile(Project, _body);
        if (plan is null) throw new InvalidOperationException(error!.ToString());

        SampleEvents.Require(plan.Query.Sql.Contains("project_id = {project_id:UInt64}", StringComparison.Ordinal));
        SampleEvents.Require(plan.Query.Parameters["project_id"] == "4711");
        return plan;
    }
}
