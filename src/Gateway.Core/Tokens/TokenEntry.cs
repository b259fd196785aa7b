namespace Gateway.Core.Tokens;

/// <summary>
/// One project token as capture needs it. Immutable but for <see cref="IsCurrent"/>: a change of the token or of
/// its project's settings ends this entry, and a later look-up finds another one or none.
/// </summary>
public sealed class TokenEntry(
    long tokenId, ulong projectId, byte[] token, bool imported = false, CaptureRules? rules = null)
{
    private volatile bool _ended;

    /// <summary>The row of the control database; never used for another token.</summary>
    public long TokenId { get; } = tokenId;

    public ulong ProjectId { get; } = projectId;

    /// <summary>Given by the user, so without our MAC: only the table tells it from garbage.</summary>
    public bool IsImported { get; } = imported;

    /// <summary>What the project's settings say of its capture.</summary>
    public CaptureRules Rules { get; } = rules ?? CaptureRules.None;

    /// <summary>
    /// What is left of the project's quota; null when it has none. It begins anew, full, with the entry: a change of
    /// the project's settings gives it one burst.
    /// </summary>
    public QuotaMeter? Meter { get; } = rules is { Quota.IsNone: false } ? new QuotaMeter(rules.Quota) : null;

    /// <summary>The token's text, ASCII. Never logged.</summary>
    public ReadOnlySpan<byte> Token => token;

    /// <summary>False from the moment at which the change that ended this entry was applied to the table.</summary>
    public bool IsCurrent => !_ended;

    /// <summary>Called by the table alone, before it publishes the epoch of the change.</summary>
    internal void End() => _ended = true;
}
