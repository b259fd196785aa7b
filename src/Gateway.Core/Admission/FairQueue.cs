using System.Diagnostics;

namespace Gateway.Core.Admission;

/// <summary>
/// Requests that wait, served by deficit round robin between projects (Shreedhar and Varghese, 1995). Projects stand in
/// line. Whose turn it is, is served while its oldest request costs no more bytes than the project has; then it is
/// given a quantum and goes to the end. What it has is kept while something of it waits, and lost when nothing does;
/// what it had too much it makes up for first.
/// So over time all have the same bytes, whatever the others have waiting.
/// </summary>
/// <remarks>
/// A round among many projects with large requests is long, and who sends little should not wait for it. So newcomers,
/// of whom nothing waited, have a line of their own with a quantum to begin with, and it goes first (as in fq_codel,
/// RFC 8290). Who needs no more than that is served almost at once. To come anew is no way around the others: a
/// newcomer that was served stands in the long line until its turn there has passed, and goes first once more only
/// with what is left of its quantum; and newcomers together have no more bytes than the others. One thread at a time.
/// </remarks>
/// <param name="quantum">Bytes a turn. A request of a newcomer that costs no more is served on its first turn.</param>
/// <param name="maxItems">All that may wait.</param>
/// <param name="maxItemsOfOne">What may wait of one project.</param>
internal sealed class FairQueue(long quantum, int maxItems, int maxItemsOfOne)
{
    private const int MaxPooledFlows = 1024;

    // What newcomers may make up for at once of what the others had: a request or two, and not a day's.
    private const int MostQuantaBehind = 16;

    private readonly Dictionary<ulong, FairFlow> _flows = [];
    private readonly Stack<FairFlow> _pool = [];
    private readonly FairLine _newcomers = new();
    private readonly FairLine _others = new();

    // Bytes that newcomers had more than the others; below zero: fewer.
    private long _ahead;

    /// <summary>Requests that wait.</summary>
    public int Count { get; private set; }

    /// <summary>Projects in line, also those that have nothing to serve any more.</summary>
    public int Projects => _flows.Count;

    /// <summary>False when as many wait as may; then nothing was changed.</summary>
    public bool TryAdd(FairItem item)
    {
        Debug.Assert(item.Flow is null && item.Cost > 0, "It waits already, or costs nothing.");
        if (Count >= maxItems) return false;

        bool isKnown = _flows.TryGetValue(item.Key, out var flow);
        if (isKnown && flow!.Count >= maxItemsOfOne) return false;

        if (!isKnown) flow = Join(item.Key);
        else if (flow!.Count == 0 && item.Cost <= flow.Deficit) Welcome(flow);

        flow!.Add(item);
        Count++;
        return true;
    }

    /// <summary>The next one to serve; null when nobody waits.</summary>
    public FairItem? Take()
    {
        int turns = 0;
        while (Count > 0)
        {
            bool isNew = _newcomers.Count > 0 && (_ahead <= 0 || _others.Count == 0);
            var flow = (isNew ? _newcomers : _others).First!;
            if (flow.First is null && flow.Deficit >= 0)
            {
                Leave(flow);
            }
            else if (flow.First is { } first && first.Cost <= flow.Deficit)
            {
                return Serve(flow, first, isNew);
            }
            else
            {
                flow.Deficit += quantum;
                flow.IsNew = false;
                Move(flow, _others);
                if (isNew || ++turns < _others.Count) continue;

                SkipRounds();
                turns = 0;
            }
        }

        return null;
    }

    /// <summary>Takes one out that waits no longer.</summary>
    public void Remove(FairItem item)
    {
        var flow = item.Flow!;
        flow.Remove(item);
        Count--;
        if (flow.Count == 0) Retire(flow, isNew: flow.Line == _newcomers);
    }

    /// <summary>
    /// Charges a project for what one of its requests cost more than it seemed to. Also one of which nothing waits
    /// stands in line until that is paid; it is forgiven when nobody waits, or when too many stand there already.
    /// </summary>
    public void Charge(ulong key, long bytes)
    {
        if (Count == 0) return;
        if (!_flows.TryGetValue(key, out var flow))
        {
            if (_flows.Count > maxItems) return;

            flow = Join(key);
            flow.IsNew = false;
            Move(flow, _others);
        }

        flow.Deficit -= bytes;
        if (flow.IsNew && _others.Count > 0) _ahead += bytes;
    }

    private FairItem Serve(FairFlow flow, FairItem first, bool isNew)
    {
        flow.Deficit -= first.Cost;
        flow.Remove(first);
        Count--;
        if (!isNew) _ahead = Behind(first.Cost);
        else _ahead = _others.Count > 0 ? _ahead + first.Cost : 0;
        if (flow.Count == 0) Retire(flow, isNew);
        return first;
    }

    /// <summary>After one of the others was served: all of it may be made up for, however large it was.</summary>
    private long Behind(long cost)
    {
        long least = Math.Min(_ahead, -Math.Max(MostQuantaBehind * quantum, cost));
        return Math.Max(least, _ahead - cost);
    }

    /// <summary>
    /// Nothing of it waits any more. A newcomer stands among the others until its turn has passed, and who had too much
    /// until that is paid, unless too many do: then it may come anew. When nobody waits at all, nobody was ahead of
    /// anybody.
    /// </summary>
    private void Retire(FairFlow flow, bool isNew)
    {
        if ((isNew || flow.Deficit < 0) && _flows.Count <= maxItems) Move(flow, _others);
        else Leave(flow);
        if (Count > 0) return;

        while (_others.First is { } idle) Leave(idle);
        _ahead = 0;
    }

    /// <summary>
    /// Nobody had enough in a whole round: gives all what they would have in the rounds that nobody would be served
    /// in, so that large requests cost no more turns than small ones.
    /// </summary>
    private void SkipRounds()
    {
        long rounds = long.MaxValue;
        for (var flow = _others.First; flow is not null; flow = flow.Next)
        {
            long missing = (flow.First?.Cost ?? 0) - flow.Deficit;
            rounds = Math.Min(rounds, missing <= 0 ? 0 : (missing - 1) / quantum);
        }

        for (var flow = _others.First; flow is not null && rounds > 0; flow = flow.Next)
            flow.Deficit += rounds * quantum;
    }

    private FairFlow Join(ulong key)
    {
        if (!_pool.TryPop(out var flow)) flow = new FairFlow();

        (flow.Key, flow.Deficit) = (key, quantum);
        flow.IsNew = true;
        _flows.Add(key, flow);
        _newcomers.Add(flow);
        return flow;
    }

    private void Welcome(FairFlow flow)
    {
        flow.IsNew = true;
        Move(flow, _newcomers);
    }

    /// <summary>To the end of a line, perhaps its own.</summary>
    private static void Move(FairFlow flow, FairLine line)
    {
        flow.Line!.Remove(flow);
        line.Add(flow);
    }

    private void Leave(FairFlow flow)
    {
        flow.Line!.Remove(flow);
        _flows.Remove(flow.Key);
        if (_pool.Count < MaxPooledFlows) _pool.Push(flow);
    }
}
