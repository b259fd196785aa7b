using System.Diagnostics;
using System.Net;
using System.Net.Http.Headers;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests;

/// <summary>
/// What a token check costs by where its answer was found, as a client sees it: a single event is posted, one at a
/// time, so that rows differ by their look-up and by nothing that waits in line. Tokens are made and used at one
/// gateway and asked of another, which has seen none of them.
/// </summary>
internal sealed class LayerPass(GatewayServer maker, GatewayServer asked, int count)
{
    // Asked first and not counted: code that runs for the first time is slower by far than any layer.
    private const int WarmUp = 200;
    private const double LeastShare = 0.95;

    private int Needed => count + WarmUp;

    public async Task<List<ReportRow>> RunAsync(CancellationToken cancellationToken)
    {
        using var management = new Management(maker.Address, GatewayServer.ApiKey);
        Console.WriteLine($"  making {3 * Needed} projects ...");
        var unused = await management.MakeProjectsAsync(Needed, cancellationToken);
        var used = await management.MakeProjectsAsync(Needed, cancellationToken);
        var dead = await management.MakeProjectsAsync(Needed, cancellationToken);

        // Redis holds these from now on, the dead ones too: it is up to the gateway not to believe it.
        foreach (var project in used.Concat(dead))
        {
            var status = await PostAsync(maker, Content(project.Token), cancellationToken);
            if (status != HttpStatusCode.OK) throw new InvalidOperationException($"A new token was answered {status}.");
        }

        Console.WriteLine($"  regenerating {Needed} tokens ...");
        await management.ResetTokensAsync(dead, cancellationToken);
        double epoch = (await maker.ScrapeAsync(cancellationToken))["gateway_fence_epoch"];
        await asked.WaitUntilAsync(metrics => metrics["gateway_fence_epoch"] >= epoch, cancellationToken);

        const HttpStatusCode Refused = HttpStatusCode.Unauthorized;
        return
        [
            await AskAsync("live, known nowhere", "database", HttpStatusCode.OK, unused, cancellationToken),
            await AskAsync("live, known in Redis", "redis", HttpStatusCode.OK, used, cancellationToken),
            await AskAsync("live, known in the process", "process", HttpStatusCode.OK, used, cancellationToken),
            await AskAsync("dead, known nowhere", "database", Refused, dead, cancellationToken),
            await AskAsync("dead, known in the process", "process", Refused, dead, cancellationToken),
            await AskAsync("refused by its MAC", "process", Refused, used.Select(Mistyped), cancellationToken),
        ];
    }

    private async Task<ReportRow> AskAsync(
        string name,
        string layer,
        HttpStatusCode expected,
        IEnumerable<Project> projects,
        CancellationToken cancellationToken)
    {
        Console.WriteLine($"  token {name} ...");
        string[] tokens = [.. projects.Select(project => project.Token)];
        foreach (string token in tokens[..WarmUp]) await PostAsync(asked, Content(token), cancellationToken);

        var latency = new LatencyHistogram();
        int failed = 0;
        var before = await asked.ScrapeAsync(cancellationToken);
        foreach (string token in tokens[WarmUp..])
        {
            using var content = Content(token);
            long started = Stopwatch.GetTimestamp();
            var status = await PostAsync(asked, content, cancellationToken);
            latency.Record(Stopwatch.GetElapsedTime(started));
            if (status != expected) failed++;
        }

        var counted = await asked.ScrapeAsync(cancellationToken) - before;
        double answered = counted[$"gateway_token_lookups_total{{layer=\"{layer}\"}}"];
        return new(
            $"token {name}", "one at a time", failed, latency, $"{layer}: {answered} of {latency.Count}",
            failed == 0 && answered >= LeastShare * latency.Count);
    }

    private static async Task<HttpStatusCode> PostAsync(
        GatewayServer gateway, HttpContent content, CancellationToken cancellationToken)
    {
        using var answer = await gateway.Http.PostAsync("/i/v0/e/", content, cancellationToken);
        return answer.StatusCode;
    }

    private static ByteArrayContent Content(string token) => new(Events.Single(token))
    {
        Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
    };

    /// <summary>One letter is another: of our shape, without our MAC.</summary>
    private static Project Mistyped(Project project) =>
        project with { Token = project.Token[..20] + (project.Token[20] == 'a' ? 'b' : 'a') + project.Token[21..] };
}
