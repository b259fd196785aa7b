using System.Runtime.CompilerServices;

namespace Gateway.Core.Tokens;

/// <summary>
/// One project token as capture needs it. Immutable but for <see cref="IsCurrent"/>: a change of the token or of
/// its project's settings ends this entry, and a later look-up finds another one or none.
/// </summary>
public sealed class TokenEntry
{
    // Here, and not in an array of its own: a look-up waits for memory, and each object is one more wait.
    private readonly TokenBytes _token;
    private readonly byte _tokenLength;
    private volatile bool _ended;

    public TokenEntry(
        long tokenId, ulong projectId, ReadOnlySpan<byte> token, bool imported = false, CaptureRules? rules = null)
    {
        (TokenId, ProjectId, IsImported) = (tokenId, projectId, imported);
        Rules = rules ?? CaptureRules.None;
        Meter = rules is { Quota.IsNone: false } ? new QuotaMeter(rules.Quota) : null;
        token.CopyTo(_token);
        _tokenLength = (byte)token.Length;
    }

    /// <summary>The row of the control database; never used for another token.</summary>
    public long TokenId { get; }

    public ulong ProjectId { get; }

    /// <summary>Given by the user, so without our MAC: only the table tells it from garbage.</summary>
    public bool IsImported { get; }

    /// <summary>What the project's settings say of its capture.</summary>
    public CaptureRules Rules { get; }

    /// <summary>
    /// What is left of the project's quota; null when it has none. It begins anew, full, with the entry: a change of
    /// the project's settings gives it one burst.
    /// </summary>
    public QuotaMeter? Meter { get; }

    /// <summary>The token's text, ASCII. Never logged.</summary>
    public ReadOnlySpan<byte> Token => ((ReadOnlySpan<byte>)_token)[.._tokenLength];

    /// <summary>False from the moment at which the change that ended this entry was applied to the table.</summary>
    public bool IsCurrent => !_ended;

    /// <summary>Called by the table alone, before it publishes the epoch of the change.</summary>
    internal void End() => _ended = true;

    [InlineArray(TokenFormat.MaxTokenBytes)]
    private struct TokenBytes
    {
        private byte _first;
    }
}
