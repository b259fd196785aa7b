using Microsoft.AspNetCore.HttpOverrides;
using IPNetwork = System.Net.IPNetwork;

namespace Gateway.Hosting;

/// <summary>What a request says of the client that a proxy stands before, when the proxy is one of ours.</summary>
internal static class ProxyHeaders
{
    public static ForwardedHeadersOptions From(IEnumerable<IPNetwork> trusted)
    {
        var forwarding = new ForwardedHeadersOptions
        {
            // The scheme decides whether cookies are for HTTPS only.
            ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto,
            ForwardLimit = null,
        };
        forwarding.KnownProxies.Clear();
        forwarding.KnownIPNetworks.Clear();
        foreach (var network in trusted) forwarding.KnownIPNetworks.Add(network);

        return forwarding;
    }
}
