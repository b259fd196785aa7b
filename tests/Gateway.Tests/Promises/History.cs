using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// What clients saw of requests and of tokens that were regenerated, held against what is stored and against what was
/// promised. Times are of one clock that never goes back. Any number of clients may write at once.
/// </summary>
internal sealed class History
{
    private readonly Lock _lock = new();
    private readonly List<Request> _requests = [];
    private readonly List<Change> _changes = [];

    /// <summary>Changes that succeeded.</summary>
    public int Regenerations
    {
        get { lock (_lock) return _changes.Count(change => change is { Old: not null, Fresh: not null }); }
    }

    public long Acked
    {
        get { lock (_lock) return _requests.LongCount(request => request.Fate == Fate.Acked); }
    }

    /// <summary>A request with one event came to its end.</summary>
    public void Sent(string token, int gateway, Guid uuid, long began, long ended, Fate fate)
    {
        lock (_lock) _requests.Add(new Request(token, gateway, uuid, began, ended, fate));
    }

    /// <summary>A project was created with a token.</summary>
    public void Created(string project, string token, long began, long returned) =>
        Add(new Change(project, null, token, began, returned));

    /// <summary>Regenerate returned success.</summary>
    public void Regenerated(string project, string old, string fresh, long began, long returned) =>
        Add(new Change(project, old, fresh, began, returned));

    /// <summary>Nobody knows what became of a regenerate; after that time nothing more does.</summary>
    public void MayHaveRegenerated(string project, string old, long began, long settled) =>
        Add(new Change(project, old, null, began, settled));

    /// <summary>A token that a project was seen to have, which no regenerate returned: it is not known to hold.</summary>
    public void Learned(string project, string token, long at) => Add(new Change(project, null, token, at, at, false));

    /// <param name="stored">The id of every event that is stored, once for each time it is.</param>
    public Findings Check(IEnumerable<Guid> stored)
    {
        lock (_lock)
        {
            var rows = new Dictionary<Guid, int>();
            foreach (var uuid in stored) rows[uuid] = rows.GetValueOrDefault(uuid) + 1;

            var lives = Lives();
            var findings = new Findings();
            var sent = new HashSet<Guid>(_requests.Count);
            foreach (var request in _requests)
            {
                sent.Add(request.Uuid);
                int count = rows.GetValueOrDefault(request.Uuid);
                Judge(request, lives.GetValueOrDefault(request.Token, Life.Unknown), count, findings);
            }

            foreach (var (uuid, _) in rows)
            {
                if (!sent.Contains(uuid)) findings.Phantoms.Add($"{uuid} is stored and was never sent");
            }

            return findings;
        }
    }

    private static void Judge(Request request, Life life, int stored, Findings findings)
    {
        if (request.Began > life.DeadSince && (request.Fate == Fate.Acked || stored > 0))
            findings.Violations.Add($"{request}, {stored} times stored; its token is dead since {life.DeadSince}");

        if (request.Fate == Fate.Refused && request.Began > life.HoldsFrom && request.Ended < life.HoldsUntil)
        {
            findings.RefusedWrongly.Add(
                $"{request}; its token holds from {life.HoldsFrom} until {life.HoldsUntil} at least");
        }

        if (request.Fate == Fate.Acked && stored == 0) findings.Lost.Add($"{request}");
        if (stored > 1) findings.Doubles.Add($"{request}, {stored} times stored");
        if (request.Fate == Fate.Refused && stored > 0) findings.Phantoms.Add($"{request}");
    }

    /// <summary>What is known of each token, from the changes of its project.</summary>
    private Dictionary<string, Life> Lives()
    {
        var lives = new Dictionary<string, Life>();
        foreach (var changes in _changes.GroupBy(change => change.Project).Select(project => project.ToArray()))
        {
            foreach (var giver in changes.Where(change => change.Fresh is not null))
                lives[giver.Fresh!] = LifeOf(giver, changes);
        }

        return lives;
    }

    private static Life LifeOf(Change giver, Change[] changes)
    {
        long deadSince = long.MaxValue;
        long holdsUntil = long.MaxValue;
        foreach (var change in changes)
        {
            if (change.Old is null || change == giver) continue;

            // Of two at once nobody knows which came first.
            bool isLater = change.Began >= giver.Ended || change.Old == giver.Fresh;
            if (isLater && change.Fresh is not null) deadSince = Math.Min(deadSince, change.Ended);
            if (change.Ended > giver.Began) holdsUntil = Math.Min(holdsUntil, change.Began);
        }

        return new Life(giver.Holds ? giver.Ended : long.MaxValue, holdsUntil, deadSince);
    }

    private void Add(Change change)
    {
        lock (_lock) _changes.Add(change);
    }

    private readonly record struct Request(
        string Token, int Gateway, Guid Uuid, long Began, long Ended, Fate Fate);

    /// <param name="Project">Whose token changed.</param>
    /// <param name="Old">Null for the first.</param>
    /// <param name="Fresh">Null when it is not known.</param>
    /// <param name="Began">When it was asked for.</param>
    /// <param name="Ended">When it was over at the latest.</param>
    /// <param name="Holds">Whether success was returned, so that every gateway must take the fresh one.</param>
    private sealed record Change(
        string Project, string? Old, string? Fresh, long Began, long Ended, bool Holds = true);

    /// <param name="HoldsFrom">What begins later must not be refused,</param>
    /// <param name="HoldsUntil">if it ends before this.</param>
    /// <param name="DeadSince">What begins later must neither be acked nor stored.</param>
    private readonly record struct Life(long HoldsFrom, long HoldsUntil, long DeadSince)
    {
        public static Life Unknown => new(long.MaxValue, long.MaxValue, long.MaxValue);
    }
}

/// <summary>What was not as promised; each with what there is to say about it.</summary>
internal sealed class Findings
{
    private const int Shown = 5;

    /// <summary>Acked or stored, although the request began after its token was dead.</summary>
    public List<string> Violations { get; } = [];

    /// <summary>Refused, although the token held from before the request until after its answer.</summary>
    public List<string> RefusedWrongly { get; } = [];

    /// <summary>Acked and not stored.</summary>
    public List<string> Lost { get; } = [];

    /// <summary>Stored more than once.</summary>
    public List<string> Doubles { get; } = [];

    /// <summary>Refused and stored, or stored and never sent.</summary>
    public List<string> Phantoms { get; } = [];

    public bool AreNone =>
        Violations.Count + RefusedWrongly.Count + Lost.Count + Doubles.Count + Phantoms.Count == 0;

    public override string ToString() => string.Join('\n', new Dictionary<string, List<string>>
    {
        ["violations"] = Violations,
        ["refused wrongly"] = RefusedWrongly,
        ["lost"] = Lost,
        ["double"] = Doubles,
        ["phantom"] = Phantoms,
    }.Select(kind => string.Join("\n    ", [$"{kind.Key}: {kind.Value.Count}", .. kind.Value.Take(Shown)])));
}
