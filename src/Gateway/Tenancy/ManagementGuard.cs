using System.Security.Claims;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Tenancy;

/// <summary>
/// What holds for every request below <c>/api</c>, whichever route it is for: its answer is kept by nobody, and who
/// comes with a session's cookie changes nothing without its token. Capture passes by untouched.
/// </summary>
internal static class ManagementGuard
{
    private const string LoginPath = "/api/login";
    private const string SignUpPath = "/api/signup";

    private static readonly PathString Api = "/api";
    private static readonly PathString Invites = "/api/invites";

    /// <summary>The id of the session that the request came with; null: none, or a key came with it.</summary>
    public static string? SessionOf(HttpContext context) => context.Features.Get<SessionFeature>()?.Id;

    public static void UseManagementGuard(this WebApplication app)
    {
        // Else every request would be looked at for a cookie, those of capture too.
        ((IApplicationBuilder)app).Properties["__AuthenticationMiddlewareSet"] = true;
        app.Use((HttpContext context, RequestDelegate next) =>
            context.Request.Path.StartsWithSegments(Api) ? GuardAsync(context, next) : next(context));
    }

    private static async Task GuardAsync(HttpContext context, RequestDelegate next)
    {
        context.Response.Headers.CacheControl = "no-cache, no-store";
        context.Response.Headers.XContentTypeOptions = "nosniff";
        try
        {
            if (await SessionToGuardAsync(context) is { } session)
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

        await next(context);
    }

    /// <summary>
    /// The session that the request is made with. Whoever joins needs none: a cookie that a session left behind when
    /// it was ended elsewhere is none then, or it would shut them out who have no token for it.
    /// </summary>
    private static async Task<string?> SessionToGuardAsync(HttpContext context)
    {
        if (context.Request.Headers.Authorization.Count > 0) return null;
        if (await SessionCookie.ReadAsync(context) is not { } session) return null;
        if (!IsJoining(context)) return session;

        var users = context.RequestServices.GetRequiredService<ControlPlane>().Users;
        var user = await users.ReadAsync(Caller.OfSession(session), context.RequestAborted);
        if (user.Refusal?.Kind != RefusalKind.Unauthenticated) return session;

        context.User = new ClaimsPrincipal();
        return null;
    }

    /// <summary>Signing in does without: the password is proof enough, and an old token may be lost.</summary>
    private static bool IsLogin(HttpContext context) => Is(context, LoginPath);

    private static bool IsJoining(HttpContext context) =>
        HttpMethods.IsPost(context.Request.Method)
        && (Is(context, SignUpPath) || context.Request.Path.StartsWithSegments(Invites));

    private static bool Is(HttpContext context, string path) =>
        (context.Request.Path.Value ?? "").TrimEnd('/').Equals(path, StringComparison.OrdinalIgnoreCase);

    private sealed record SessionFeature(string Id);
}
