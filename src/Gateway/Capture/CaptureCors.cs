using Microsoft.Extensions.Primitives;

namespace Gateway.Capture;

/// <summary>
/// CORS of the capture paths: any origin may post, since the token is public and no cookie is ever read. Present on
/// errors too, so that a browser's SDK sees the status.
/// </summary>
internal static class CaptureCors
{
    private static readonly StringValues True = "true";
    private static readonly StringValues Origin = "Origin";
    private static readonly StringValues Exposed = "Retry-After";
    private static readonly StringValues Methods = "GET, POST, OPTIONS";
    private static readonly StringValues MaxAge = "86400";

    public static void Allow(HttpContext context)
    {
        var origin = context.Request.Headers.Origin;
        if (origin.Count != 1) return;

        var headers = context.Response.Headers;
        headers.AccessControlAllowOrigin = origin;
        headers.AccessControlAllowCredentials = True;
        headers.AccessControlExposeHeaders = Exposed;
        headers.Vary = Origin;
    }

    public static Task AnswerPreflight(HttpContext context)
    {
        Allow(context);
        var headers = context.Response.Headers;
        headers.AccessControlAllowMethods = Methods;
        headers.AccessControlMaxAge = MaxAge;
        if (context.Request.Headers.AccessControlRequestHeaders is { Count: > 0 } wanted)
            headers.AccessControlAllowHeaders = wanted;

        CaptureAnswers.Ok(context.Response);
        return Task.CompletedTask;
    }
}
