namespace Gateway.Core.Tokens;

/// <summary>
/// The control database as the token table needs it. Every answer is one snapshot: the rows and the epoch at which
/// they are true. A failure of the world is a <see cref="TokenStoreException"/>.
/// </summary>
public interface ITokenStore
{
    /// <summary>The epoch now.</summary>
    ValueTask<long> ReadEpochAsync(CancellationToken cancellationToken);

    /// <summary>One token by its text; <see cref="TokenReading.Row"/> is null when there is no live one.</summary>
    ValueTask<TokenReading> FindAsync(ReadOnlyMemory<byte> token, CancellationToken cancellationToken);

    /// <summary>The tokens touched by every change after the epoch given, as they are now.</summary>
    ValueTask<TokenChanges> ReadChangesAsync(long afterEpoch, CancellationToken cancellationToken);

    /// <summary>All live imported tokens.</summary>
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
/// <param name="Epoch">The epoch at which this is true.</param>
public readonly record struct TokenReading(TokenRow? Row, long Epoch);

/// <param name="Rows">What was touched; a token may be there more than once.</param>
/// <param name="Epoch">The epoch at which the rows are true.</param>
/// <param name="HasGap">The log no longer holds every change that was asked for: read everything anew.</param>
public sealed record TokenChanges(IReadOnlyList<TokenRow> Rows, long Epoch, bool HasGap);

/// <summary>The control database or the fence's authority did not answer, or its answer cannot be used.</summary>
public sealed class TokenStoreException(string message, Exception? cause = null) : Exception(message, cause);
