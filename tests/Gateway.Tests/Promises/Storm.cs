using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// Clients that post with tokens alive and dead, others that regenerate them, and somebody who stops gateways, and Redis
/// where there is one, for moments at random. What all of them see goes into the history.
/// </summary>
/// <param name="trio">Whom they ask.</param>
/// <param name="isCalm">Nobody is stopped: what goes wrong is for the test to do.</param>
internal sealed class Storm(Trio trio, bool isCalm = false)
{
    private const int Projects = 4;
    private const int Clients = 16;

    // So many tokens back a client may be.
    private const int Remembered = 4;

    // So many of one gateway show that it is at work.
    private const int AcksOfProgress = 20;

    // No stop is as long as this, nor several in a row for one request.
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    // What a change may still do after its answer is over by then: a transaction is given up after some seconds.
    private static readonly TimeSpan UntilSettled = TimeSpan.FromSeconds(10);

    private static readonly TimeSpan UntilStored = TimeSpan.FromMinutes(1);

    private readonly string _event = $"storm-{Guid.NewGuid():N}";
    private readonly Project[] _projects = new Project[Projects];
    private readonly ConcurrentDictionary<int, long> _acksOf = new();
    private long _unknown;
    private long _unknownChanges;
    private long _refused;
    private long _stops;

    public History History { get; } = new();

    public int AckingGateways => _acksOf.Count;

    /// <summary>
    /// Rages while the test does what it does; what was found then, which must be nothing wrong. Goes on a little after,
    /// to see that all is well again.
    /// </summary>
    public async Task<string> RageThroughAsync(Func<Task> faults)
    {
        await PrepareAsync();
        using var stop = new CancellationTokenSource();
        var raging = RageAsync(stop.Token);
        try
        {
            await WaitForProgressAsync();
            await faults();
            await WaitForProgressAsync();
        }
        finally
        {
            await stop.CancelAsync();
            await raging;
        }

        var findings = await CheckAsync();
        Assert.True(findings.AreNone, $"{findings}\n{this}");
        return $"regenerations {History.Regenerations}, acked {History.Acked}, {this}";
    }

    /// <summary>Every gateway acks, and tokens are regenerated, both again.</summary>
    public async Task WaitForProgressAsync()
    {
        int regenerations = History.Regenerations;
        await WaitForAcksAsync();
        await Eventually.HoldsAsync(
            () => Task.FromResult(History.Regenerations >= regenerations + (2 * Projects)),
            UntilStored, () => $"tokens are regenerated: {this}");
    }

    /// <summary>Every gateway acks, or those given.</summary>
    public async Task WaitForAcksAsync(params int[] gateways)
    {
        if (gateways.Length == 0) gateways = [.. Enumerable.Range(0, Trio.Size)];
        var before = _acksOf.ToDictionary();
        await Eventually.HoldsAsync(
            () => Task.FromResult(
                gateways.All(i => _acksOf.GetValueOrDefault(i) > before.GetValueOrDefault(i) + AcksOfProgress)),
            UntilStored, () => $"gateways take events: {this}");
    }

    public async Task PrepareAsync()
    {
        using var owner = ApiUser.Owner(trio[0]);
        for (int i = 0; i < Projects; i++)
        {
            long began = Stopwatch.GetTimestamp();
            var made = await owner.DoAsync(
                HttpMethod.Post, "/api/organizations/@current/projects/", new { name = $"Storm {i}" });
            string token = made.GetProperty("api_token").GetString()!;
            _projects[i] = new Project(made.GetProperty("id").GetInt64().ToString(), token);
            History.Created(_projects[i].Id, token, began, Stopwatch.GetTimestamp());
        }
    }

    /// <summary>Until it is told to stop; then everybody goes on and the last answers are waited for.</summary>
    public async Task RageAsync(CancellationToken stop)
    {
        using var calm = new CancellationTokenSource();
        var stoppers = (isCalm ? [] : Stoppers())
            .Select(target => Task.Run(() => InterruptAsync(target.Stop, target.Continue, calm.Token)));
        Task[] interruptions = [.. stoppers];
        Task[] others =
        [
            .. Enumerable.Range(0, Clients).Select(_ => Task.Run(() => PostAsync(stop))),
            .. _projects.Select(project => Task.Run(() => RegenerateAsync(project, stop))),
        ];
        await Task.WhenAll(others);
        await calm.CancelAsync();
        await Task.WhenAll(interruptions);
    }

    /// <summary>Waits until all that was acked is stored; what is not then will never be.</summary>
    public async Task<Findings> CheckAsync()
    {
        long acked = History.Acked;
        long started = Stopwatch.GetTimestamp();
        while (await trio.CountRowsAsync(_event) < acked && Stopwatch.GetElapsedTime(started) < UntilStored)
            await Task.Delay(50);

        // Events of unknown fate count too: there may be as many rows, and not yet all that were acked.
        var findings = History.Check(await trio.ReadRowsAsync(_event));
        while (findings.Lost.Count > 0 && Stopwatch.GetElapsedTime(started) < UntilStored)
        {
            await Task.Delay(500);
            findings = History.Check(await trio.ReadRowsAsync(_event));
        }

        return findings;
    }

    /// <summary>Whether any answer so far, to whatever is stored, broke what was promised of dead tokens.</summary>
    public bool HasViolation => History.Check([]).Violations.Count > 0;

    public override string ToString() =>
        $"refused {_refused}, unknown {_unknown}, regenerations of unknown fate {_unknownChanges}, stops {_stops}, acks "
        + string.Join(" + ", _acksOf.OrderBy(pair => pair.Key).Select(pair => pair.Value));

