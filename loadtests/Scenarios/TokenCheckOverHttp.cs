using System.Diagnostics;
using System.Globalization;
using Gateway.LoadTests.Clients;
using Gateway.LoadTests.Reports;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Scenarios;

/// <summary>
/// What a token check costs by where its answer is found, as a client sees it. One set of tokens goes through all
/// layers, because each check leaves the token known to the next one: new tokens are known to the database only, then
/// to Redis, then to the gateway. Which layer it was is proven by the gateway's own count.
/// </summary>
/// <param name="installation">Whose gateways are asked.</param>
/// <param name="projects">Whose tokens they are; they have others afterwards.</param>
/// <param name="runner">Runs it.</param>
internal sealed class TokenCheckOverHttp(Installation installation, Project[] projects, ScenarioRunner runner)
{
    private const double LeastShare = 0.95;
    private const int Unauthorized = 401;
    private const int Progress = 250;

    // A tenth of those that are known nowhere yet warm up; of the others, no more than a gateway keeps in mind.
    private const int WarmUpPart = 10;
    private const int MostHits = 1000;

    public async Task<List<ScenarioReport>> RunAsync(CancellationToken cancellationToken)
    {
        var (one, other) = (installation.One, installation.Other);
        string[] tokens = [.. projects.Take(runner.Options.Count).Select(project => project.Token)];
        string[] mistyped = [.. tokens.Select(Mistyped)];
        await runner.WarmUpAsync(
            Scenario.SingleEvents("warm-up", _ => GatewayServer.ProjectToken),
            runner.Options.Rate,
            [one.Address, other.Address],
            cancellationToken);
        return
        [
            await MissAsync("live, known nowhere", "database", 200, other, tokens, cancellationToken),
            await MissAsync("live, known in Redis", "redis", 200, one, tokens, cancellationToken),
            await HitAsync("live, known in the process", 200, one, tokens, cancellationToken),
            await HitAsync("refused by its MAC", Unauthorized, one, mistyped, cancellationToken),
            await RevokeAsync(tokens, cancellationToken),
            await MissAsync("dead, known nowhere", "database", Unauthorized, one, tokens, cancellationToken),
            await HitAsync("dead, known in the process", Unauthorized, one, tokens, cancellationToken),
        ];
    }

    /// <summary>Each token can be asked for once: then it is known. So the rates share them.</summary>
    private async Task<ScenarioReport> MissAsync(
        string name,
        string layer,
        int status,
        GatewayServer asked,
        string[] tokens,
        CancellationToken cancellationToken)
    {
        int warmUp = tokens.Length / WarmUpPart;
        double[] rates = runner.Options.Rates;
        int each = Math.Max(1, (tokens.Length - warmUp) / rates.Length);
        var rows = new List<ReportRow>();
        await RunAsync(new(rates[0], TimeSpan.FromSeconds(warmUp / rates[0])), 0);
        for (int i = 0; i < rates.Length; i++)
        {
            var simulation = new LoadSimulation(rates[i], TimeSpan.FromSeconds(each / rates[i]));
            rows.Add(await RunAsync(simulation, warmUp + (i * each)));
        }

        return Report(name, rows);

        Task<ReportRow> RunAsync(LoadSimulation simulation, int first) => CountedAsync(
            Scenario.SingleEvents($"token {name}", number => tokens[first + number], status),
            simulation,
            layer,
            asked,
            cancellationToken);
    }

    private async Task<ScenarioReport> HitAsync(
        string name, int status, GatewayServer asked, string[] tokens, CancellationToken cancellationToken)
    {
        string[] few = tokens[..Math.Min(MostHits, tokens.Length)];
        var scenario = Scenario.SingleEvents($"token {name}", number => few[number % few.Length], status);
        double rate = runner.Options.Rate;
        await runner.RunAsync(
            scenario, new(rate, TimeSpan.FromSeconds(few.Length / rate)), [asked.Address], cancellationToken);
        var rows = new List<ReportRow>();
        foreach (double asking in runner.Options.Rates)
        {
            var simulation = new LoadSimulation(asking, runner.Options.During);
            rows.Add(await CountedAsync(scenario, simulation, "process", asked, cancellationToken));
        }

        return Report(name, rows);
    }

    private async Task<ReportRow> CountedAsync(
        Scenario scenario,
        LoadSimulation simulation,
        string layer,
        GatewayServer asked,
        CancellationToken cancellationToken)
    {
        var before = await asked.ScrapeAsync(cancellationToken);
        var row = await runner.RunAsync(scenario, simulation, [asked.Address], cancellationToken);
        var counted = await asked.ScrapeAsync(cancellationToken) - before;
        double answered = counted[$"gateway_token_lookups_total{{layer=\"{layer}\"}}"];
        long count = row.Measured!.Latency.Count;
        row = row with { Note = string.Create(CultureInfo.InvariantCulture, $"{layer}: {answered} of {count}") };
        return answered >= LeastShare * count ? row : row with { Problem = $"the {layer} did not answer" };
    }

    /// <summary>Each is asked for at the other gateway as soon as the call that revokes it has returned.</summary>
    private async Task<ScenarioReport> RevokeAsync(string[] tokens, CancellationToken cancellationToken)
    {
        // All of them are live in the other gateway's memory, where they were asked for first.
        Console.WriteLine($"  resetting {tokens.Length} tokens, each asked for right after ...");
        var clock = Stopwatch.StartNew();
        var measured = new Measurement();
        int next = 0;
        await Task.WhenAll(Enumerable.Range(0, Management.AtOnce).Select(async _ =>
        {
            using var connection = new LeanConnection(installation.Other.Address);
            for (int i; (i = Interlocked.Increment(ref next) - 1) < tokens.Length;)
            {
                projects[i] = await installation.Management.ResetTokenAsync(projects[i], cancellationToken);
                byte[] request = Requests.SingleEvent(tokens[i]);
                var returned = clock.Elapsed;
                var answer = await connection.SendAsync(request, cancellationToken);
                bool isKept = answer.Status == 200;
                measured.Answered(returned, clock.Elapsed, new(answer.Status == Unauthorized, isKept ? 1 : 0));
                if ((i + 1) % Progress == 0) Console.WriteLine($"  {i + 1} of {tokens.Length} tokens reset");
            }
        }));
        measured.Took = clock.Elapsed;
        runner.Count(measured);
        return Report("just revoked", [new("token just revoked", Asked: null, measured)
        {
            Note = "paced by the calls that revoke; each of them 401",
        }]);
    }

    private static ScenarioReport Report(string name, List<ReportRow> rows) => new(
        $"Token check: {name}",
        "A single event is posted with such a token; the row says which layer was asked last, by the gateway's count.",
        rows);

    /// <summary>One letter is another: of our shape, without our MAC.</summary>
    private static string Mistyped(string token) => token[..20] + (token[20] == 'a' ? 'b' : 'a') + token[21..];
}
