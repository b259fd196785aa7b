using System.Collections.Concurrent;
using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Faults;

/// <summary>
/// Clients at a gateway that may come and go, what they know of each event that they sent, and how that is held against
/// what is stored and what the ledger says. Each event is sent once. Now and then a stranger sends some, who is not to
/// be let in.
/// </summary>
internal sealed class ChaosRun
{
    /// <summary>The name of events that a constraint of the table does not let in.</summary>
    public const string Bad = "bad";

    private const int Clients = 2;
    private const int BatchEvents = 10;
    private const int StrangerEvery = 40;
    private const string StrangersToken = "phc_nobodynobodynobodynobodynobodynobodynobody1";

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private readonly ConcurrentDictionary<string, Fate> _fates = new();
    private readonly ConcurrentDictionary<string, bool> _bad = new();
    private readonly DateTimeOffset _began = DateTimeOffset.UtcNow;
    private readonly Stopwatch _watch = Stopwatch.StartNew();
    private volatile GatewayProcess? _gateway;
    private long _batches;
    private long _acked;
    private long _falselyAcked;
    private int _badWanted;

    public long Acked => Interlocked.Read(ref _acked);

    /// <summary>Events that nobody was told of what became of them.</summary>
    public int Unanswered => _fates.Values.Count(fate => fate == Fate.Unknown);

    /// <summary>Events that were found in the quarantine at the end.</summary>
    public int PutAside { get; private set; }

    /// <summary>Where clients send to from now on; null: they wait.</summary>
    public void At(GatewayProcess? gateway) => _gateway = gateway;

    /// <summary>So many of the next events are bad, each in a batch of its own among good ones.</summary>
    public void SendBad(int count) => Interlocked.Add(ref _badWanted, count);

    /// <summary>Posts until told to stop; each client waits for its answer before it sends again.</summary>
    /// <param name="stop">Ends it.</param>
    /// <param name="pause">Between a client's requests: it bounds what a long fault piles up.</param>
    public Task PostUntilAsync(CancellationToken stop, TimeSpan pause = default) => Task.WhenAll(
        Enumerable.Range(0, Clients).Select(
            _ => Task.Run(() => PostOneAfterTheOtherAsync(pause, stop), CancellationToken.None)));

    public async Task AckedGrowsByAsync(long count)
    {
        long goal = Acked + count;
        await Eventually.HoldsAsync(
            () => Task.FromResult(Acked >= goal), Patience, () => $"{count} more are acked; it said {_gateway?.Output}");
    }

    /// <summary>Waits until the gateway, since it was started, has stored and settled something.</summary>
    public static Task ShipsAsync(GatewayProcess gateway) => Eventually.HoldsAsync(
        async () => await gateway.MetricAsync("gateway_ship_blocks_total") > 0,
        Patience, () => $"something is shipped; it said {gateway.Output}");

    /// <summary>
    /// Holds what the clients know against what is stored, put aside and in the books; fails on every difference.
    /// </summary>
    /// <returns>One line of figures.</returns>
    public async Task<string> CountAsync(GatewayProcess gateway, string name, string faults)
    {
        var books = await Books.ReadAsync(gateway, _began);
        var (stored, aside) = (books.Stored, books.PutAside);
        PutAside = aside.Count;
        int lost = _fates.Count(pair =>
            pair.Value == Fate.Acked && !stored.ContainsKey(pair.Key) && !aside.ContainsKey(pair.Key));
        int twice = stored.Count(row => row.Value > 1) + aside.Count(row => row.Value > 1 || stored.ContainsKey(row.Key));
        long false200 = _falselyAcked
            + stored.Keys.Concat(aside.Keys).Count(id => !_fates.TryGetValue(id, out var fate) || fate == Fate.Refused);
        int wronglyAside = aside.Keys.Count(id => !_bad.ContainsKey(id)) + stored.Keys.Count(_bad.ContainsKey);

        string line = string.Create(
            CultureInfo.InvariantCulture,
            $"{name}: {faults}, acked {Acked}, unanswered {Unanswered}, stored {stored.Count}, quarantined {aside.Count}, "
            + $"lost {lost}, twice {twice}, false 200 {false200}, residual {books.Residual}, "
            + $"seconds {_watch.Elapsed.TotalSeconds:0.0}");
        string report = $"{line}; it said\n{gateway.Output}";
        Assert.True(lost == 0 && twice == 0 && false200 == 0, report);
        Assert.True(wronglyAside == 0, $"{wronglyAside} are on the wrong side. {report}");
        Assert.True(_fates.Values.Contains(Fate.Refused), "No stranger came.");
        Assert.InRange(books.Of("accepted"), Acked, Acked + Unanswered);
        books.AssertAgree(report);
        return line;
    }

    private async Task PostOneAfterTheOtherAsync(TimeSpan pause, CancellationToken stop)
    {
        using var http = new HttpClient(new SocketsHttpHandler { UseCookies = false, UseProxy = false });
        while (!stop.IsCancellationRequested)
        {
            if (_gateway is not { } gateway)
            {
                await Task.Delay(5, CancellationToken.None);
                continue;
            }

            bool isStranger = Interlocked.Increment(ref _batches) % StrangerEvery == 0;
            await PostAsync(http, gateway.Address, isStranger);

            if (pause > TimeSpan.Zero) await Task.Delay(pause, CancellationToken.None);
        }
    }

    private async Task PostAsync(HttpClient http, Uri gateway, bool isStranger)
    {
        string[] ids = [.. Enumerable.Range(0, BatchEvents).Select(_ => Guid.CreateVersion7().ToString())];
        string? bad = !isStranger && TakeBad() ? ids[Random.Shared.Next(ids.Length)] : null;
        if (bad is not null) _bad[bad] = true;

        var status = await TryPostAsync(http, new Uri(gateway, "/batch/"), new
        {
            api_key = isStranger ? StrangersToken : GatewayProcess.ProjectToken,
            batch = ids.Select(id => new { uuid = id, @event = id == bad ? Bad : "chaos", distinct_id = "someone" }),
        });

        var fate = FateOf(status, isStranger);
        foreach (string id in ids) _fates[id] = fate;
        if (fate == Fate.Acked) Interlocked.Add(ref _acked, ids.Length);
        else if (status == HttpStatusCode.OK) Interlocked.Add(ref _falselyAcked, ids.Length);
        else await Task.Delay(5, CancellationToken.None);
    }

    private static Fate FateOf(HttpStatusCode? status, bool isStranger)
    {
        Assert.True(
            status is null or HttpStatusCode.OK or HttpStatusCode.ServiceUnavailable
                || (isStranger && status == HttpStatusCode.Unauthorized),
            $"It says {status}.");
        if (isStranger) return Fate.Refused;

        return status == HttpStatusCode.OK ? Fate.Acked : Fate.Unknown;
    }

    private bool TakeBad()
    {
        if (Volatile.Read(ref _badWanted) <= 0) return false;
        if (Interlocked.Decrement(ref _badWanted) >= 0) return true;

        Interlocked.Increment(ref _badWanted);
        return false;
    }

    /// <summary>Null when no answer came.</summary>
    private static async Task<HttpStatusCode?> TryPostAsync(HttpClient http, Uri uri, object body)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync(uri, body);
            return answer.StatusCode;
        }
        catch (Exception error) when (error is HttpRequestException or OperationCanceledException or IOException)
        {
            return null;
        }
    }
}
