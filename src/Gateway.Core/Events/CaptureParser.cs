using System.Buffers;
using System.Text.Json;

namespace Gateway.Core.Events;

/// <summary>
/// Turns the raw bytes of a capture request into a journal payload: unwrapped once, parsed once, checked, written. One
/// request at a time; kept and used again by its owner, so that a usual request allocates next to nothing. No input
/// throws.
/// </summary>
/// <remarks>
/// The order of refusals is PostHog's: what cannot be decoded or parsed, then a request without events, then the
/// token, then the events. One bad event costs the others nothing; when none is good, the first one's reason is the
/// request's.
/// </remarks>
public sealed class CaptureParser : IDisposable
{
    private readonly byte[] _token = new byte[TokenText.MaxBytes];
    private readonly CaptureLimits _limits;
    private readonly CaptureRejections _rejections;
    private readonly BodyDecoder _decoder;
    private readonly EventRows _rows;
    private readonly PooledBuffer _joined;
    private int _tokenLength;

    /// <param name="limits">What is taken.</param>
    /// <param name="tryCharge">
    /// Asked before a buffer grows by so many bytes; false: the request is refused as
    /// <see cref="RejectionReason.Overloaded"/>. Told by a negative number what is given back; what was not, is the
    /// owner's to release after <see cref="Reset"/>.
    /// </param>
    public CaptureParser(CaptureLimits limits, Func<long, bool>? tryCharge = null)
    {
        _limits = limits;
        _rejections = new CaptureRejections(limits);
        _decoder = new BodyDecoder(limits, _rejections, tryCharge);
        _rows = new EventRows(limits, _rejections, tryCharge);
        _joined = new PooledBuffer(tryCharge);
    }

    /// <summary>
    /// The request's project token, trimmed, at most 64 ASCII characters. Empty when there is none or a bad one, which
    /// is then refused. It may be there although the request is refused for something else.
    /// </summary>
    public ReadOnlyMemory<byte> Token => _token.AsMemory(0, _tokenLength);

    /// <summary>The journal's payload (<see cref="EventPayload"/>) until the next call; empty when refused.</summary>
    public ReadOnlyMemory<byte> Payload => _rows.Payload;

    /// <summary>Bytes of the last body's text, unwrapped: what the work on it went by. 0: it was not.</summary>
    public int TextBytes { get; private set; }

    /// <summary>
    /// Events in the payload. 0 without a rejection: all were of a kind that is dropped, and nothing is kept.
    /// </summary>
    public int AcceptedCount => _rows.AcceptedCount;

    /// <summary>Events refused beside the accepted ones; they are in the payload too, as they were sent.</summary>
    public int RefusedCount => _rows.RefusedCount;

    /// <summary>
    /// The first refused ones (<see cref="CaptureLimits.MaxListedRefusals"/>), in the order of the request.
    /// </summary>
    public IReadOnlyList<RefusedEvent> Refused => _rows.Refused;

    /// <summary>
    /// Takes every client's address out of what was parsed, for a project that keeps none; again does no harm.
    /// </summary>
    public void EraseAddresses() => _rows.EraseAddresses();

    /// <summary>Parses a body that arrived in several pieces; they are joined first.</summary>
    public Rejection? Parse(in ReadOnlySequence<byte> body, in RequestFacts facts, long nowMicros) =>
        body.Length > _limits.MaxBodyBytes
            ? Refuse(_rejections[RejectionReason.BodyTooLarge])
            : Parse(Join(body), facts, nowMicros);

    /// <summary>Null when at least one event was taken, or all were of a kind that is silently dropped.</summary>
    /// <param name="body">The body as sent. Not kept: everything is copied out of it.</param>
    /// <param name="facts">The rest of the request.</param>
    /// <param name="nowMicros">The time of receipt, microseconds since 1970-01-01 UTC.</param>
    public Rejection? Parse(ReadOnlyMemory<byte> body, in RequestFacts facts, long nowMicros)
    {
        Clear();
        try
        {
            var rejection = _decoder.Decode(body, facts, out var json);
            TextBytes = json.Length;
            rejection ??= ParseEvents(json.Span, facts, nowMicros);
            return rejection is null ? null : Refuse(rejection);
        }
        catch (JsonException)
        {
            return Refuse(_rejections[RejectionReason.BadJson]);
        }
        catch (OverBudgetException)
        {
            return Refuse(_rejections[RejectionReason.Overloaded]);
        }
        finally
        {
            // What was inflated is of no use any more, and many wait for the disk at a time.
            _decoder.Clear();
        }
    }

