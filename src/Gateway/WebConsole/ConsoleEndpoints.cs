using Microsoft.Net.Http.Headers;

namespace Gateway.WebConsole;

/// <summary>
/// Serves the console: one page for all of its addresses, and what that loads. It knows nothing that a stranger may
/// not have; whatever it shows, it asks the API for like anybody else.
/// </summary>
internal static class ConsoleEndpoints
{
    private const string Root = "/";

    // Nothing from elsewhere, no script and no style in the page itself, and no page of others around it.
    private const string Policy =
        "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; connect-src 'self'; "
        + "form-action 'self'; base-uri 'none'; frame-ancestors 'none'";

    private const string AskFirst = "no-cache";
    private const string Forever = "public, max-age=31536000, immutable";

    // The console's own addresses, so that a link to one of them can be opened. All else stays what it is.
    private static readonly string[] Pages =
    [
        Root, "/sign-in", "/sign-up", "/invite/{secret}", "/project/{**page}", "/organization/{**page}",
        "/account/{**page}",
    ];

    private static readonly string[] Methods = [HttpMethods.Get, HttpMethods.Head];

    public static void MapConsole(this IEndpointRouteBuilder endpoints, string folder)
    {
        var files = ConsoleFiles.Read(folder);
        foreach (string path in Pages)
            endpoints.MapMethods(path, Methods, context => SendPageAsync(context, files.Page)).ExcludeFromDescription();

        endpoints.MapMethods("/console/{**name}", Methods, (HttpContext context, string name) =>
                files.Assets.TryGetValue(name, out var file)
                    ? SendAsync(context, file, ConsoleFiles.IsHashed(name) ? Forever : AskFirst)
                    : ApiError.NotFound("There is no such file.").ExecuteAsync(context))
            .ExcludeFromDescription();
    }

    private static Task SendPageAsync(HttpContext context, ConsoleFile? page)
    {
        if (page is null)
        {
            return ApiError.NotFound("This gateway was built without its console; the API is here all the same.")
                .ExecuteAsync(context);
        }

        var headers = context.Response.Headers;
        headers.ContentSecurityPolicy = Policy;
        headers.XFrameOptions = "DENY";
        headers["Cross-Origin-Opener-Policy"] = "same-origin";
        headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=(), payment=(), usb=()";

        // An invite's address is a secret.
        headers["Referrer-Policy"] = "no-referrer";
        return SendAsync(context, page, AskFirst);
    }

    private static async Task SendAsync(HttpContext context, ConsoleFile file, string caching)
    {
        var (request, response) = (context.Request, context.Response);
        response.Headers.CacheControl = caching;
        response.Headers.ETag = file.ETag;
        response.Headers.XContentTypeOptions = "nosniff";
        if (file.Gzip is not null) response.Headers.Vary = HeaderNames.AcceptEncoding;
        if (request.Headers.IfNoneMatch.Contains(file.ETag))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return;
        }

        byte[] content = file.Content;
        if (file.Gzip is { } gzip && TakesGzip(request))
        {
            response.Headers.ContentEncoding = "gzip";
            content = gzip;
        }

        response.ContentType = file.ContentType;
        response.ContentLength = content.Length;
        if (!HttpMethods.IsHead(request.Method)) await response.Body.WriteAsync(content, context.RequestAborted);
    }

    private static bool TakesGzip(HttpRequest request) =>
        request.GetTypedHeaders().AcceptEncoding.Any(encoding =>
            encoding.Value.Equals("gzip", StringComparison.OrdinalIgnoreCase) && encoding.Quality is null or > 0);
}
