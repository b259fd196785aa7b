using System.Buffers;
using System.IO.Compression;
using System.Net;

namespace Gateway.Core.ClickHouse;

/// <summary>A request body out of pooled memory, sent as it is or through gzip. Can be sent again.</summary>
internal sealed class SequenceContent : HttpContent
{
    private readonly ReadOnlySequence<byte> _bytes;
    private readonly bool _gzip;

    public SequenceContent(ReadOnlySequence<byte> bytes, bool gzip)
    {
        _bytes = bytes;
        _gzip = gzip;
        if (gzip) Headers.ContentEncoding.Add("gzip");
    }

    protected override Task SerializeToStreamAsync(Stream stream, TransportContext? context) =>
        SerializeToStreamAsync(stream, context, CancellationToken.None);

    protected override async Task SerializeToStreamAsync(
        Stream stream, TransportContext? context, CancellationToken cancellationToken)
    {
        if (!_gzip)
        {
            await WriteAsync(stream, cancellationToken);
            return;
        }

        await using var zipped = new GZipStream(stream, CompressionLevel.Fastest, leaveOpen: true);
        await WriteAsync(zipped, cancellationToken);
    }

    /// <summary>Known when it is not zipped: a body that breaks off is then an error there, not an end.</summary>
    protected override bool TryComputeLength(out long length)
    {
        length = _gzip ? 0 : _bytes.Length;
        return !_gzip;
    }

    private async Task WriteAsync(Stream stream, CancellationToken cancellationToken)
    {
        foreach (var segment in _bytes) await stream.WriteAsync(segment, cancellationToken);
    }
}
