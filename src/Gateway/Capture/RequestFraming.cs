namespace Gateway.Capture;

/// <summary>
/// Refuses a request with two lengths. Kestrel takes the chunked reading and moves the other aside; a proxy in front
/// may
/// have taken the other one, and then the two disagree where the next request begins.
/// </summary>
internal static class RequestFraming
{
    public static Task RefuseTwoLengths(HttpContext context, RequestDelegate next)
    {
        var headers = context.Request.Headers;
        if (headers.TransferEncoding.Count == 0) return next(context);
        if (headers.ContentLength is null && !headers.ContainsKey("X-Content-Length")) return next(context);

        CaptureAnswers.Error(
            context.Response, StatusCodes.Status400BadRequest, "validation_error", "two_lengths",
            "Content-Length and Transfer-Encoding exclude each other.", "Content-Length");
        return Task.CompletedTask;
    }
}
