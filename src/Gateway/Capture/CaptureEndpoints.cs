using Gateway.Hosting;

namespace Gateway.Capture;

/// <summary>PostHog's v0 capture routes. Kestrel's routing takes each with and without its last slash.</summary>
internal static class CaptureEndpoints
{
    private const string EngagePath = "/engage";

    private static readonly string[] Paths = ["/e", "/i/v0/e", "/batch", "/capture", "/track", EngagePath];

    public static void MapCapture(this IEndpointRouteBuilder endpoints, CaptureHandler handler)
    {
        foreach (string path in Paths)
        {
            bool isEngage = path == EngagePath;
            RequestDelegate capture = context => handler.HandleAsync(context, isEngage);
            endpoints.MapPost(path, capture).WithMetadata(SocketThreads.MayStay.Instance);
            endpoints.MapGet(path, capture).WithMetadata(SocketThreads.MayStay.Instance);
            endpoints.MapMethods(path, [HttpMethods.Options], CaptureCors.AnswerPreflight);
        }
    }
}
