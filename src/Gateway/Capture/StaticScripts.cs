namespace Gateway.Capture;

/// <summary>
/// posthog-js's own scripts, so that its HTML snippet works with this gateway as <c>api_host</c>. Only files that
/// were there at the start are served: a name is looked up, never turned into a path.
/// </summary>
internal static class StaticScripts
{
    public static void MapStaticScripts(this IEndpointRouteBuilder endpoints, string folder)
    {
        var scripts = Directory.Exists(folder)
            ? Directory.EnumerateFiles(folder, "*.js")
                .ToDictionary(file => Path.GetFileName(file), StringComparer.Ordinal)
            : [];

        endpoints.MapGet("/static/{name}", (HttpContext context, string name) =>
        {
            CaptureCors.Allow(context);
            if (!scripts.TryGetValue(name, out string? path)) return ApiError.NotFound("There is no such script.");

            context.Response.Headers.CacheControl = "public, max-age=300";
            return Results.File(path, "application/javascript; charset=utf-8",
                lastModified: File.GetLastWriteTimeUtc(path), enableRangeProcessing: false);
        });
    }
}
