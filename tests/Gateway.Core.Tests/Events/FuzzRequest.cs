using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>A request for the parser, as the fuzzer made it or a file of the corpus keeps it.</summary>
internal sealed record FuzzRequest(byte[] Body, string Query = "", string ContentType = "", string ContentEncoding = "", bool IsEngage = false)
{
    /// <summary>What the reference makes of it.</summary>
    /// <param name="limits">What may be taken.</param>
    /// <param name="now">Microseconds since 1970-01-01 UTC.</param>
    public ReferenceCapture Read(CaptureLimits limits, long now)
    {
        var reference = new ReferenceCapture(limits, IsEngage, now, ReferenceBody.SentAt(Query));
        var (reason, json) = ReferenceBody.Decode(this, limits);
        if (reason == RejectionReason.None) reference.Parse(json);
        else reference.Refuse(reason);
        return reference;
    }

    /// <summary>How the parser differs from the reference; null when it does not.</summary>
    public string? Compare(CaptureParser parser, CaptureLimits limits)
    {
        var reference = Read(limits, Captured.Now);
        var facts = new RequestFacts
        {
            Query = Query,
            ContentType = ContentType,
            ContentEncoding = ContentEncoding,
            IsEngage = IsEngage,
        };
        var actual = Captured.Read(parser, parser.Parse(Body, facts, Captured.Now));
        if (!AreAlike(reference.Reason, actual.Reason)) return $"{reference.Reason}, but {actual.Reason}";
        if (actual.Rejection is not null) return null;

        if (reference.Token != actual.Token) return $"token '{reference.Token}', but '{actual.Token}'";
        if (reference.IsHistorical != actual.IsHistorical) return $"historical {reference.IsHistorical}";
        if (reference.Events.Count != actual.Events.Count) return $"{reference.Events.Count} events, but {actual.Events.Count}";
        foreach (var (expected, kept) in reference.Events.Zip(actual.Events))
        {
            var comparable = kept.HasOwnUuid ? kept with { Uuid = Guid.Empty } : kept;
            if (expected != comparable) return $"{expected}\nbut {comparable}";
        }

        bool sameRefusals = reference.Refusals.SequenceEqual(
            actual.Refusals.Select(refusal => (refusal.Reason, refusal.Index, refusal.Raw)));
        return sameRefusals ? null : $"{string.Join(' ', reference.Refusals)}\nbut {string.Join(' ', actual.Refusals)}";
    }

    /// <summary>
    /// The same reason; but what is refused for its shape need not be read to an end that is no JSON.
    /// </summary>
    public static bool AreAlike(RejectionReason reference, RejectionReason actual) => reference == actual
        || (reference == RejectionReason.BadJson && actual is RejectionReason.BadShape or RejectionReason.TooManyEvents);

    public override string ToString() =>
        $"?{Query} [{ContentType}] [{ContentEncoding}] {(IsEngage ? "engage " : "")}{Encoding.UTF8.GetString(Body)}\n"
        + $"in base64: {Convert.ToBase64String(Body)}";
}
