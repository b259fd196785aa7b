namespace Gateway.Core.Tokens;

/// <summary>What is known of a token that a client sent.</summary>
public enum TokenState : byte
{
    /// <summary>The live token of a project.</summary>
    Live,

    /// <summary>Not a token of this installation, or not any more: one answer for both.</summary>
    Unknown,

    /// <summary>It has our shape but not our MAC: a typo, or garbage. Told without any look-up.</summary>
    Mistyped,

    /// <summary>Nobody could be asked: 503.</summary>
    Unavailable,
}

/// <param name="State">What is known of it.</param>
/// <param name="Entry">The project it stands for; set when it is live.</param>
/// <param name="Version">
/// The table's version, read before the look-up: a fence that finds nothing newer in force vouches for the answer.
/// </param>
public readonly record struct TokenLookup(TokenState State, TokenEntry? Entry, long Version);
