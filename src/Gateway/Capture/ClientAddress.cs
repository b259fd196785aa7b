using Gateway.Core.Events;

namespace Gateway.Capture;

/// <summary>
/// The client's address as text: the connection's, or what a trusted proxy's header put in its place.
/// </summary>
internal static class ClientAddress
{
    /// <summary>Longest text of an address, with an IPv6 scope.</summary>
    public const int MaxBytes = 64;

    /// <summary>What the parser must know beside the body.</summary>
    /// <param name="context">The request.</param>
    /// <param name="isEngage">Whether it came in on <c>/engage</c>.</param>
    /// <param name="ip">Room for the address; none: it is not wanted.</param>
    public static RequestFacts Facts(HttpContext context, bool isEngage, Span<byte> ip)
    {
        var request = context.Request;
        return new RequestFacts
        {
            Query = request.QueryString.Value,
            ContentType = request.ContentType,
            ContentEncoding = request.Headers.ContentEncoding.ToString(),
            IsEngage = isEngage,
            ClientIp = ip[..Write(context, ip)],
        };
    }

    /// <summary>The address alone; 0 bytes when it is not known.</summary>
    public static int Write(HttpContext context, Span<byte> ip)
    {
        if (ip.IsEmpty || context.Connection.RemoteIpAddress is not { } address) return 0;

        var plain = address.IsIPv4MappedToIPv6 ? address.MapToIPv4() : address;
        return plain.TryFormat(ip, out int written) ? written : 0;
    }
}
