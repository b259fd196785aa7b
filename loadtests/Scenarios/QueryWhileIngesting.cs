using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Scenarios;

/// <summary>The two kinds of query while events come in for the project that they are about.</summary>
internal static class QueryWhileIngesting
{
    private const double QueriesPerSecond = 5;

    private const string Trends = """
        {"query":{"kind":"TrendsQuery","series":[{"kind":"EventsNode","event":"$pageview","math":"dau"}],
        "interval":"hour","dateRange":{"date_from":"-24h"},"breakdownFilter":{"breakdown":"$browser"}}}
        """;

    private const string LastEvents = """
        {"query":{"kind":"EventsQuery","select":["uuid","event","distinct_id","timestamp","properties"],
        "event":"$pageview","after":"-1h","orderBy":["timestamp DESC"],"limit":100}}
        """;

    public static async Task<ScenarioReport> RunAsync(
        Installation installation, ScenarioRunner runner, CancellationToken cancellationToken)
    {
        Uri[] gateway = [installation.One.Address];
        string path = $"/api/projects/{installation.DefaultProject.Id}/query/";
        var trends = Query("trends query", path, Trends);
        var events = Query("events query", path, LastEvents);
        await runner.WarmUpAsync(trends, QueriesPerSecond, gateway, cancellationToken);
        await runner.WarmUpAsync(events, QueriesPerSecond, gateway, cancellationToken);

        var queries = new LoadSimulation(QueriesPerSecond, runner.Options.During);
        var ingest = Scenario.SingleEvents("single event meanwhile", _ => GatewayServer.ProjectToken);
        var rows = await Task.WhenAll(
            runner.RunAsync(trends, queries, gateway, cancellationToken),
            runner.RunAsync(events, queries, gateway, cancellationToken),
            runner.RunAsync(
                ingest, new(runner.Options.Rate, runner.Options.During), gateway, cancellationToken));
        return new ScenarioReport(
            "Queries while events come in",
            "Trends (distinct users of a day by browser) and the last hundred events of a project, while single events "
            + "of the same project come in.",
            rows);
    }

    private static Scenario Query(string name, string path, string json)
    {
        byte[] request = Requests.Api(path, GatewayServer.ApiKey, json);
        return new(name, async (connection, _, cancellationToken) =>
            new((await connection.SendAsync(request, cancellationToken)).Status == 200))
        {
            Connections = 8,
        };
    }
}
