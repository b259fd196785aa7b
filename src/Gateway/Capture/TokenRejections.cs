using Gateway.Core;

namespace Gateway.Capture;

/// <summary>
/// The answers to a token that opens nothing, or not from there. Unknown and revoked are told apart by nobody.
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

    public static readonly Rejection Mistyped = new(
        RejectionReason.MistypedToken,
        "This project token is mistyped: its last characters do not fit the rest. Copy it "
        + "again from the project's settings.",
        "api_key");
}
