using Gateway.Core;

namespace Gateway.Capture;

/// <summary>The one place where a reason becomes a status and a code.</summary>
internal static class RejectionStatus
{
    /// <summary>The reason as clients see it.</summary>
    public static string Code(RejectionReason reason) => RejectionCode.Of(reason);

    /// <summary>
    /// Nothing that a client did wrong is 5xx; 4xx is final for every SDK, 503 is sent again by all.
    /// </summary>
    public static (int Status, string Type, CaptureOutcome Outcome) Of(RejectionReason reason) => reason switch
    {
        RejectionReason.BodyTooLarge or RejectionReason.TooManyEvents or RejectionReason.EventTooLarge =>
            (StatusCodes.Status413PayloadTooLarge, "validation_error", CaptureOutcome.TooLarge),
        RejectionReason.Overloaded =>
            (StatusCodes.Status503ServiceUnavailable, "server_error", CaptureOutcome.OverBudget),
        RejectionReason.MissingToken or RejectionReason.ConflictingTokens or RejectionReason.BadToken
            or RejectionReason.PersonalKeyAsToken or RejectionReason.MistypedToken or RejectionReason.UnknownToken =>
            (StatusCodes.Status401Unauthorized, "authentication_error", CaptureOutcome.Refused),
        RejectionReason.RateLimited =>
            (StatusCodes.Status429TooManyRequests, "throttled_error", CaptureOutcome.RateLimited),
        RejectionReason.OriginNotAllowed =>
            (StatusCodes.Status403Forbidden, "authentication_error", CaptureOutcome.Refused),
        _ => (StatusCodes.Status400BadRequest, "validation_error", CaptureOutcome.Malformed),
    };
}
