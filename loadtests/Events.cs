using System.IO.Compression;
using System.Text;

namespace Gateway.LoadTests;

/// <summary>Bodies as posthog-js sends them; no event is a duplicate of another.</summary>
internal static class Events
{
    /// <param name="token">Of its project.</param>
    /// <param name="hasUuid">Without one the gateway gives it its own: sent again, it is another event.</param>
    public static byte[] Single(string token, bool hasUuid = true) =>
        Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}",{{Event(hasUuid)}}}""");

    /// <inheritdoc cref="Single"/>
    public static byte[] GzippedBatch(string token, int count, bool hasUuid = true)
    {
        string events = string.Join(',', Enumerable.Range(0, count).Select(_ => $"{{{Event(hasUuid)}}}"));
        return Gzip(Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}","batch":[{{events}}]}"""));
    }

    private static string Event(bool hasUuid) =>
        $$"""
        "event":"$pageview","distinct_id":"user-{{Random.Shared.Next(10_000)}}",
        {{(hasUuid ? $"\"uuid\":\"{Guid.CreateVersion7()}\"," : "")}}
        "timestamp":"{{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ}}","properties":{"$lib":"web","$lib_version":"1.449.2",
        "$browser":"Chrome","$os":"Linux","$current_url":"https://shop.example/products/{{Random.Shared.Next(500)}}",
        "$host":"shop.example","$pathname":"/products","price":19.5,"in_stock":true}
        """;

    private static byte[] Gzip(byte[] bytes)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Fastest)) gzip.Write(bytes);
        return output.ToArray();
    }
}
