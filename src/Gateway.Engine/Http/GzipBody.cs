using System.IO.Compression;

namespace Gateway.Engine.Http;

/// <summary>
/// Inflates a request's body and refuses one that is cut short, which <see cref="GZipStream"/> alone lets pass: a
/// small gzip member of a known text is put after the body, and must be the last of what comes out.
/// </summary>
internal sealed class GzipBody : ReadOnlyStream
{
    private const int BufferBytes = 64 * 1024;

    private readonly GZipStream _inflated;
    private readonly byte[] _buffer = new byte[BufferBytes];
    private int _start;
    private int _end;

    public GzipBody(Stream body) =>
        _inflated = new GZipStream(new Joined(body, new MemoryStream(SealMember())), CompressionMode.Decompress);

    private static ReadOnlySpan<byte> Seal => "This text ends every request body that was inflated."u8;

    /// <exception cref="InvalidDataException">The body is no gzip, damaged, or cut short.</exception>
    public override async ValueTask<int> ReadAsync(Memory<byte> buffer, CancellationToken cancellationToken = default)
    {
        // What may be the seal is held back.
        while (_end - _start <= Seal.Length)
        {
            if (!await FillAsync(cancellationToken)) return 0;
        }

        int count = Math.Min(buffer.Length, _end - _start - Seal.Length);
        _buffer.AsMemory(_start, count).CopyTo(buffer);
        _start += count;
        return count;
    }

    protected override void Dispose(bool disposing)
    {
        if (disposing) _inflated.Dispose();
        base.Dispose(disposing);
    }

    private async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        (_start, _end) = (0, _end - _start);
        int count = await _inflated.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += count;
        if (count > 0) return true;

        if (!_buffer.AsSpan(0, _end).SequenceEqual(Seal)) throw new InvalidDataException("The gzip data is cut short.");
        return false;
    }

    private static byte[] SealMember()
    {
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.Fastest)) gzip.Write(Seal);
        return member.ToArray();
    }

    /// <summary>Two streams read one after the other.</summary>
    private sealed class Joined(Stream first, Stream second) : ReadOnlyStream
    {
        private bool _firstEnded;

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int count = _firstEnded ? 0 : await first.ReadAsync(buffer, cancellationToken);
            if (count > 0) return count;

            _firstEnded = true;
            return await second.ReadAsync(buffer, cancellationToken);
        }
    }
}
