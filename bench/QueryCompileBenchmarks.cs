using BenchmarkDotNet.Attributes;
using Gateway.Core.Query;

namespace Gateway.Bench;

/// <summary>What compiling a query costs before ClickHouse is asked, in which it takes milliseconds.</summary>
[MemoryDiagnoser]
public class QueryCompileBenchmarks
{
    private static readonly AuthorizedProject Project = new(4711, "Europe/Berlin");

    private static readonly byte[] Events =
        """
        {"query":{"kind":"EventsQuery","select":["uuid","event","timestamp","properties.$browser"],"event":"$pageview",
        "properties":[{"key":"$browser","value":["Chrome","Firefox"],"operator":"exact"},
        {"key":"plan","value":"pro"}],"after":"-7d","limit":100}}
        """u8.ToArray();

    private static readonly byte[] Trends =
        """
        {"query":{"kind":"TrendsQuery","series":[{"kind":"EventsNode","event":"$pageview","math":"total"},
        {"kind":"EventsNode","event":"signup","math":"dau"}],"interval":"day","dateRange":{"date_from":"-30d"},
        "breakdownFilter":{"breakdown":"$browser"}}}
        """u8.ToArray();

    private readonly QueryCompiler _compiler = new(TimeProvider.System);

    [Benchmark]
    public QueryPlan EventsQuery() => Compile(Events);

    [Benchmark]
    public QueryPlan TrendsQuery() => Compile(Trends);

    private QueryPlan Compile(byte[] body)
    {
        var (plan, error) = _compiler.Compile(Project, body);
        return plan ?? throw new InvalidOperationException(error!.ToString());
    }
}
