namespace Gateway.Core.Shipping;

/// <summary>How the shipper cuts blocks and how patient it is.</summary>
public sealed record ShipperOptions
{
    /// <summary>Journal bytes in one block. The block itself is about as large again: this bounds the memory.</summary>
    public int BlockBytes { get; init; } = 24 * 1024 * 1024;

    /// <summary>
    /// From one insert's start to the next one's, unless a whole block waits. Each insert makes a part that must be
    /// merged later: two a second is what an idle disk does not notice, and nobody sees half a second.
    /// </summary>
    public TimeSpan Pace { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>
    /// From one count of what was shipped to the next, unless as much as <see cref="UncheckedBytes"/> waits for it. The
    /// journal forgets nothing before it was counted.
    /// </summary>
    public TimeSpan CheckEvery { get; init; } = TimeSpan.FromSeconds(2);

    /// <summary>Shipped bytes of the journal that are counted at once, however recent the last count is.</summary>
    public long UncheckedBytes { get; init; } = 64 << 20;

    /// <summary>How often events must be found to be gone before it is believed: a replica may lag.</summary>
    public int LooksBeforeLoss { get; init; } = 3;

    /// <summary>For how long they must be gone, besides.</summary>
    public TimeSpan LossAfter { get; init; } = TimeSpan.FromSeconds(10);

    public TimeSpan FirstRetry { get; init; } = TimeSpan.FromMilliseconds(200);

    /// <summary>The longest pause between two tries; they never end.</summary>
    public TimeSpan LongestRetry { get; init; } = TimeSpan.FromSeconds(15);

    /// <summary>How many failed tries at start are not told: the embedded engine starts along with us.</summary>
    public int QuietTriesAtStart { get; init; } = 5;

    /// <summary>
    /// How often a block must fail, by whatever it may be, while the server answers for its table, before it is cut in
    /// halves; and a lone row, before it is suspected.
    /// </summary>
    public int TriesBeforeCut { get; init; } = 5;

    /// <summary>
    /// How many refusals there may be before one of the rows must have been accepted, or else a row of ours.
    /// </summary>
    public int RefusalsBeforeDoubt { get; init; } = 256;
}
