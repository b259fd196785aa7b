namespace Gateway.Core.Events;

/// <summary>Every refusal of a capture request, made once with the limits in its text.</summary>
internal sealed class CaptureRejections
{
    private readonly Rejection?[] _byReason = new Rejection?[byte.MaxValue + 1];

    public CaptureRejections(CaptureLimits limits)
    {
        Add(RejectionReason.MissingPayload, "The request has neither a body nor a 'data' parameter.");
        Add(RejectionReason.BadForm, "The body is labelled as a form, but has no 'data' field and is no JSON.");
        Add(RejectionReason.BadEncoding, "The body looks like base64, but cannot be decoded.");
        Add(RejectionReason.BadCompression, "The body is damaged or cut: it cannot be decompressed.");
        Add(RejectionReason.BadUtf8, "The body is not valid UTF-8.");
        Add(RejectionReason.BadJson, $"The body is not valid JSON, or nested deeper than {limits.MaxDepth}.");
        Add(RejectionReason.BadShape,
            "The body must be an event, an array of events, or an object with a 'batch' array.");
        Add(RejectionReason.EmptyBatch, "The request holds no event.");
        Add(RejectionReason.BodyTooLarge,
            $"The body is larger than {limits.MaxBodyBytes} bytes, or inflates to more than it may.");
        Add(RejectionReason.TooManyEvents, $"The request holds more than {limits.MaxEvents} events.");
        Add(RejectionReason.AmbiguousToken, "The body names two different tokens.", "api_key");
        Add(RejectionReason.MissingToken, "The request holds no project token.", "api_key");
        Add(RejectionReason.ConflictingTokens, "The events of the request name different tokens.", "api_key");
        Add(RejectionReason.BadToken,
            $"A project token is at most {TokenText.MaxBytes} ASCII characters of text.", "api_key");
        Add(RejectionReason.PersonalKeyAsToken,
            "This is a personal API key. Send the project's token, and revoke the key if it was public.", "api_key");
        Add(RejectionReason.MissingEventName, "The event has no name.", "event");
        Add(RejectionReason.BadEventName, "The event's name must be text without NUL.", "event");
        Add(RejectionReason.EventNameTooLong,
            $"The event's name is longer than {limits.MaxEventNameLength} characters.", "event");
        Add(RejectionReason.MissingDistinctId, "The event has no distinct id, or an empty one.", "distinct_id");
        Add(RejectionReason.BadDistinctId, "The distinct id holds a NUL.", "distinct_id");
        Add(RejectionReason.DistinctIdTooLong,
            $"The distinct id is longer than {limits.MaxDistinctIdLength} characters.", "distinct_id");
        Add(RejectionReason.BadUuid, "The event's uuid is no UUID.", "uuid");
        Add(RejectionReason.BadProperties, "properties, $set and $set_once must be JSON objects.", "properties");
        Add(RejectionReason.BadCookielessFlag, "$cookieless_mode must be true or false.", "$cookieless_mode");
        Add(RejectionReason.EventTooLarge, $"The event is larger than {limits.MaxEventBytes} bytes.");
        Add(RejectionReason.Overloaded, "The gateway holds as many bytes of requests as it may. Send this again.");
        NotAnEvent = new Rejection(RejectionReason.BadShape, "An event must be a JSON object.");
    }

    /// <summary>An element of a batch that is no object.</summary>
    public Rejection NotAnEvent { get; }

    public Rejection this[RejectionReason reason] =>
        _byReason[(int)reason] ?? throw new ArgumentOutOfRangeException(nameof(reason), reason, "Not the parser's.");

    private void Add(RejectionReason reason, string detail, string? attr = null) =>
        _byReason[(int)reason] = new Rejection(reason, detail, attr);
}