    /// <summary>
    /// Finds only the token of a body, for <c>/flags</c> and <c>/decide</c>: wrapped like the others, an object with
    /// <c>token</c> or <c>api_key</c>.
    /// </summary>
    public Rejection? ParseToken(ReadOnlyMemory<byte> body, in RequestFacts facts)
    {
        Clear();
        try
        {
            if (_decoder.Decode(body, facts, out var json) is { } rejection) return rejection;

            var walker = new EventWalker(json.Span, _rows, _limits, _rejections);
            return walker.WalkToken(out var found) ?? TakeToken(json.Span, found);
        }
        catch (JsonException)
        {
            return _rejections[RejectionReason.BadJson];
        }
        catch (OverBudgetException)
        {
            return _rejections[RejectionReason.Overloaded];
        }
        finally
        {
            _decoder.Clear();
        }
    }

    /// <summary>Forgets the last request and gives large buffers back.</summary>
    public void Reset()
    {
        Clear();
        _joined.Clear();
    }

    public void Dispose()
    {
        Clear();
        _decoder.Dispose();
        _rows.Dispose();
        _joined.Dispose();
    }

    private Rejection? ParseEvents(ReadOnlySpan<byte> json, in RequestFacts facts, long nowMicros)
    {
        _rows.Start(facts, nowMicros);
        var walker = new EventWalker(json, _rows, _limits, _rejections);
        if (walker.Walk(out var body) is { } badShape) return badShape;
        if (body.EventCount == 0) return _rejections[RejectionReason.EmptyBatch];
        if (TakeToken(json, body) is { } badToken) return badToken;
        if (_rows.AcceptedCount == 0 && _rows.FirstRefusal is { } firstRefusal) return firstRefusal;

        _rows.Finish(body.IsHistorical, EventValues.ReadTime(json, body.SentAt) ?? QuerySentAt(facts.Query));
        return null;
    }

    private Rejection? TakeToken(ReadOnlySpan<byte> json, in BodyFacts body)
    {
        if (body.TokensDiffer) return _rejections[RejectionReason.AmbiguousToken];
        if (body.TokensConflict) return _rejections[RejectionReason.ConflictingTokens];
        return TokenText.Read(body.Token, json, _token, _rejections, out _tokenLength);
    }

    /// <summary>
    /// Milliseconds in <c>_</c> or <c>sent_at</c>. Old clients put other numbers there to defeat caches.
    /// </summary>
    private static long? QuerySentAt(ReadOnlySpan<char> query)
    {
        const long Year2021 = 1_609_459_200_000;
        const long Year10000 = 253_402_300_800_000;

        var value = UrlEncoded.Find(query, "_");
        if (value.IsEmpty) value = UrlEncoded.Find(query, "sent_at");

        bool isTime = long.TryParse(value, out long milliseconds) && milliseconds is >= Year2021 and < Year10000;
        return isTime ? milliseconds * 1000 : null;
    }

    private ReadOnlyMemory<byte> Join(in ReadOnlySequence<byte> body)
    {
        if (body.IsSingleSegment) return body.First;

        _joined.Truncate(0);
        body.CopyTo(_joined.Reserve((int)body.Length));
        _joined.Advance((int)body.Length);
        return _joined.WrittenMemory;
    }

    private Rejection Refuse(Rejection rejection)
    {
        _rows.Clear();
        return rejection;
    }

    private void Clear()
    {
        _tokenLength = 0;
        TextBytes = 0;
        _decoder.Clear();
        _rows.Clear();
    }
}
