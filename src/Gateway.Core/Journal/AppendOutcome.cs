namespace Gateway.Core.Journal;

/// <summary>What became of an append, or of a refusal that waited for the fence.</summary>
public enum AppendOutcome : byte
{
    /// <summary>Durable. Of a refusal: nothing changed since its look-up, so it stands.</summary>
    Kept,

    /// <summary>The token's entry ended, or something changed under a refusal: start again from the look-up.</summary>
    Stale,

    /// <summary>Nobody could be asked whether the token still lives.</summary>
    Unfenced,

    /// <summary>Too little of the disk is free.</summary>
    DiskFull,

    /// <summary>The journal holds as many unshipped bytes as it may.</summary>
    QuotaReached,

    /// <summary>The write or its sync failed. The record may or may not be found again after a restart.</summary>
    WriteFailed,

    /// <summary>The journal was closed before the append.</summary>
    Closed,
}

/// <param name="Outcome">What became of it.</param>
/// <param name="Epoch">The epoch of the fence that was asked; 0 when none was.</param>
/// <param name="Version">
/// What that fence vouches for: a refusal that rests on a look-up of this version of the table, or of a later one, can
/// be given without another fence.
/// </param>
public readonly record struct AppendResult(AppendOutcome Outcome, long Epoch, long Version);
