using System.Security.Claims;
using Gateway.Core.Tenancy;
using Microsoft.AspNetCore.Antiforgery;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;

namespace Gateway.Tenancy;

/// <summary>
/// The cookie that a signed-in browser shows, and the two that keep other sites from using it. The first holds a
/// session's id, sealed; whether there is such a session the database says, at each request.
/// </summary>
internal static class SessionCookie
{
    public const string Name = "gateway_session";

    /// <summary>To be read by the console, and sent back in <see cref="CsrfHeader"/>.</summary>
    public const string CsrfName = "gateway_csrftoken";

    public const string CsrfHeader = "X-CSRFToken";

    private const string CsrfSecretName = "gateway_antiforgery";
    private const string Scheme = CookieAuthenticationDefaults.AuthenticationScheme;

    // Browsers show these to the management API alone: capture never sees one.
    private const string Path = "/api";

    public static void AddSessionCookie(this IServiceCollection services, TimeProvider time)
    {
        services.AddDataProtection().SetApplicationName("Gateway");
        services.AddOptions<KeyManagementOptions>().Configure<ControlPlane>((keys, plane) =>
        {
            keys.XmlRepository = new CookieKeyStore(plane);
            keys.XmlEncryptor = new CookieKeyEncryptor(plane);
        });
        services.AddAuthentication().AddCookie(Scheme, options =>
        {
            options.Cookie.Name = Name;
            options.Cookie.Path = Path;
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            options.ExpireTimeSpan = Sessions.Lifetime;
            options.SlidingExpiration = false;
            options.TimeProvider = time;
        });
        services.AddAntiforgery(options =>
        {
            options.HeaderName = CsrfHeader;
            options.SuppressReadingTokenFromFormBody = true;
            options.Cookie.Name = CsrfSecretName;
            options.Cookie.Path = Path;
            options.Cookie.HttpOnly = true;
            options.Cookie.SameSite = SameSiteMode.Strict;
            options.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
        });
    }

    /// <summary>Gives the browser its cookies.</summary>
    public static async Task SignInAsync(HttpContext context, NewSession session)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, session.Id)], Scheme);
        var properties = new AuthenticationProperties { IsPersistent = true, ExpiresUtc = session.ExpiresAt };
        context.User = new ClaimsPrincipal(identity);
        await context.SignInAsync(Scheme, context.User, properties);
        GiveCsrfToken(context);
    }

    /// <summary>Takes them away. It says nothing of the session: a copy of the cookie is as good as before.</summary>
    public static async Task SignOutAsync(HttpContext context)
    {
        await context.SignOutAsync(Scheme);
        context.Response.Cookies.Delete(CsrfName, new CookieOptions { Path = "/" });
    }

    /// <summary>Reads the session's id, and makes its bearer the request's user; null when there is none.</summary>
    public static async Task<string?> ReadAsync(HttpContext context)
    {
        if (!context.Request.Cookies.ContainsKey(Name)) return null;

        var ticket = await context.AuthenticateAsync(Scheme);
        if (ticket.Principal?.FindFirstValue(ClaimTypes.NameIdentifier) is not { } id) return null;

        context.User = ticket.Principal;
        return id;
    }

    /// <summary>The token that the console must send with each write; good for this session only.</summary>
    public static void GiveCsrfToken(HttpContext context)
    {
        var tokens = context.RequestServices.GetRequiredService<IAntiforgery>().GetAndStoreTokens(context);
        context.Response.Cookies.Append(CsrfName, tokens.RequestToken!, new CookieOptions
        {
            Path = "/",
            SameSite = SameSiteMode.Strict,
            Secure = context.Request.IsHttps,
            MaxAge = Sessions.Lifetime,
        });
    }

    /// <summary>Whether the request comes from a page of ours; true for whatever changes nothing.</summary>
    public static Task<bool> IsOursAsync(HttpContext context) =>
        context.RequestServices.GetRequiredService<IAntiforgery>().IsRequestValidAsync(context);
}
