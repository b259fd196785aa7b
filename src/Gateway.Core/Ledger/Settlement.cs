using System.Runtime.InteropServices;
using Gateway.Core.Journal;

namespace Gateway.Core.Ledger;

/// <summary>
/// What became of a contiguous range of the journal: counts by project and minute, and the rows that are put aside.
/// Made by the shipper and filled again and again; the ledger keeps it in one step.
/// </summary>
public sealed class Settlement
{
    private readonly Dictionary<MinuteKey, Counts> _minutes = [];
    private readonly List<QuarantinedRow> _putAside = [];

    /// <summary>Where the range ends.</summary>
    public JournalPosition Next { get; private set; }

    /// <summary>Of the first record of the range; 0: it has none.</summary>
    public ulong FirstSequence { get; private set; }

    /// <summary>Of the record that follows the range; 0: the range had none.</summary>
    public ulong NextSequence { get; private set; }

    /// <summary>Sequences inside the range that no record has.</summary>
    internal long Gaps { get; private set; }

    internal IReadOnlyDictionary<MinuteKey, Counts> Minutes => _minutes;

    internal IReadOnlyList<QuarantinedRow> PutAside => _putAside;

    public void Start(JournalPosition next)
    {
        _minutes.Clear();
        _putAside.Clear();
        (Next, FirstSequence, NextSequence, Gaps) = (next, 0, 0, 0);
    }

    /// <summary>A record whose events are stored, as far as they are not put aside below.</summary>
    public void Ship(ulong sequence, ulong projectId, long receivedAtMicros, int events, int refused)
    {
        Cover(sequence);
        ref var counts = ref At(MinuteKey.Of(projectId, receivedAtMicros));
        counts.Shipped += events;
        counts.Refused += refused;
    }

    /// <summary>A record of a deleted project.</summary>
    public void Erase(ulong sequence, ulong projectId, long receivedAtMicros, int events, int refused)
    {
        Cover(sequence);
        ref var counts = ref At(MinuteKey.Of(projectId, receivedAtMicros));
        counts.Erased += events;
        counts.Refused += refused;
    }

    /// <summary>A row of a record that was shipped above. An event is no longer among the shipped.</summary>
    public void Quarantine(QuarantinedRow row)
    {
        _putAside.Add(row);
        if (!row.Row.IsEvent) return;

        ref var counts = ref At(MinuteKey.Of(row.Row.ProjectId, row.Row.ReceivedAtMicros));
        counts.Shipped--;
        counts.Quarantined++;
    }

    /// <summary>An event that was shipped by an earlier settlement, and is gone from the store.</summary>
    public void Miss(ulong projectId, long receivedAtMicros) => At(MinuteKey.Of(projectId, receivedAtMicros)).Missed++;

    internal void Damage(MinuteKey key, long events) => At(key).Damaged += events;

    private void Cover(ulong sequence)
    {
        if (FirstSequence == 0) FirstSequence = sequence;
        else Gaps += (long)(sequence - NextSequence);
        NextSequence = sequence + 1;
    }

    private ref Counts At(MinuteKey key) => ref CollectionsMarshal.GetValueRefOrAddDefault(_minutes, key, out _);

    internal struct Counts
    {
        public long Shipped;
        public long Quarantined;
        public long Erased;
        public long Damaged;
        public long Refused;
        public long Missed;

        /// <summary>Events that are no longer on their way.</summary>
        public readonly long Settled => Shipped + Quarantined + Erased + Damaged;
    }
}

/// <summary>A row that is put aside, and why.</summary>
/// <param name="Row">As the journal has it; a refused one or an event.</param>
/// <param name="Code">Of a refusal at capture its code; else ClickHouse's, as <c>clickhouse_469</c>.</param>
/// <param name="Reason">For people.</param>
public sealed record QuarantinedRow(JournalRow Row, string Code, string Reason);
