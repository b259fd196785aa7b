namespace Gateway.Core;

/// <summary>
/// Why a client's request, or one event of it, is refused. A value, never an exception: the caller decides what
/// becomes of the rest. <paramref name="Detail"/> is shown to the client; it names the field and the limit, and
/// never holds a token.
/// </summary>
/// <param name="Reason">What was wrong; the host maps it to a status code.</param>
/// <param name="Detail">A sentence for the client.</param>
/// <param name="Attr">The field at fault, or null.</param>
public sealed record Rejection(RejectionReason Reason, string Detail, string? Attr = null);
