using System.Text.Json;

namespace Gateway.Hosting;

/// <summary>The management API as an OpenAPI document, made from its routes: <c>/openapi/v1.json</c>.</summary>
internal static class ApiDocument
{
    public static void AddApiDocument(this IServiceCollection services)
    {
        // Shapes in the document are named as in the answers, which have contexts of their own.
        services.ConfigureHttpJsonOptions(json =>
            json.SerializerOptions.PropertyNamingPolicy = JsonNamingPolicy.SnakeCaseLower);
        services.AddOpenApi(options =>
        {
            options.ShouldInclude = route =>
                route.RelativePath?.StartsWith("api/", StringComparison.OrdinalIgnoreCase) == true;
            options.AddDocumentTransformer((document, _, _) =>
            {
                document.Info.Title = "Gateway";
                document.Info.Version = typeof(ApiDocument).Assembly.GetName().Version?.ToString(3);
                document.Info.Description =
                    "Errors are {type, code, detail, attr}. Authorization: Bearer phx_…, or a session's cookie with "
                    + "the header X-CSRFToken on writes. Capture has PostHog's protocol and is not told of here.";

                // Where it is reached is known to whoever reads this, not to a gateway behind a proxy.
                document.Servers?.Clear();
                return Task.CompletedTask;
            });
        });
    }

    /// <summary>
    /// Tells the shape of a route's body. Any type is let through to the route: who comes with a key need not name one,
    /// and who must is told so, rather than that there is nothing at this path.
    /// </summary>
    public static RouteHandlerBuilder Takes<TBody>(this RouteHandlerBuilder route)
        where TBody : notnull =>
        route.Accepts<TBody>("application/json", "*/*");

    public static void MapApiDocument(this IEndpointRouteBuilder routes) =>
        routes.MapOpenApi("/openapi/{documentName}.json");
}
