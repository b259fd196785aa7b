using System.IO.Compression;
using System.Text;

namespace Gateway.Tests.Running;

/// <summary>Texts as SDKs send them.</summary>
internal static class Gzipped
{
    public static byte[] Of(string text, CompressionLevel level = CompressionLevel.Fastest)
    {
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, level)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return bytes.ToArray();
    }
}
