namespace Gateway.Core.Tokens;

/// <summary>
/// The control database as the token table needs it. Every answer is one snapshot: the rows and the stamp at which
/// they are true. A failure of the world is a <see cref="TokenStoreException"/>.
/// </summary>
public interface ITokenStore
{
    /// <summary>The stamp now.</summary>
    ValueTask<EpochStamp> ReadEpochAsync(CancellationToken cancellationToken);

    /// <summary>One token by its text; <see cref="TokenReading.Row"/> is null when there is no live one.</summary>
    ValueTask<TokenReading> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken);

    /// <summary>The tokens touched by every change after the stamp given, as they are now.</summary>
    ValueTask<TokenChanges> ReadChangesAsync(EpochStamp after, CancellationToken cancellationToken);

    /// <summary>All live imported tokens, and the end of the log.</summary>
    ValueTask<TokenChanges> ReadImportedAsync(CancellationToken cancellationToken);
}

/// <summary>A project token as the database has it.</summary>
public sealed record TokenRow(
    long Id, ulong ProjectId, byte[] Token, bool IsImported, bool IsLive, CaptureRules? Rules = null)
{
    internal TokenEntry ToEntry() => new(Id, ProjectId, Token, IsImported, Rules);

    /// <summary>Without the token: a row may end up in a message.</summary>
    public override string ToString() => $"token {Id} of project {ProjectId}";
}

/// <param name="Row">The live token, or null.</param>
/// <param name="Stamp">The stamp at which this is true.</param>
public readonly record struct TokenReading(TokenRow? Row, EpochStamp Stamp);

/// <summary>One line of the change log.</summary>
/// <param name="Stamp">The change.</param>
/// <param name="TokenId">The token that it touched, if any.</param>
public readonly record struct LoggedChange(EpochStamp Stamp, long? TokenId);

/// <param name="Rows">What was touched; a token may be there more than once.</param>
/// <param name="Stamp">The stamp at which the rows are true.</param>
/// <param name="Log">The changes up to that stamp, in order: those asked for, or the last of all.</param>
/// <param name="HasGap">
/// The log does not lead from the stamp that was asked for to this one: its tail was cut off, or the database was put
/// back to an older copy. Read everything anew.
/// </param>
public sealed record TokenChanges(
    IReadOnlyList<TokenRow> Rows, EpochStamp Stamp, IReadOnlyList<LoggedChange> Log, bool HasGap);

/// <summary>The control database or the fence's authority did not answer, or its answer cannot be used.</summary>
public class TokenStoreException(string message, Exception? cause = null) : Exception(message, cause);
