using System.Globalization;
using System.Text;
using System.Text.RegularExpressions;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>
/// How a body is unwrapped, written for clarity over Latin-1 text: what the decoder is compared with. The rules of
/// what looks like what are the same; everything that undoes a layer is other code.
/// </summary>
internal static partial class ReferenceBody
{
    /// <summary>The JSON, or why there is none.</summary>
    public static (RejectionReason Reason, byte[] Json) Decode(FuzzRequest request, CaptureLimits limits)
    {
        if (request.Body.Length > limits.MaxBodyBytes) return (RejectionReason.BodyTooLarge, []);

        var (reason, payload, hint) = Payload(request, Encoding.Latin1.GetString(request.Body));
        if (reason == RejectionReason.None && payload.Length == 0) reason = RejectionReason.MissingPayload;
        if (reason == RejectionReason.None) reason = Unwrap(ref payload, hint, limits);
        if (reason != RejectionReason.None) return (reason, []);

        byte[] json = Encoding.Latin1.GetBytes(payload);
        return (RejectionReason.None, json.AsSpan().StartsWith(Encoding.UTF8.Preamble) ? json[3..] : json);
    }

    private static (RejectionReason Reason, string Payload, string Hint) Payload(FuzzRequest request, string body)
    {
        string hint = Hint(Parameter(request.Query, "compression"));
        bool isForm = FormType().IsMatch(request.ContentType);
        if (Parameter(request.Query, "data") is { Length: > 0 } data)
            return (RejectionReason.None, Unescape(data), First(hint, Hint(request.ContentEncoding)));

        if (IsForm(body, isForm))
        {
            hint = First(hint, First(Hint(Parameter(body, "compression")), Hint(request.ContentEncoding)));
            return (RejectionReason.None, Unescape(Parameter(body, "data")), hint);
        }

        bool isNothing = isForm && body.Length > 0 && !LooksLikeJson(body) && !IsGzip(body) && !LooksLikeBase64(body);
        return (isNothing ? RejectionReason.BadForm : RejectionReason.None, body, First(hint, Hint(request.ContentEncoding)));
    }

    private static string First(string hint, string other) => hint.Length > 0 ? hint : other;

    /// <summary>When the client sent it, by the query: milliseconds of this age of the world.</summary>
    public static long? SentAt(string query)
    {
        string text = Parameter(query, "_") is { Length: > 0 } value ? value : Parameter(query, "sent_at");
        return long.TryParse(text, NumberStyles.Integer, CultureInfo.InvariantCulture, out long milliseconds)
            && milliseconds is >= 1_609_459_200_000 and < 253_402_300_800_000
            ? milliseconds * 1000
            : null;
    }

    private static RejectionReason Unwrap(ref string payload, string hint, CaptureLimits limits)
    {
        bool wasGzip = false, wasLz = hint != "lz64";
        int base64 = 0;
        while (!LooksLikeJson(payload))
        {
            var reason = RejectionReason.None;
            if (IsGzip(payload))
            {
                reason = wasGzip ? RejectionReason.BadCompression : Inflate(ref payload, limits);
                wasGzip = true;
            }
            else if (!wasLz && ReferenceLz.Decode(payload) is { } text && LooksLikeJson(text))
            {
                payload = text;
                wasLz = true;
            }
            else if (base64++ < 2 && LooksLikeBase64(payload))
            {
                reason = FromBase64(ref payload);
            }
            else
            {
                return hint == "gzip" && !wasGzip ? RejectionReason.BadCompression : RejectionReason.None;
            }

            if (reason != RejectionReason.None) return reason;
        }

        return RejectionReason.None;
    }

    private static RejectionReason Inflate(ref string payload, CaptureLimits limits)
    {
        if (ReferenceGzip.Inflate(Encoding.Latin1.GetBytes(payload), limits.MaxBodyBytes) is not { } inflated)
            return RejectionReason.BadCompression;

        payload = Encoding.Latin1.GetString(inflated);
        return inflated.Length > limits.MaxBodyBytes ? RejectionReason.BodyTooLarge : RejectionReason.None;
    }

    private static bool IsForm(string body, bool isLabelled)
    {
        if (Field().IsMatch(body)) return true;
        if (!isLabelled || LooksLikeJson(body) || IsGzip(body)) return false;
        return body[..Math.Min(body.Length, 128)].Split('&').Skip(1).Any(part => Field().IsMatch(part));
    }

    private static RejectionReason FromBase64(ref string payload)
    {
        string text = payload.Trim('\r', '\n', '\t').TrimEnd('=').Replace('-', '+').Replace(' ', '+').Replace('_', '/');
        if (WhiteOrPadding().IsMatch(text)) return RejectionReason.BadEncoding;
        try
        {
            // The framework's wants its padding.
            string padded = text + new string('=', (4 - (text.Length % 4)) % 4);
            byte[] decoded = Convert.FromBase64String(padded);
            payload = Encoding.Latin1.GetString(decoded);

            // Nor does it mind bits behind the last byte, which no encoder leaves there.
            return Convert.ToBase64String(decoded) == padded ? RejectionReason.None : RejectionReason.BadEncoding;
        }
        catch (FormatException)
        {
            return RejectionReason.BadEncoding;
        }
    }

    private static string Unescape(string text) => Escape().Replace(text.Replace('+', ' '), match =>
        ((char)Convert.ToByte(match.Groups[1].Value, 16)).ToString());

    private static string Parameter(string text, string name) => text.TrimStart('?').Split('&')
        .Where(part => part.StartsWith(name + "=", StringComparison.Ordinal))
        .Select(part => part[(name.Length + 1)..])
        .FirstOrDefault("");

    private static string Hint(string name) => name.ToLowerInvariant() switch
    {
        "" => "",
        "lz64" or "lz-string" => "lz64",
        var other => other.StartsWith("gzip", StringComparison.Ordinal) ? "gzip" : "other",
    };

    private static bool LooksLikeJson(string text) => JsonStart().IsMatch(text);

    private static bool IsGzip(string text) => text.StartsWith("\x1f\x8b", StringComparison.Ordinal);

    private static bool LooksLikeBase64(string text)
    {
        text = text.Trim('\r', '\n', '\t');
        return text.Length > 1 && text[0] != ' ' && Base64Start().IsMatch(text[..Math.Min(128, text.Length)]);
    }

    [GeneratedRegex(@"\A(?:\xef\xbb\xbf)?[ \t\r\n]*[\[{]")]
    private static partial Regex JsonStart();

    [GeneratedRegex(@"\A[A-Za-z0-9+/\-_= ]*\z")]
    private static partial Regex Base64Start();

    [GeneratedRegex(@"\A(?:data|_|ip|compression)=")]
    private static partial Regex Field();

    [GeneratedRegex(@"\A\s*application/x-www-form-urlencoded", RegexOptions.IgnoreCase)]
    private static partial Regex FormType();

    [GeneratedRegex(@"[\s=]")]
    private static partial Regex WhiteOrPadding();

    [GeneratedRegex("%([0-9a-fA-F]{2})")]
    private static partial Regex Escape();
}
