using System.Collections.Concurrent;
using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;

namespace Gateway.Tests.Running;

/// <summary>What a client knows of an event that it sent.</summary>
public enum Fate : byte
{
    /// <summary>Answered 200: it must be stored, once.</summary>
    Acked,

    /// <summary>Answered 400, 401 or 403: it must not be stored.</summary>
    Refused,

    /// <summary>Anything else: it may or may not be stored, but not twice.</summary>
    Unknown,
}

/// <summary>Clients that post events with ids of their own and write down what became of each.</summary>
internal sealed class Load
{
    private readonly ConcurrentDictionary<string, Fate> _fates = new();
    private long _acked;
    private long _lastAckBegan;

    public IReadOnlyDictionary<string, Fate> Fates => _fates;

    /// <summary>Events acked so far.</summary>
    public long Acked => Interlocked.Read(ref _acked);

    /// <summary>When the last request began that was acked, as <see cref="Stopwatch"/> tells time.</summary>
    public long LastAckBegan => Interlocked.Read(ref _lastAckBegan);

    /// <summary>One client: batches without a pause until it is told to stop. Broken connections are part of the game.</summary>
    public async Task PostUntilAsync(Uri address, CancellationToken stop, int batch = 5, string? token = null)
    {
        using var http = new HttpClient { BaseAddress = address, Timeout = TimeSpan.FromSeconds(100) };
        while (!stop.IsCancellationRequested)
        {
            string[] ids = Enumerable.Range(0, batch).Select(_ => Guid.CreateVersion7().ToString()).ToArray();
            long began = Stopwatch.GetTimestamp();
            var fate = await PostAsync(http, token ?? GatewayProcess.ProjectToken, ids);
            foreach (string id in ids) _fates[id] = fate;
            if (fate == Fate.Acked)
            {
                Interlocked.Add(ref _acked, batch);
                InterlockedMax(began);
            }
            else
            {
                await Task.Delay(5, CancellationToken.None);
            }
        }
    }

    /// <summary>Holds what clients saw against what is stored.</summary>
    public void AssertKept(IReadOnlyCollection<StoredEvent> stored)
    {
        var counts = stored.GroupBy(row => row.Uuid).ToDictionary(rows => rows.Key, rows => rows.Count());
        var lost = _fates.Where(pair => pair.Value == Fate.Acked && !counts.ContainsKey(pair.Key)).ToList();
        var phantoms = _fates.Where(pair => pair.Value == Fate.Refused && counts.ContainsKey(pair.Key)).ToList();
        var twice = counts.Where(pair => pair.Value > 1).ToList();

        Assert.True(
            lost.Count == 0 && phantoms.Count == 0 && twice.Count == 0,
            $"lost {lost.Count}, twice {twice.Count}, phantom {phantoms.Count} of {_fates.Count} sent, {Acked} acked");
    }

    private void InterlockedMax(long began)
    {
        long before = Interlocked.Read(ref _lastAckBegan);
        while (began > before)
        {
            long seen = Interlocked.CompareExchange(ref _lastAckBegan, began, before);
            if (seen == before) return;
            before = seen;
        }
    }

    private static async Task<Fate> PostAsync(HttpClient http, string token, string[] ids)
    {
        try
        {
            using var answer = await http.PostAsJsonAsync("/batch/", new
            {
                api_key = token,
                batch = ids.Select(id => new { uuid = id, @event = "load", distinct_id = "someone", properties = new { id } }),
            });
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
}
