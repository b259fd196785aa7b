using System.Globalization;
using Gateway.Core.Admission;
using Gateway.Core.Tokens;

namespace Gateway.Capture;

/// <summary>
/// 429: a project has used up the quota that its own people set. SDKs drop what is answered so, which is what a quota
/// asks for; when it is the gateway that has too much to do, the answer is 503, which they send again.
/// </summary>
internal static class QuotaRefusals
{
    /// <summary>
    /// The entry of a request whose project is certain before it is parsed and has nothing left of its quota; null:
    /// that has to be found out. Only where the connection's last request was refused so: to look costs something.
    /// </summary>
    public static bool TryFindEarly(
        CaptureWork work, TokenCheck tokens, TimeSpan now, out TokenLookup lookup)
    {
        lookup = default;
        if (work.Memory is not { IsOverQuota: true }) return false;

        // The query may hold the events, and then the body counts for nothing.
        var request = work.Context.Request;
        if (request.QueryString.HasValue && request.Query.ContainsKey("data")) return false;

        Span<byte> token = stackalloc byte[TokenHints.MaxTokenBytes];
        int length = TokenHints.FindCertain(work.Body.Bytes, token);
        return length > 0
            && tokens.TryCheck(token[..length], out lookup)
            && lookup.Entry?.Meter is { } meter
            && meter.Look(now).Met != QuotaKind.None;
    }

    public static void Answer(HttpResponse response, ProjectQuota quota, in QuotaAnswer answer)
    {
        bool isEvents = answer.Met == QuotaKind.Events;
        string limit = isEvents
            ? string.Create(CultureInfo.InvariantCulture, $"{quota.EventsPerSecond} events")
            : string.Create(CultureInfo.InvariantCulture, $"{quota.BytesPerSecond} bytes");
        long seconds = Math.Max(1, (long)Math.Ceiling(answer.Wait.TotalSeconds));
        response.Headers.RetryAfter = seconds.ToString(CultureInfo.InvariantCulture);
        CaptureAnswers.Error(
            response, StatusCodes.Status429TooManyRequests, "throttled_error", "rate_limited",
            $"The project's settings allow {limit} a second at each gateway, and more came. Nothing was kept.",
            isEvents ? "events_per_second" : "bytes_per_second");
    }
}
