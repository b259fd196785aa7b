namespace Gateway.Core.Events;

/// <summary>
/// What the parser needs to know of a request besides its body, as it came over the wire: nothing decoded, nothing
/// split. Lives on the stack; made just before the call.
/// </summary>
public readonly ref struct RequestFacts
{
    /// <summary>
    /// The raw query string, still percent-encoded, with or without its <c>?</c>. The parser takes <c>data</c>,
    /// <c>compression</c>, <c>_</c> and <c>sent_at</c> from it.
    /// </summary>
    public ReadOnlySpan<char> Query { get; init; }

    /// <summary>The Content-Type header; empty when absent.</summary>
    public ReadOnlySpan<char> ContentType { get; init; }

    /// <summary>The Content-Encoding header; empty when absent. A hint: gzip is told by its magic.</summary>
    public ReadOnlySpan<char> ContentEncoding { get; init; }

    /// <summary>The path is <c>/engage</c>, where an event without a name is an <c>$identify</c>.</summary>
    public bool IsEngage { get; init; }

    /// <summary>The client's address as text, at most 255 bytes; empty when the project keeps none.</summary>
    public ReadOnlySpan<byte> ClientIp { get; init; }
}
