using System.Buffers;
using System.Text.Json;
using Gateway.Core;
using Gateway.Core.Events;
using Microsoft.AspNetCore.Connections.Features;

namespace Gateway.Capture;

/// <summary>
/// What capture says back. SDKs read the status first: only 200 means kept, and only 503 is sent again by all.
/// </summary>
internal static class CaptureAnswers
{
    private const string Json = "application/json";
    private const string RetryAfterSeconds = "5";

    private static ReadOnlySpan<byte> OkBody => "{\"status\":\"Ok\"}"u8;

    public static void Ok(HttpResponse response)
    {
        response.ContentType = Json;
        response.Headers.ContentLength = OkBody.Length;
        response.BodyWriter.Write(OkBody);
    }

    /// <summary>The good events are kept; the answer names the others.</summary>
    public static void Partial(HttpResponse response, int refusedCount, IReadOnlyList<RefusedEvent> refused)
    {
        response.ContentType = Json;
        using var writer = new Utf8JsonWriter(response.BodyWriter);
        writer.WriteStartObject();
        writer.WriteString("status", "Ok");
        writer.WriteNumber("refused_count", refusedCount);
        writer.WriteStartArray("refused");
        foreach (var (index, rejection) in refused)
        {
            writer.WriteStartObject();
            writer.WriteNumber("index", index);
            writer.WriteString("code", RejectionStatus.Code(rejection.Reason));
            writer.WriteString("detail", rejection.Detail);
            writer.WriteEndObject();
        }

        writer.WriteEndArray();
        writer.WriteEndObject();
    }

    public static CaptureOutcome Reject(HttpResponse response, Rejection rejection)
    {
        var (status, type, outcome) = RejectionStatus.Of(rejection.Reason);
        if (status == StatusCodes.Status503ServiceUnavailable) response.Headers.RetryAfter = RetryAfterSeconds;
        Error(response, status, type, RejectionStatus.Code(rejection.Reason), rejection.Detail, rejection.Attr);
        return outcome;
    }

    /// <summary>Our trouble, not the client's: every SDK sends the same bytes again later.</summary>
    public static CaptureOutcome Unavailable(HttpResponse response, CaptureOutcome outcome, string code, string detail)
    {
        response.Headers.RetryAfter = RetryAfterSeconds;
        Error(response, StatusCodes.Status503ServiceUnavailable, "server_error", code, detail, attr: null);
        return outcome;
    }

    /// <summary>
    /// The rest of the body may never come: the connection is of no more use. Kestrel hears an HTTP/1.1 client out for
    /// five seconds yet, so that the answer arrives; the other streams of an HTTP/2 connection come to their end.
    /// </summary>
    public static void TooSlow(HttpContext context)
    {
        string protocol = context.Request.Protocol;
        if (HttpProtocol.IsHttp11(protocol) || HttpProtocol.IsHttp10(protocol))
            context.Response.Headers.Connection = "close";
        else context.Features.Get<IConnectionLifetimeNotificationFeature>()?.RequestClose();
        Error(
            context.Response, StatusCodes.Status408RequestTimeout, "validation_error", "body_read_timeout",
            $"The body came at less than {CaptureBody.LeastRate.BytesPerSecond} bytes a second, or nothing of it for "
            + $"{CaptureBody.StallLimit.TotalSeconds} s.", "body");
    }

    public static void Error(
        HttpResponse response, int status, string type, string code, string detail, string? attr)
    {
        response.StatusCode = status;
        response.ContentType = Json;
        using var writer = new Utf8JsonWriter(response.BodyWriter);
        JsonSerializer.Serialize(writer, new ApiError(type, code, detail, attr), ApiErrorJson.Default.ApiError);
    }
}
