namespace Gateway.Capture;

/// <summary>Which page a request comes from, as its browser says.</summary>
internal static class PageOrigin
{
    /// <summary>Of a page that does not say, but is one: matches nothing.</summary>
    private const string Unnamed = "null";

    /// <summary>The origin; null when no page sent the request.</summary>
    public static string? Of(HttpRequest request)
    {
        if (request.Headers.Origin is { Count: > 0 } origin) return origin.ToString();

        // An image's GET has no Origin: its Referer says where the page is, unless the page withholds it.
        if (request.Headers.Referer is { Count: > 0 } referer)
        {
            return Uri.TryCreate(referer.ToString(), UriKind.Absolute, out var page) && page.Host.Length > 0
                ? page.GetLeftPart(UriPartial.Authority)
                : Unnamed;
        }

        return request.Headers["Sec-Fetch-Site"] is { Count: > 0 } site && site.ToString() != "none" ? Unnamed : null;
    }
}
