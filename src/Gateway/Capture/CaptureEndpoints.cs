namespace Gateway.Capture;

/// <summary>PostHog's v0 capture routes. Kestrel's routing takes each with and without its last slash.</summary>
internal static class CaptureEndpoints
{
    private const string EngagePath = "/engage";

    private static readonly string[] Paths = ["/e", "/i/v0/e", "/batch", "/capture", "/track", EngagePath];

    private static readonly CaptureMark Mark = new();

    /// <summary>
    /// All but capture is done by the pool; capture leaves by itself where it has to: <see cref="ConnectionMemory"/>.
    /// </summary>
    public static Task LeaveUnlessCapture(HttpContext context, RequestDelegate next) =>
        context.GetEndpoint()?.Metadata.GetMetadata<CaptureMark>() is not null
            ? next(context)
            : LeaveAsync(context, next);

    public static void MapCapture(this IEndpointRouteBuilder endpoints, CaptureHandler handler)
    {
        foreach (string path in Paths)
        {
            bool isEngage = path == EngagePath;
            RequestDelegate capture = context => handler.HandleAsync(context, isEngage);
            endpoints.MapPost(path, capture).WithMetadata(Mark);
            endpoints.MapGet(path, capture).WithMetadata(Mark);
            endpoints.MapMethods(path, [HttpMethods.Options], CaptureCors.AnswerPreflight);
        }
    }

    private static async Task LeaveAsync(HttpContext context, RequestDelegate next)
    {
        await ConnectionMemory.LeaveAsync(context);
        await next(context);
    }

    private sealed class CaptureMark;
}
