namespace Gateway.Core.Journal;

/// <summary>The journal at one moment, for readiness and metrics.</summary>
public readonly record struct JournalStatus
{
    /// <summary><see cref="AppendOutcome.Kept"/> while appends are taken, else what they are answered with.</summary>
    public required AppendOutcome State { get; init; }

    public bool IsAccepting => State == AppendOutcome.Kept;

    /// <summary>Bytes of durable records that are not shipped yet.</summary>
    public required long BytesWaiting { get; init; }

    public required int Segments { get; init; }

    /// <summary>When the oldest waiting record was received, in microseconds since 1970; null without one.</summary>
    public required long? OldestWaitingMicros { get; init; }

    public required JournalCounters Counters { get; init; }
}

/// <summary>Totals since the journal was opened.</summary>
public readonly record struct JournalCounters
{
    public required long Records { get; init; }

    /// <summary>Bytes made durable, headers included.</summary>
    public required long Bytes { get; init; }

    /// <summary>Groups made durable, each by one sync.</summary>
    public required long Groups { get; init; }

    public required long FailedGroups { get; init; }

    /// <summary>Records that recovery or the reader found damaged, as far as sequences tell.</summary>
    public required long LostRecords { get; init; }
}
