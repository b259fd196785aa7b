using System.Text;
using Gateway.Core;
using Gateway.Core.Events;

namespace Gateway.Capture;

/// <summary>
/// A project's token stands in the body. Who names another one in the query or in a header as well does not know
/// which project the events are for, and neither do we: no choice is made in silence. Only what is plainly a project's
/// token is looked at, as both places also carry what proxies put there for themselves.
/// </summary>
internal static class TokenPlaces
{
    private const string ProjectPrefix = "phc_";
    private const string Scheme = "Bearer ";

    private static readonly Rejection Ambiguous = new(
        RejectionReason.AmbiguousToken, "The body and the request around it name two different tokens.", "api_key");

    /// <summary>Null unless another token than the body's is named; ours or not is not asked.</summary>
    public static Rejection? Check(HttpRequest request, ReadOnlySpan<byte> token)
    {
        if (request.Headers.Authorization is { Count: > 0 } header && Differs(AfterScheme(header.ToString()), token))
            return Ambiguous;

        if (!request.QueryString.HasValue) return null;

        var query = request.QueryString.Value.AsSpan();
        return Differs(UrlEncoded.Find(query, "api_key"), token) || Differs(UrlEncoded.Find(query, "token"), token)
            ? Ambiguous
            : null;
    }

    private static bool Differs(ReadOnlySpan<char> named, ReadOnlySpan<byte> token) =>
        named.StartsWith(ProjectPrefix) && !Ascii.Equals(token, named);

    private static ReadOnlySpan<char> AfterScheme(ReadOnlySpan<char> header) =>
        header.StartsWith(Scheme, StringComparison.OrdinalIgnoreCase) ? header[Scheme.Length..].Trim() : default;
}
