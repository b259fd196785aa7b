using Microsoft.Extensions.Logging;

namespace Gateway.Core.Ledger;

/// <summary>Which of these texts are tokens that were revoked, and of which project that is still there.</summary>
/// <returns>By token; null: nobody can be asked now.</returns>
public delegate ValueTask<IReadOnlyDictionary<string, ulong>?> FindRevokedTokens(
    IReadOnlyCollection<string> tokens, CancellationToken cancellationToken);

/// <summary>
/// Writes down each minute how every project fares: what waits, how fresh its events are, what was refused. Capture
/// knows no project of a token that it refuses as unknown; here one question for all of them tells which are old tokens
/// of a project. Until that is answered they are held back, and no count is lost; nobody else waits for it.
/// </summary>
public sealed class HealthRecorder : IDisposable
{
    /// <summary>Refused requests for a token that a project had once.</summary>
    public const string RevokedToken = "revoked_token";

    /// <summary>Tokens that are held back while nobody can be asked; those beyond count as unknown.</summary>
    internal const int MaxTokens = 8192;

    private static readonly string UnknownToken = RejectionCode.Of(RejectionReason.UnknownToken);
    private static readonly TimeSpan FoldAtMostEvery = TimeSpan.FromSeconds(1);

    // So that the last look of a minute is at its end.
    private static readonly TimeSpan BeforeItsEnd = TimeSpan.FromSeconds(1);

    private readonly HealthHistory _history;
    private readonly IReadOnlyList<EventLedger> _ledgers;
    private readonly Freshness _freshness;
    private readonly Refusals _refusals;
    private readonly FindRevokedTokens _findRevoked;
    private readonly TimeProvider _time;
    private readonly ILogger _log;
    private readonly SemaphoreSlim _folding = new(1);
    private readonly HealthBatch _batch = new();
    private readonly Dictionary<(int Minute, string Token), long> _unknown = [];
    private (int Minute, IReadOnlyCollection<ulong> Projects) _waited = (0, []);
    private long? _foldedAt;
    private bool _isFailing;

    /// <param name="history">Where it is kept.</param>
    /// <param name="ledgers">Of all journals that are shipped from here.</param>
    /// <param name="freshness">Of the events that are.</param>
    /// <param name="refusals">Of capture.</param>
    /// <param name="findRevoked">Asks the database.</param>
    /// <param name="time">The clock.</param>
    /// <param name="log">Failures.</param>
    public HealthRecorder(
        HealthHistory history,
        IReadOnlyList<EventLedger> ledgers,
        Freshness freshness,
        Refusals refusals,
        FindRevokedTokens findRevoked,
        TimeProvider time,
        ILogger log)
    {
        (_history, _ledgers, _freshness, _refusals) = (history, ledgers, freshness, refusals);
        (_findRevoked, _time, _log) = (findRevoked, time, log);
    }

    /// <summary>Until it is cancelled, and once more then.</summary>
    public async Task RunAsync(CancellationToken cancellationToken)
    {
        while (!cancellationToken.IsCancellationRequested)
        {
            var wait = Task.Delay(UntilNext(), _time, cancellationToken);
            await wait.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await FoldAsync(CancellationToken.None);
        }
    }

    /// <summary>For who reads: what was counted is in the history then, but for the last second.</summary>
    public async Task FoldIfDueAsync(CancellationToken cancellationToken)
    {
        await _folding.WaitAsync(cancellationToken);
        try
        {
            if (_foldedAt is { } at && _time.GetElapsedTime(at) < FoldAtMostEvery) return;
            await FoldAloneAsync(cancellationToken);
        }
        finally
        {
            _folding.Release();
        }
    }

    public void Dispose() => _folding.Dispose();

    internal async Task FoldAsync(CancellationToken cancellationToken)
    {
        await _folding.WaitAsync(cancellationToken);
        try
        {
            await FoldAloneAsync(cancellationToken);
        }
        finally
        {
            _folding.Release();
        }
    }

    /// <summary>Whatever fails, what was gathered stays here until the next time.</summary>
    private async Task FoldAloneAsync(CancellationToken cancellationToken)
    {
        GatherRefusals();
        GatherFreshness();
        GatherWaiting();
        await AttributeAsync(cancellationToken);
        try
        {
            _history.Add(_batch);
            _isFailing = false;
        }
        catch (LedgerException exception)
        {
            if (!_isFailing) LedgerLog.HealthNotKept(_log, exception);
            _isFailing = true;
        }

        _foldedAt = _time.GetTimestamp();
    }

    private void GatherRefusals()
    {
        var (counts, tokens) = _refusals.Take();
        foreach (var ((minute, reason), requests) in counts)
            _batch.Refuse(minute, RejectionCode.Of(reason), requests);

        foreach (var (minute, found) in tokens)
        {
            foreach (var (token, requests) in found) HoldBack((minute, token), requests);
        }
    }

    private void HoldBack((int Minute, string Token) key, long requests)
    {
        if (_unknown.TryGetValue(key, out long known)) _unknown[key] = known + requests;
        else if (_unknown.Count < MaxTokens) _unknown[key] = requests;
        else _batch.Refuse(new MinuteKey(Refusals.NoProject, key.Minute), UnknownToken, requests);
    }

    private void GatherFreshness()
    {
        foreach (var (minute, projects) in _freshness.TakeMinutes())
        {
            foreach (var (project, steps) in projects) _batch.Show(new MinuteKey(project, minute), steps);
        }
    }

    private void GatherWaiting()
    {
        int minute = LedgerMinute.Of(_time.GetUtcNow().ToUnixMicroseconds());
        var waiting = new Dictionary<ulong, long>();
        foreach (var ledger in _ledgers) ledger.AddWaiting(waiting);
        foreach (var (project, events) in waiting) _batch.Wait(new MinuteKey(project, minute), events);

        // Where something waited when it was looked before in this minute, the last look counts.
        if (_waited.Minute == minute)
        {
            foreach (ulong project in _waited.Projects.Except(waiting.Keys))
                _batch.Wait(new MinuteKey(project, minute), 0);
        }

        _waited = (minute, waiting.Keys);
    }

    private async ValueTask AttributeAsync(CancellationToken cancellationToken)
    {
        if (_unknown.Count == 0) return;

        var tokens = _unknown.Keys.Select(key => key.Token).ToHashSet();
        if (await _findRevoked(tokens, cancellationToken) is not { } revoked) return;

        foreach (var ((minute, token), requests) in _unknown)
        {
            if (revoked.TryGetValue(token, out ulong project))
                _batch.Refuse(new MinuteKey(project, minute), RevokedToken, requests);
            else _batch.Refuse(new MinuteKey(Refusals.NoProject, minute), UnknownToken, requests);
        }

        _unknown.Clear();
    }

    private TimeSpan UntilNext()
    {
        var now = _time.GetUtcNow();
        var inMinute = TimeSpan.FromTicks(now.Ticks % TimeSpan.TicksPerMinute);
        var wait = TimeSpan.FromMinutes(1) - BeforeItsEnd - inMinute;
        return wait > TimeSpan.Zero ? wait : wait + TimeSpan.FromMinutes(1);
    }
}
