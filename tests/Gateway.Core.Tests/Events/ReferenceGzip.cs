using System.IO.Compression;

namespace Gateway.Core.Tests.Events;

/// <summary>Gzip by its RFC: header by hand, the framework's inflate fed byte by byte, so that its end is known.</summary>
internal static class ReferenceGzip
{
    /// <summary>All members, which must fill the text; null when it is damaged. At most a little over the limit.</summary>
    public static byte[]? Inflate(byte[] text, int limit)
    {
        using var output = new MemoryStream();
        int at = 0;
        while (at < text.Length)
        {
            if (!TrySkipHeader(text, ref at)) return null;

            int start = (int)output.Length;
            var input = new Dribble(text, at);
            try
            {
                using var inflate = new DeflateStream(input, CompressionMode.Decompress);
                byte[] piece = new byte[4096];
                for (int read; (read = inflate.Read(piece)) > 0;)
                {
                    output.Write(piece, 0, read);
                    if (output.Length > limit) return output.ToArray();
                }
            }
            catch (InvalidDataException)
            {
                return null;
            }

            at = input.At;
            var member = output.GetBuffer().AsSpan(start, (int)output.Length - start);
            if (text.Length - at < 8) return null;
            if (BitConverter.ToUInt32(text, at) != Crc32(member) || BitConverter.ToUInt32(text, at + 4) != member.Length) return null;
            at += 8;
        }

        return output.ToArray();
    }

    private static bool TrySkipHeader(byte[] text, ref int at)
    {
        if (text.Length - at < 10 || text[at] != 0x1f || text[at + 1] != 0x8b || text[at + 2] != 8) return false;

        int start = at, flags = text[at + 3];
        at += 10;
        if ((flags & 4) != 0 && text.Length - at >= 2) at += 2 + text[at] + (text[at + 1] << 8);
        for (int strings = ((flags >> 3) & 1) + ((flags >> 4) & 1); strings > 0; strings--) SkipText(text, ref at);

        return (flags & 0xe0) == 0 && ((flags & 2) == 0 || TrySkipSum(text, start, ref at)) && at < text.Length;
    }

    private static void SkipText(byte[] text, ref int at)
    {
        while (at < text.Length && text[at] != 0) at++;
        at++;
    }

    private static bool TrySkipSum(byte[] text, int start, ref int at)
    {
        if (text.Length - at < 2) return false;

        bool isRight = BitConverter.ToUInt16(text, at) == (ushort)Crc32(text.AsSpan(start, at - start));
        at += 2;
        return isRight;
    }

    private static uint Crc32(ReadOnlySpan<byte> bytes)
    {
        uint crc = uint.MaxValue;
        foreach (byte next in bytes)
        {
            crc ^= next;
            for (int bit = 0; bit < 8; bit++) crc = (crc >> 1) ^ (0xedb88320 & (uint)-(int)(crc & 1));
        }

        return ~crc;
    }

    /// <summary>Gives one byte at a time, so that no more is taken than is needed.</summary>
    private sealed class Dribble(byte[] text, int start) : MemoryStream
    {
        public int At { get; private set; } = start;

        public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

        public override int Read(Span<byte> buffer)
        {
            if (At >= text.Length || buffer.IsEmpty) return 0;
            buffer[0] = text[At++];
            return 1;
        }
    }
}
