namespace Gateway.Core.Ledger;

/// <summary>
/// What became of the events that one project sent in one minute of receipt. An event is in exactly one of the
/// first four.
/// </summary>
public readonly record struct LedgerMinute
{
    /// <summary>Minutes since 1970 UTC.</summary>
    public required int Minute { get; init; }

    /// <summary>Stored in ClickHouse, copies that it recognised as such included.</summary>
    public long Shipped { get; init; }

    /// <summary>Refused by ClickHouse and put aside; also when sent again since, which is accepted anew.</summary>
    public long Quarantined { get; init; }

    /// <summary>Left out since the project was deleted.</summary>
    public long Erased { get; init; }

    /// <summary>Durable in the journal, and on its way.</summary>
    public long Waiting { get; init; }

    /// <summary>Durable once, and unreadable when it was to be shipped. Zero, or the disk is failing.</summary>
    public long Damaged { get; init; }

    /// <summary>Refused at capture beside accepted ones; not among the accepted.</summary>
    public long Refused { get; init; }

    /// <summary>Of the shipped: found to be gone from the store, and sent again.</summary>
    public long Missed { get; init; }

    /// <summary>All that was answered with 200.</summary>
    public long Accepted => Shipped + Quarantined + Erased + Waiting + Damaged;

    internal static int Of(long receivedAtMicros) => (int)(receivedAtMicros / 60_000_000);
}

/// <summary>A project's minute of receipt, in minutes since 1970 UTC.</summary>
internal readonly record struct MinuteKey(ulong ProjectId, int Minute)
{
    public static MinuteKey Of(ulong projectId, long receivedAtMicros) =>
        new(projectId, LedgerMinute.Of(receivedAtMicros));
}
