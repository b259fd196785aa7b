using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;

namespace Gateway.Tenancy;

/// <summary>Who is asking, as the request says; whether there is such a one the control plane reads.</summary>
internal static class Callers
{
    private const string Scheme = "Bearer ";

    public static Caller Of(HttpContext context)
    {
        string ip = context.Connection.RemoteIpAddress?.ToString() ?? "";
        if (BearerKey(context) is { } key) return Caller.OfKey(key, ip);

        return ManagementGuard.SessionOf(context) is { } session ? Caller.OfSession(session, ip) : Caller.Nobody(ip);
    }

    /// <summary>Whether the request brings a key, whatever it is worth; a cookie beside it counts not.</summary>
    public static bool HasKey(HttpContext context) => BearerKey(context) is not null;

    /// <summary>The answer for a caller whose request was refused.</summary>
    public static IResult ToError(this Refusal refusal) => refusal.Kind switch
    {
        RefusalKind.Unauthenticated => ApiError.Unauthenticated(refusal.Detail, refusal.Code),
        RefusalKind.Forbidden => ApiError.Forbidden(refusal.Detail, refusal.Code),
        RefusalKind.NotFound => ApiError.NotFound(refusal.Detail),
        RefusalKind.TooMany => ApiError.TooMany(refusal.Detail),
        _ => ApiError.Validation(refusal.Detail, refusal.Attr, refusal.Code),
    };

    /// <summary>The text after <c>Bearer</c>; null when there is none, or when there are several headers.</summary>
    private static string? BearerKey(HttpContext context)
    {
        var headers = context.Request.Headers.Authorization;
        return headers.Count == 1 && headers[0] is { } header
            && header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase)
                ? header[Scheme.Length..].Trim()
                : null;
    }
}
