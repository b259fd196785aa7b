namespace Gateway.Core;

/// <summary>
/// Every reason for which a request or an event is refused. The host maps each to a status and a code.
/// </summary>
public enum RejectionReason : byte
{
    None = 0,

    // The request as a whole: 400.
    MissingPayload,
    BadForm,
    BadEncoding,
    BadCompression,
    BadUtf8,
    BadJson,
    BadShape,
    EmptyBatch,

    // The request as a whole: 413.
    BodyTooLarge,
    TooManyEvents,

    // The token: 401.
    MissingToken,
    ConflictingTokens,
    BadToken,
    PersonalKeyAsToken,
    MistypedToken,
    UnknownToken,

    // One event among others.
    MissingEventName,
    BadEventName,
    EventNameTooLong,
    MissingDistinctId,
    BadDistinctId,
    DistinctIdTooLong,
    BadUuid,
    BadProperties,
    BadCookielessFlag,
    EventTooLarge,

    // Two different tokens where one is wanted: 400.
    AmbiguousToken,

    // Our trouble, not the client's: 503.
    Overloaded,

    // A page that the project's settings do not name: 403.
    OriginNotAllowed,

    // More than the project's quota: 429.
    RateLimited,
}
