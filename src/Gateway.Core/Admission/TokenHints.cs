using System.Buffers.Binary;
using System.IO.Compression;
using Gateway.Core.Events;
using Gateway.Core.Tokens;

namespace Gateway.Core.Admission;

/// <summary>
/// Guesses whose a request is before it is parsed, as a key of 64 bits: from the token where SDKs put it, without
/// reading what lies between. Only a token that is known to be live gives a project's key: else whoever makes tokens up
/// would be somebody new with each request. A key says who waits behind whom and whose share of memory a body takes;
/// who names another project's token waits in that one's line. Nothing is let in for it.
/// </summary>
/// <param name="projectOf">
/// The id of the project whose live token it is; 0: not known. From memory alone: it is called before anybody waits.
/// </param>
public sealed class TokenHints(Func<ReadOnlySpan<byte>, ulong> projectOf)
{
    /// <summary>The key of a request that tells nothing.</summary>
    public const ulong None = 0;

    /// <summary>No token is longer.</summary>
    public const int MaxTokenBytes = TokenText.MaxBytes;

    // Longer than what comes before the token in any SDK's body, and behind it in those that send it last.
    private const int LookedAtBytes = 512;

    // The last four bytes of gzip: how long the text is, modulo 2^32, as the sender says.
    private const int GzipLengthBytes = 4;

    private readonly TokenHash _hash = new();

    private static ReadOnlySpan<byte> WhiteSpace => " \t\r\n"u8;

    /// <summary>What a project's requests are known by, whichever of its tokens they name.</summary>
    public static ulong OfProject(ulong projectId) => projectId << 1;

    /// <summary>When all that is known of a request is where it comes from; never a project's key.</summary>
    public ulong OfAddress(ReadOnlySpan<byte> address) => ~_hash.Of(address) | 1;

    /// <summary>By what can be seen at once: the two ends of a body that is plain JSON.</summary>
    public ulong FindAtOnce(ReadOnlySpan<byte> body)
    {
        if (GzipBody.IsGzip(body)) return None;
        if (OfToken(FindFirst(body[..Math.Min(body.Length, LookedAtBytes)])) is not None and var key) return key;

        return OfToken(FindLast(body[Math.Max(0, body.Length - LookedAtBytes)..]));
    }

    /// <summary>As above; of a body that is gzip, the beginning is inflated. The body goes before the query.</summary>
    public ulong Find(ReadOnlySpan<char> query, ReadOnlyMemory<byte> body)
    {
        if (FindAtOnce(body.Span) is not None and var key) return key;
        if (FindInflated(body) is not None and var inflated) return inflated;

        return query.IsEmpty ? None : FindInQuery(query);
    }

    /// <summary>
    /// The token of a body whose very first key it is: such a request is this token's or is refused whatever happens,
    /// since no other token beside it is taken. Empty when the body does not begin so.
    /// </summary>
    /// <param name="body">The body as sent, JSON or gzip.</param>
    /// <param name="token">Room for the token.</param>
    /// <returns>The token's length; 0: there is none to be sure of.</returns>
    public static int FindCertain(ReadOnlyMemory<byte> body, Span<byte> token)
    {
        Span<byte> start = stackalloc byte[LookedAtBytes];
        scoped var text = body.Span;
        if (GzipBody.IsGzip(text)) text = start[..Inflate(body, start)];

        text = text.TrimStart(WhiteSpace);
        if (text.IsEmpty || text[0] != '{') return 0;

        text = text[1..].TrimStart(WhiteSpace);
        if (!text.StartsWith("\"api_key\""u8) && !text.StartsWith("\"token\""u8)) return 0;

        var value = ReadValue(text[(text[1..].IndexOf((byte)'"') + 2)..]);
        if (value.Length > token.Length) return 0;

        value.CopyTo(token);
        return value.Length;
    }

    /// <summary>
    /// What the work on a body is thought to cost, in bytes: those that are parsed. A sender who understates them is
    /// charged afterwards.
    /// </summary>
    public static long CostOf(ReadOnlySpan<byte> body, int maxBytes)
    {
        if (!GzipBody.IsGzip(body) || body.Length < GzipLengthBytes) return body.Length;

        uint told = BinaryPrimitives.ReadUInt32LittleEndian(body[^GzipLengthBytes..]);
        return Math.Max(body.Length, Math.Min(told, (uint)maxBytes));
    }

    private ulong OfToken(ReadOnlySpan<byte> token) => token.IsEmpty ? None : OfProject(projectOf(token));

    private ulong FindInflated(ReadOnlyMemory<byte> body)
    {
        if (!GzipBody.IsGzip(body.Span)) return None;

        Span<byte> start = stackalloc byte[LookedAtBytes];
        return OfToken(FindFirst(start[..Inflate(body, start)]));
    }

    private ulong FindInQuery(ReadOnlySpan<char> query)
    {
        var value = UrlEncoded.Find(query, "api_key");
        if (value.IsEmpty) value = UrlEncoded.Find(query, "token");
        if (value.IsEmpty || value.Length > TokenText.MaxBytes) return None;

        Span<byte> token = stackalloc byte[TokenText.MaxBytes];
        for (int i = 0; i < value.Length; i++) token[i] = (byte)value[i];
        return OfToken(token[..value.Length]);
    }

    private static ReadOnlySpan<byte> FindFirst(ReadOnlySpan<byte> text)
    {
        int at = text.IndexOf("\"api_key\""u8);
        if (at >= 0) return ReadValue(text[(at + 9)..]);

        at = text.IndexOf("\"token\""u8);
        return at >= 0 ? ReadValue(text[(at + 7)..]) : default;
    }

    private static ReadOnlySpan<byte> FindLast(ReadOnlySpan<byte> text)
    {
        int at = text.LastIndexOf("\"api_key\""u8);
        if (at >= 0) return ReadValue(text[(at + 9)..]);

        at = text.LastIndexOf("\"token\""u8);
        return at >= 0 ? ReadValue(text[(at + 7)..]) : default;
    }

    /// <summary>The text between the next two quotes behind a colon; empty when it is none, or no token's.</summary>
    private static ReadOnlySpan<byte> ReadValue(ReadOnlySpan<byte> text)
    {
        text = text.TrimStart(WhiteSpace);
        if (text.IsEmpty || text[0] != ':') return default;

        text = text[1..].TrimStart(WhiteSpace);
        if (text.IsEmpty || text[0] != '"') return default;

        int length = text[1..Math.Min(text.Length, TokenText.MaxBytes + 2)].IndexOf((byte)'"');
        if (length <= 0) return default;

        var value = text.Slice(1, length);
        return value.Contains((byte)'\\') ? default : value;
    }

    /// <summary>Inflates as much as there is room for; what is damaged gives what came before.</summary>
    private static int Inflate(ReadOnlyMemory<byte> body, Span<byte> start)
    {
        int length = 0;
        try
        {
            using var gzip = new GZipStream(new BodyStart(body), CompressionMode.Decompress);
            while (length < start.Length)
            {
                int read = gzip.Read(start[length..]);
                if (read == 0) break;
                length += read;
            }
        }
        catch (InvalidDataException)
        {
            // The parser will say what is wrong with it.
        }

        return length;
    }

    /// <summary>A little of a body, as a stream: all of it is not worth copying.</summary>
    private sealed class BodyStart(ReadOnlyMemory<byte> body) : Stream
    {
        private ReadOnlyMemory<byte> _rest = body[..Math.Min(body.Length, 2 * LookedAtBytes)];

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
