using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;
using Gateway.LoadTests.Scenarios;

namespace Gateway.LoadTests;

/// <summary>All scenarios, one after the other, at an installation of its own; or some of them at a gateway.</summary>
internal sealed class LoadRun
{
    private readonly Installation _installation;
    private readonly ScenarioRunner _runner;
    private readonly CancellationToken _cancellationToken;
    private readonly List<ScenarioReport> _reports = [];

    private LoadRun(Installation installation, ScenarioRunner runner, CancellationToken cancellationToken) =>
        (_installation, _runner, _cancellationToken) = (installation, runner, cancellationToken);

    /// <param name="options">How much.</param>
    /// <param name="path">Of the report that is written, a page.</param>
    /// <param name="cancellationToken">Ends it early, without a report.</param>
    /// <returns>0 when nothing failed.</returns>
    public static async Task<int> RunAsync(LoadOptions options, string path, CancellationToken cancellationToken)
    {
        string before = Begin();
        Console.WriteLine("Starting PostgreSQL, Redis, ClickHouse's engine and two gateways ...");
        using var installation = await Installation.StartAsync(cancellationToken);
        var run = new LoadRun(installation, new ScenarioRunner(options, Console.Out), cancellationToken);
        await run.RunAllAsync();
        string about = $"Two gateways on one PostgreSQL, Redis and ClickHouse engine; {options}.";
        return Report(run._reports, path, about, before);
    }

    /// <summary>Those that need no more than a gateway that runs already, and the token of a project.</summary>
    /// <inheritdoc cref="RunAsync" path="/returns"/>
    public static async Task<int> RunAtAsync(
        Uri gateway, string token, LoadOptions options, string path, CancellationToken cancellationToken)
    {
        string before = Begin();
        var runner = new ScenarioRunner(options, Console.Out);
        ScenarioReport[] reports =
        [
            await SingleEventCapture.RunAsync(gateway, token, runner, cancellationToken),
            await BatchCapture.RunAsync(gateway, token, runner, cancellationToken),
        ];
        return Report(reports, path, $"The gateway at {gateway}; {options}.", before);
    }

    private static string Begin()
    {
        Console.WriteLine(Machine.LoadAverage);
        return $"{DateTime.UtcNow:yyyy-MM-dd HH:mm} UTC, {Machine.LoadAverage} before";
    }

    private static int Report(IReadOnlyList<ScenarioReport> reports, string path, string about, string before)
    {
        Console.WriteLine(Machine.LoadAverage);
        HtmlReport.Write(path, reports, [about, $"{before}, {Machine.LoadAverage} after."]);
        TextReport.Print(reports);
        Console.WriteLine($"Report with plots: {Path.GetFullPath(path)}");
        return reports.Any(report => report.Problems.Any()) ? 1 : 0;
    }

    private async Task RunAllAsync()
    {
        var (gateway, token) = (_installation.One.Address, GatewayServer.ProjectToken);
        var options = _runner.Options;
        var projects = await _installation.Management.MakeProjectsAsync(
            Math.Max(options.Count, options.Projects), _cancellationToken);

        // The look-ups first: what capture leaves to ClickHouse's engine keeps the machine busy for a while.
        await DoAsync("Token checks over HTTP", () =>
            new TokenCheckOverHttp(_installation, projects, _runner).RunAsync(_cancellationToken));
        await DoAsync("Token checks in process", () => Task.FromResult(TokenCheckInProcess.Run()));
        await DoAsync("Single events", () =>
            SingleEventCapture.RunAsync(gateway, token, _runner, _cancellationToken));
        await DoAsync("Batches", () => BatchCapture.RunAsync(gateway, token, _runner, _cancellationToken));
        await DoAsync("Mixed projects", () => MixedProjects.RunAsync(
            _installation, projects[..options.Projects], _runner, _cancellationToken));
        await DoAsync("Queries while events come in", () =>
            QueryWhileIngesting.RunAsync(_installation, _runner, _cancellationToken));
        await DoAsync("Freshness", () => new Freshness(_installation, _runner).RunAsync(_cancellationToken));
        await DoAsync("Revocation under load", () =>
            new RevocationUnderLoad(_installation, projects, _runner).RunAsync(_cancellationToken));

        // Last, and its events are not looked for: wrk sends one and the same.
        Console.WriteLine("Saturation:");
        _reports.Add(await Saturation.RunAsync(_installation, _runner, _cancellationToken));
    }

    private Task DoAsync(string title, Func<Task<ScenarioReport>> scenario) =>
        DoAsync(title, async () => [await scenario()]);

    /// <summary>Begins when nothing is left of the one before, and ends with a look for what was acked.</summary>
    private async Task DoAsync(string title, Func<Task<List<ScenarioReport>>> scenario)
    {
        long storedBefore = await _installation.CountStoredAsync(_cancellationToken);
        long ackedBefore = _runner.EventsAcked;
        Console.WriteLine($"{title}:");
        var reports = await scenario();
        long acked = _runner.EventsAcked - ackedBefore;
        if (acked > 0)
        {
            long stored = await _installation.CountStoredAsync(_cancellationToken) - storedBefore;
            string kept = $"{title}: {acked} events acked, {stored} stored";
            Console.WriteLine($"  {kept}");
            reports[^1] = reports[^1] with { Kept = kept, Problem = stored == acked ? null : kept };
        }

        _reports.AddRange(reports);
    }
}
