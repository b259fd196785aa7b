namespace Gateway.Core.Tokens;

/// <summary>What the fence says of a group that closed before it was asked.</summary>
public enum FenceVerdict : byte
{
    /// <summary>Nothing changed since the oldest look-up of the group: write it.</summary>
    Same,

    /// <summary>
    /// Something changed, and the table has caught up: write the records whose entry is still current.
    /// </summary>
    Moved,

    /// <summary>Nobody could be asked: 503 for the whole group.</summary>
    Unavailable,
}

/// <param name="Verdict">What to do with the group.</param>
/// <param name="Epoch">The epoch up to which what is admitted was checked; what is written carries it.</param>
/// <param name="Version">
/// The table's version that this vouches for: look-ups of it, or of a later one, need not be fenced again by who was
/// in the group.
/// </param>
public readonly record struct FenceAnswer(FenceVerdict Verdict, long Epoch, long Version = 0);

/// <summary>
/// Asks whether anything changed since <paramref name="oldestVersion"/> of the table. Must be called after the group
/// closed: that order is the whole guarantee.
/// </summary>
public delegate ValueTask<FenceAnswer> AskFence(long oldestVersion, CancellationToken cancellationToken);
