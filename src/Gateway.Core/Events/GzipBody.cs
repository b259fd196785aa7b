using System.IO.Compression;

namespace Gateway.Core.Events;

internal enum InflateStatus : byte
{
    Whole,
    Damaged,
    TooLarge,
}

/// <summary>
/// Inflates one gzip body, strictly. <see cref="GZipStream"/> checks a trailer that is there, but takes a body cut
/// anywhere, and junk after the end, in silence. So a second, known member is read behind the body: its text comes out
/// last only when the body ended where it says it ends.
/// </summary>
internal static class GzipBody
{
    private static ReadOnlySpan<byte> EndText => "\0the body ended here"u8;

    private static readonly byte[] EndMember = Compress(EndText);

    public static bool IsGzip(ReadOnlySpan<byte> body) => body.Length >= 2 && body[0] == 0x1f && body[1] == 0x8b;

    /// <summary>Inflates into <paramref name="output"/>, which must be empty.</summary>
    public static InflateStatus Inflate(ReadOnlyMemory<byte> body, PooledBuffer output, CaptureLimits limits)
    {
        long ratioLimit = Math.Max(limits.RatioFreeBytes, (long)body.Length * limits.MaxInflateRatio);
        long most = Math.Min(limits.MaxBodyBytes, ratioLimit) + EndText.Length;

        try
        {
            using var gzip = new GZipStream(new BodyThenEnd(body), CompressionMode.Decompress);
            output.Reserve((int)Math.Min(most, 4L * body.Length + 512));

            while (true)
            {
                int read = gzip.Read(output.Reserve(1));
                if (read == 0) break;

                output.Advance(read);
                if (output.Length > most) return InflateStatus.TooLarge;
            }
        }
        catch (InvalidDataException)
        {
            return InflateStatus.Damaged;
        }

        if (!output.Written.EndsWith(EndText)) return InflateStatus.Damaged;

        output.Truncate(output.Length - EndText.Length);
        return InflateStatus.Whole;
    }

    private static byte[] Compress(ReadOnlySpan<byte> text)
    {
        using var member = new MemoryStream();
        using (var gzip = new GZipStream(member, CompressionLevel.Fastest)) gzip.Write(text);
        return member.ToArray();
    }

    private sealed class BodyThenEnd(ReadOnlyMemory<byte> body) : Stream
    {
        private ReadOnlyMemory<byte> _rest = body;
        private bool _isEnd;

        public override bool CanRead => true;

        public override bool CanSeek => false;

        public override bool CanWrite => false;

        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override int Read(Span<byte> buffer)
        {
            if (_rest.IsEmpty && !_isEnd)
            {
                _isEnd = true;
                _rest = EndMember;
            }

            int count = Math.Min(buffer.Length, _rest.Length);
            _rest.Span[..count].CopyTo(buffer);
            _rest = _rest[count..];
            return count;
        }

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override void Flush() => throw new NotSupportedException();

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

        public override void SetLength(long value) => throw new NotSupportedException();

        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();
    }
}
