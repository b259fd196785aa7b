using System.Buffers;
using System.Text;
using System.Text.Unicode;

namespace Gateway.Core.Events;

/// <summary>
/// Gets the JSON out of a request. SDKs of ten years wrap it differently, and label it wrongly: gzip without a header,
/// base64 in a form, JSON called a form. So each layer is told by how it looks, and the labels only help where looks
/// say nothing (lz-string). From outside in:
/// <code>
/// query or form data  →  percent-encoding  →  base64  →  gzip or lz-string  →  base64 once more  →  JSON
/// </code>
/// </summary>
internal sealed class BodyDecoder(
    CaptureLimits limits, CaptureRejections rejections, Func<long, bool>? tryCharge) : IDisposable
{
    private const int MostBase64Layers = 2;
    private const int FormLookedAtBytes = 128;

    // A layer is read from one and written into the other.
    private PooledBuffer _current = new(tryCharge);
    private PooledBuffer _spare = new(tryCharge);

    private enum Hint : byte
    {
        None,
        Gzip,
        Lz64,
        Other,
    }

    private static ReadOnlySpan<byte> ByteOrderMark => [0xef, 0xbb, 0xbf];

    /// <summary>
    /// The text to parse: valid UTF-8, in <paramref name="body"/> itself or in the decoder until its next use.
    /// </summary>
    public Rejection? Decode(ReadOnlyMemory<byte> body, in RequestFacts facts, out ReadOnlyMemory<byte> json)
    {
        json = default;
        if (body.Length > limits.MaxBodyBytes) return rejections[RejectionReason.BodyTooLarge];
        if (TakePayload(body, facts, out var payload, out var hint) is { } badPayload) return badPayload;
        if (payload.IsEmpty) return rejections[RejectionReason.MissingPayload];
        if (Unwrap(payload, hint, out json) is { } badLayer) return badLayer;

        if (json.Span.StartsWith(ByteOrderMark)) json = json[ByteOrderMark.Length..];
        if (!Utf8.IsValid(json.Span)) return rejections[RejectionReason.BadUtf8];

        if (LoneSurrogates.MayOccurIn(json.Span)) json = WithoutLoneSurrogates(json);
        return null;
    }

    public void Clear()
    {
        _current.Clear();
        _spare.Clear();
    }

    public void Dispose()
    {
        _current.Dispose();
        _spare.Dispose();
    }

    /// <summary>The data parameter of the query, else of a form, else the body itself.</summary>
    private Rejection? TakePayload(
        ReadOnlyMemory<byte> body, in RequestFacts facts, out ReadOnlyMemory<byte> payload, out Hint hint)
    {
        payload = body;
        hint = ToHint(UrlEncoded.Find(facts.Query, "compression"));

        var data = UrlEncoded.Find(facts.Query, "data");
        if (!data.IsEmpty)
        {
            payload = DecodedQuery(data);
        }
        else if (LooksLikeForm(body.Span, IsFormType(facts.ContentType)))
        {
            if (hint == Hint.None) hint = FormHint(body.Span);
            payload = DecodedField(UrlEncoded.Find(body.Span, "data"u8));
        }
        else if (IsFormType(facts.ContentType) && !CanBeUnwrapped(body.Span))
        {
            return rejections[body.IsEmpty ? RejectionReason.MissingPayload : RejectionReason.BadForm];
        }

        if (hint == Hint.None) hint = ToHint(facts.ContentEncoding);
        return null;
    }

    private Rejection? Unwrap(ReadOnlyMemory<byte> payload, Hint hint, out ReadOnlyMemory<byte> json)
    {
        bool isInflated = false;
        bool isLzDone = hint != Hint.Lz64;
        int base64Layers = 0;
        json = payload;

        while (!StartsLikeJson(json.Span))
        {
            if (GzipBody.IsGzip(json.Span))
            {
                // One layer only: gzip inside gzip is how small bombs are built.
                if (isInflated) return rejections[RejectionReason.BadCompression];
                if (Inflate(ref json) is { } rejection) return rejection;
                isInflated = true;
            }
            else if (!isLzDone && TryDecodeLz(ref json))
            {
                isLzDone = true;
            }
            else if (base64Layers < MostBase64Layers && Base64Text.LooksLike(json.Span))
            {
                if (!TryDecodeBase64(ref json)) return rejections[RejectionReason.BadEncoding];
                base64Layers++;
            }
            else
            {
                // Whatever this is, the parser will say that it is no JSON; unless gzip was promised.
                bool isBroken = hint == Hint.Gzip && !isInflated;
                return isBroken ? rejections[RejectionReason.BadCompression] : null;
            }
        }

        return null;
    }

    private Rejection? Inflate(ref ReadOnlyMemory<byte> json)
    {
        var status = GzipBody.Inflate(json, Next(), limits);
        json = Swap();
        return status switch
        {
            InflateStatus.Whole => null,
            InflateStatus.TooLarge => rejections[RejectionReason.BodyTooLarge],
            _ => rejections[RejectionReason.BadCompression],
        };
    }

    /// <summary>Only JSON or base64 counts as a success: any text decodes to something.</summary>
    private bool TryDecodeLz(ref ReadOnlyMemory<byte> json)
    {
        var output = Next();
        long ratioLimit = Math.Max(limits.RatioFreeBytes, (long)json.Length * limits.MaxInflateRatio);
        int most = (int)Math.Min(limits.MaxBodyBytes, ratioLimit);
        if (!LzString.TryDecode(json.Span, most, output, tryCharge)) return false;
        if (!StartsLikeJson(output.Written)) return false;

        json = Swap();
        return true;
    }

    private bool TryDecodeBase64(ref ReadOnlyMemory<byte> json)
    {
        if (!Base64Text.TryDecode(json.Span, Next())) return false;

        json = Swap();
        return true;
    }

    private ReadOnlyMemory<byte> DecodedQuery(ReadOnlySpan<char> value)
    {
        var output = Next();
        var text = output.Reserve(Encoding.UTF8.GetMaxByteCount(value.Length));
        int length = Encoding.UTF8.GetBytes(value, text);
        output.Advance(UrlEncoded.DecodeInPlace(text[..length]));
        return Swap();
    }

    private ReadOnlyMemory<byte> DecodedField(ReadOnlySpan<byte> value)
    {
        var output = Next();
        var text = output.Reserve(value.Length)[..value.Length];
        value.CopyTo(text);
        output.Advance(UrlEncoded.DecodeInPlace(text));
        return Swap();
    }

    private ReadOnlyMemory<byte> WithoutLoneSurrogates(ReadOnlyMemory<byte> json)
    {
        var output = Next();
        output.Append(json.Span);
        LoneSurrogates.Replace(output.Written);
        return Swap();
    }

    private PooledBuffer Next()
    {
        _spare.Truncate(0);
        return _spare;
    }

    private ReadOnlyMemory<byte> Swap()
    {
        (_current, _spare) = (_spare, _current);
        return _current.WrittenMemory;
    }

    private static bool StartsLikeJson(ReadOnlySpan<byte> text)
    {
        if (text.StartsWith(ByteOrderMark)) text = text[ByteOrderMark.Length..];
        text = text.TrimStart(" \t\r\n"u8);
        return !text.IsEmpty && text[0] is (byte)'{' or (byte)'[';
    }

    private static bool CanBeUnwrapped(ReadOnlySpan<byte> body) =>
        StartsLikeJson(body) || GzipBody.IsGzip(body) || Base64Text.LooksLike(body);

    /// <summary>A body that is not labelled as a form is one only when it starts like one.</summary>
    private static bool LooksLikeForm(ReadOnlySpan<byte> body, bool isLabelled)
    {
        if (StartsWithFormField(body)) return true;
        if (!isLabelled || StartsLikeJson(body) || GzipBody.IsGzip(body)) return false;

        var start = body[..Math.Min(body.Length, FormLookedAtBytes)];
        int ampersand;
        while ((ampersand = start.IndexOf((byte)'&')) >= 0)
        {
            start = start[(ampersand + 1)..];
            if (StartsWithFormField(start)) return true;
        }

        return false;
    }

    private static bool StartsWithFormField(ReadOnlySpan<byte> text) =>
        text.StartsWith("data="u8) || text.StartsWith("_="u8) || text.StartsWith("ip="u8)
        || text.StartsWith("compression="u8);

    private static bool IsFormType(ReadOnlySpan<char> contentType) =>
        contentType.TrimStart().StartsWith("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase);

    private static Hint FormHint(ReadOnlySpan<byte> form)
    {
        var value = UrlEncoded.Find(form, "compression"u8);
        Span<char> text = stackalloc char[16];
        if (value.Length > text.Length) return Hint.Other;

        return Ascii.ToUtf16(value, text, out int length) == OperationStatus.Done
            ? ToHint(text[..length])
            : Hint.Other;
    }

    private static Hint ToHint(ReadOnlySpan<char> name)
    {
        const StringComparison IgnoreCase = StringComparison.OrdinalIgnoreCase;
        if (name.IsEmpty) return Hint.None;
        if (name.StartsWith("gzip", IgnoreCase)) return Hint.Gzip;
        if (name.Equals("lz64", IgnoreCase) || name.Equals("lz-string", IgnoreCase)) return Hint.Lz64;
        return Hint.Other;
    }
}
