using System.IO.Compression;
using System.Text;

namespace Gateway.LoadTests;

/// <summary>Bodies as posthog-js sends them; no event is a duplicate of another.</summary>
internal static class Events
{
    public static byte[] Single(string token) => Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}",{{Event()}}}""");

    public static byte[] GzippedBatch(string token, int count)
    {
        string events = string.Join(',', Enumerable.Range(0, count).Select(_ => $"{{{Event()}}}"));
        return Gzip(Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}","batch":[{{events}}]}"""));
    }

    private static string Event() =>
        $$"""
        "event":"$pageview","distinct_id":"user-{{Random.Shared.Next(10_000)}}","uuid":"{{Guid.CreateVersion7()}}",
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
