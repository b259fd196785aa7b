namespace Gateway.Core.Ledger;

/// <summary>How much the books keep.</summary>
public sealed record LedgerOptions
{
    /// <summary>How long minutes are kept.</summary>
    public TimeSpan Keep { get; init; } = TimeSpan.FromDays(7);

    /// <summary>Bytes of rows that are put aside.</summary>
    public long QuarantineBytes { get; init; } = 256 << 20;
}
