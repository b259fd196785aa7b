using Gateway.Core;

namespace Gateway.Capture;

/// <summary>
/// The answers to what is not let in: a token that opens nothing, or not from there, or not so often, and too much at
/// once. Unknown and revoked are told apart by nobody.
/// </summary>
internal static class TokenRejections
{
    public static readonly Rejection Unknown = new(
        RejectionReason.UnknownToken,
        "This project token does not exist or was revoked. Copy the current one from the project's settings.",
        "api_key");

    public static readonly Rejection ForeignOrigin = new(
        RejectionReason.OriginNotAllowed,
        "The project takes events only from pages of the origins in its settings, and this one is not among them.",
        "Origin");

    /// <summary>Which limit it was is told with the answer.</summary>
    public static readonly Rejection OverQuota = new(
        RejectionReason.RateLimited, "The project has used up its quota. Nothing was kept.");

    public static readonly Rejection TooManyBytes = new(
        RejectionReason.Overloaded, "The gateway holds as many bytes as it may. Send this again.");

    public static readonly Rejection TooManyWaiting = new(
        RejectionReason.Overloaded, "As many requests wait here as may. Send this again.");

    public static readonly Rejection Mistyped = new(
        RejectionReason.MistypedToken,
        "This project token is mistyped: its last characters do not fit the rest. Copy it "
        + "again from the project's settings.",
        "api_key");
}
