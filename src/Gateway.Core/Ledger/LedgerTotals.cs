namespace Gateway.Core.Ledger;

/// <summary>Sums over all projects since the start of this process; see <see cref="LedgerMinute"/>.</summary>
public record struct LedgerTotals
{
    /// <summary>Counted by the journal; what was found waiting at the start included.</summary>
    public long Accepted { get; internal set; }

    public long Shipped { get; internal set; }

    public long Quarantined { get; internal set; }

    public long Erased { get; internal set; }

    /// <summary>Now.</summary>
    public long Waiting { get; internal set; }

    public long Damaged { get; internal set; }

    public long Refused { get; internal set; }

    public long Missed { get; internal set; }

    /// <summary>Records that a sequence was given to and that could not be read; since the journal began.</summary>
    public long LostRecords { get; internal set; }

    internal void Add(in Settlement.Counts counts)
    {
        Shipped += counts.Shipped;
        Quarantined += counts.Quarantined;
        Erased += counts.Erased;
        Damaged += counts.Damaged;
        Refused += counts.Refused;
        Missed += counts.Missed;
    }
}
