namespace Gateway.Capture;

/// <summary>
/// Refuses a request with two lengths. Kestrel takes the chunked reading and moves the other aside; a proxy in front
/// may have taken the other one, and then the two disagree where the next request begins. And it tells a chunk whose
/// size is beyond 31 bits from a failure of ours: Kestrel throws what it throws for a broken disk, not what it throws
/// for any other bad request.
/// </summary>
internal static class RequestFraming
{
    public static readonly BadHttpRequestException BadChunk =
        new("A chunk of the body has no size that can be read.", StatusCodes.Status400BadRequest);

    public static bool IsBadChunk(IOException error) => error.InnerException is OverflowException;

    public static Task Check(HttpContext context, RequestDelegate next)
    {
        var headers = context.Request.Headers;
        if (headers.TransferEncoding.Count == 0) return next(context);
        return headers.ContentLength is null && !headers.ContainsKey("X-Content-Length")
            ? AnswerBadChunksAsync(context, next)
            : RefuseTwoLengthsAsync(context);
    }

    private static async Task RefuseTwoLengthsAsync(HttpContext context)
    {
        await ConnectionMemory.LeaveAsync(context);
        CaptureAnswers.Error(
            context.Response, StatusCodes.Status400BadRequest, "validation_error", "two_lengths",
            "Content-Length and Transfer-Encoding exclude each other.", "Content-Length");
    }

    private static async Task AnswerBadChunksAsync(HttpContext context, RequestDelegate next)
    {
        try
        {
            await next(context);
        }
        catch (IOException error) when (IsBadChunk(error) && !context.Response.HasStarted)
        {
            CaptureAnswers.Error(
                context.Response, BadChunk.StatusCode, "validation_error", "bad_request", BadChunk.Message, "body");
        }
    }
}
