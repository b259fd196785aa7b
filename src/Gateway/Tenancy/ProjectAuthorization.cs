using Gateway.Core.Tenancy;

namespace Gateway.Tenancy;

/// <summary>
/// Who is asking, and may they: the one way into a project for every route that reads or manages one. The project id
/// that a query is scoped by comes from here and nowhere else.
/// </summary>
internal static class ProjectAuthorization
{
    private const string Scheme = "Bearer ";

    /// <summary>Judged anew from the database for each call.</summary>
    public static ValueTask<AccessResult> AuthorizeAsync(
        this ControlPlane plane, HttpContext context, string idOrCurrent, string scope) =>
        plane.AuthorizeAsync(BearerKey(context), idOrCurrent, scope, context.RequestAborted);

    /// <summary>The text after <c>Bearer</c>; null when there is none, or when there are several headers.</summary>
    public static string? BearerKey(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        return headers.Count == 1 && headers[0] is { } header
            && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
                ? header[Scheme.Length..].Trim()
                : null;
    }

    /// <summary>The answer for a caller who may not.</summary>
    public static IResult ToError(this AccessResult access) => access.Status switch
    {
        AccessStatus.Unauthenticated => ApiError.Unauthenticated(access.Detail),
        AccessStatus.Forbidden => ApiError.Forbidden(access.Detail),
        AccessStatus.NotFound => ApiError.NotFound(access.Detail),
        _ => throw new InvalidOperationException("Access was granted."),
    };
}
