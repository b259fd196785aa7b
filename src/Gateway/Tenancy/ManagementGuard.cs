using Gateway.Core.Tokens;

namespace Gateway.Tenancy;

/// <summary>
/// What holds for every request below <c>/api</c>, whichever route it is for: its answer is kept by nobody, and who
/// comes with a session's cookie changes nothing without its token. Capture passes by untouched.
/// </summary>
internal static class ManagementGuard
{
    private const string LoginPath = "/api/login";

    private static readonly PathString Api = "/api";

    /// <summary>The id of the session that the request came with; null: none, or a key came with it.</summary>
    public static string? SessionOf(HttpContext context) => context.Features.Get<SessionFeature>()?.Id;

    public static void UseManagementGuard(this WebApplication app)
    {
        // Else every request would be looked at for a cookie, those of capture too.
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;
        app.Use((context, next) => context.Request.Path.StartsWithSegments(Api) ? GuardAsync(context, next) : next());
    }

    private static async Task GuardAsync(HttpContext context, Func<Task> next)
    {
        context.Response.Headers.CacheControl = "no-cache, no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            if (context.Request.Headers.Authorization.Count == 0
                && await SessionCookie.ReadAsync(context) is { } session)
            {
                context.Features.Set(new SessionFeature(session));
                if (!IsLogin(context) && !await SessionCookie.IsOursAsync(context))
                {
                    await ApiError.Forbidden(
                        $"What is changed with a session needs the token of the cookie {SessionCookie.CsrfName} in "
                        + $"the header {SessionCookie.CsrfHeader}; GET /api/users/@me/ gives a new one.",
                        "csrf_failed").ExecuteAsync(context);
                    return;
                }
            }
        }
        catch (TokenStoreException)
        {
            // The cookies' keys are in the database.
            await ApiError.Unavailable("The accounts cannot be read just now.").ExecuteAsync(context);
            return;
        }

        await next();
    }

    /// <summary>Signing in does without: the password is proof enough, and an old token may be lost.</summary>
    private static bool IsLogin(HttpContext context) =>
        (context.Request.Path.Value ?? "").TrimEnd('/').Equals(LoginPath, StringComparison.OrdinalIgnoreCase);

    private sealed record SessionFeature(string Id);
}
