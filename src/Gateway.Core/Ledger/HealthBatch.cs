using System.Runtime.InteropServices;

namespace Gateway.Core.Ledger;

/// <summary>What is to be added to the history of projects, by project and minute. Used by one at a time.</summary>
internal sealed class HealthBatch
{
    /// <summary>As much as is held while the history cannot be written; what comes then is not counted.</summary>
    public const int MaxMinutes = 1 << 17;

    private readonly Dictionary<MinuteKey, Delta> _deltas = [];

    public IReadOnlyCollection<MinuteKey> Minutes => _deltas.Keys;

    public Delta this[MinuteKey key] => _deltas[key];

    public void Refuse(MinuteKey key, string code, long requests)
    {
        if (Find(key) is not { } delta) return;
        CollectionsMarshal.GetValueRefOrAddDefault(delta.Refused, code, out _) += requests;
    }

    /// <summary>The last one of a minute holds.</summary>
    public void Wait(MinuteKey key, long events)
    {
        if (Find(key) is { } delta) delta.Waiting = events;
    }

    public void Show(MinuteKey key, int[] steps)
    {
        if (Find(key) is not { } delta) return;
        if (delta.Steps is not { } known)
        {
            delta.Steps = steps;
            return;
        }

        for (int i = 0; i < known.Length; i++) known[i] += steps[i];
    }

    public void Remove(IEnumerable<MinuteKey> keys)
    {
        foreach (var key in keys) _deltas.Remove(key);
    }

    private Delta? Find(MinuteKey key)
    {
        if (_deltas.TryGetValue(key, out var delta)) return delta;
        return _deltas.Count < MaxMinutes ? _deltas[key] = new Delta() : null;
    }

    internal sealed class Delta
    {
        /// <summary>Null: it was not looked.</summary>
        public long? Waiting { get; set; }

        /// <summary>Events by how long they took, see <see cref="Freshness"/>; null: none came.</summary>
        public int[]? Steps { get; set; }

        public Dictionary<string, long> Refused { get; } = [];
    }
}