    private IEnumerable<(Action Stop, Action Continue)> Stoppers()
    {
        foreach (var gateway in trio.Gateways) yield return (gateway.Stop, gateway.Continue);
        if (trio.Redis is { } redis) yield return (redis.Freeze, redis.Thaw);
    }

    private async Task InterruptAsync(Action stop, Action goOn, CancellationToken calm)
    {
        while (!calm.IsCancellationRequested)
        {
            await Task.Delay(Random.Shared.Next(100, 1_500), calm).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            if (calm.IsCancellationRequested) return;

            stop();
            Interlocked.Increment(ref _stops);
            await Task.Delay(Random.Shared.Next(50, 500), CancellationToken.None);
            goOn();
        }
    }

    private async Task PostAsync(CancellationToken stop)
    {
        using var http = NewClient();
        while (!stop.IsCancellationRequested)
        {
            int gateway = Random.Shared.Next(Trio.Size);
            string token = _projects[Random.Shared.Next(Projects)].AnyToken();
            var uuid = Guid.CreateVersion7();

            long began = Stopwatch.GetTimestamp();
            var fate = await PostAsync(http, new Uri(trio[gateway].Address, "/e/"), token, uuid);
            History.Sent(token, gateway, uuid, began, Stopwatch.GetTimestamp(), fate);

            if (fate == Fate.Acked) _acksOf.AddOrUpdate(gateway, 1, (_, count) => count + 1);
            else if (fate == Fate.Refused) Interlocked.Increment(ref _refused);
            else Interlocked.Increment(ref _unknown);
        }
    }

    private async Task<Fate> PostAsync(HttpClient http, Uri address, string token, Guid uuid)
    {
        try
        {
            using var body = new StringContent(
                $$"""{"api_key":"{{token}}","event":"{{_event}}","distinct_id":"d","uuid":"{{uuid}}"}""",
                Encoding.UTF8, "application/json");
            using var answer = await http.PostAsync(address, body);
            return answer.StatusCode switch
            {
                HttpStatusCode.OK => Fate.Acked,
                HttpStatusCode.BadRequest or HttpStatusCode.Unauthorized or HttpStatusCode.Forbidden => Fate.Refused,
                _ => Fate.Unknown,
            };
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            return Fate.Unknown;
        }
    }

    private async Task RegenerateAsync(Project project, CancellationToken stop)
    {
        using var http = NewClient();
        http.DefaultRequestHeaders.Authorization = new("Bearer", GatewayProcess.ApiKey);
        long settled = 0;
        while (!stop.IsCancellationRequested)
        {
            string old = project.Current;
            long began = Stopwatch.GetTimestamp();
            string? fresh = await AskForTokenAsync(http, HttpMethod.Post, $"/api/projects/{project.Id}/reset_token/");
            long ended = Stopwatch.GetTimestamp();
            if (fresh is not null)
            {
                // The one that is current already when this was a repetition which completed an earlier change.
                History.Regenerated(project.Id, fresh == old ? project.Former : old, fresh, began, ended);
                project.Advance(fresh);
                continue;
            }

            Interlocked.Increment(ref _unknownChanges);
            string seen = await ReadTokenAsync(http, project);
            long now = Stopwatch.GetTimestamp();

            // It has had its effect when that can be seen, unless what is seen may be an earlier one's.
            if (seen == old || began < settled) settled = now + (long)(UntilSettled.TotalSeconds * Stopwatch.Frequency);
            History.MayHaveRegenerated(project.Id, old, began, Math.Max(now, settled));
            if (seen == old) continue;

            History.Learned(project.Id, seen, now);
            project.Advance(seen);
        }
    }

    private async Task<string> ReadTokenAsync(HttpClient http, Project project)
    {
        while (true)
        {
            if (await AskForTokenAsync(http, HttpMethod.Get, $"/api/projects/{project.Id}/") is { } token) return token;
            await Task.Delay(10);
        }
    }

    /// <summary>Asks any gateway; null when it does not say.</summary>
    private async Task<string?> AskForTokenAsync(HttpClient http, HttpMethod method, string path)
    {
        try
        {
            var gateway = trio[Random.Shared.Next(Trio.Size)];
            using var request = new HttpRequestMessage(method, new Uri(gateway.Address, path));
            using var answer = await http.SendAsync(request);
            string text = await answer.Content.ReadAsStringAsync();
            if (answer.StatusCode == HttpStatusCode.OK)
                return JsonDocument.Parse(text).RootElement.GetProperty("api_token").GetString()!;

            Assert.True(answer.StatusCode == HttpStatusCode.ServiceUnavailable, $"{method} {path}: {answer.StatusCode} {text}");
            return null;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            return null;
        }
    }

    private static HttpClient NewClient() =>
        new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { Timeout = Patience };

    /// <summary>A project's tokens, the latest first.</summary>
    private sealed class Project(string id, string token)
    {
        private volatile string[] _tokens = [token];

        public string Id => id;

        public string Current => _tokens[0];

        /// <summary>The one before.</summary>
        public string Former => _tokens.Length > 1 ? _tokens[1] : _tokens[0];

        /// <summary>The one that holds as often as one of those before.</summary>
        public string AnyToken()
        {
            string[] tokens = _tokens;
            return tokens[Random.Shared.Next(2) == 0 ? 0 : Random.Shared.Next(tokens.Length)];
        }

        public void Advance(string fresh)
        {
            if (fresh != Current) _tokens = [fresh, .. _tokens.Take(Remembered)];
        }
    }
}
