using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

public sealed class SegmentHeaderTests
{
    private const int SecondCopy = 4096;
    private static readonly SegmentHeader Header = new(3, 0xDEAD_BEEF_0000_0001, 17, 8_192, 99);

    [Fact]
    public void A_written_header_reads_back_from_either_copy()
    {
        byte[] bytes = Written();

        Assert.True(SegmentHeader.TryRead(bytes, out var first));
        Assert.Equal(Header, first);

        bytes.AsSpan(0, SecondCopy).Clear();
        Assert.True(SegmentHeader.TryRead(bytes, out var second));
        Assert.Equal(Header, second);
    }

    [Fact]
    public void No_flipped_bit_goes_unnoticed()
    {
        byte[] bytes = Written();
        bytes.AsSpan(SecondCopy).Clear();

        for (int bit = 0; bit < 48 * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.False(SegmentHeader.TryRead(bytes, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Fact]
    public void Every_truncated_header_is_unreadable()
    {
        byte[] bytes = Written();
        bytes.AsSpan(SecondCopy).Clear();

        for (int length = 0; length < 48; length++) Assert.False(SegmentHeader.TryRead(bytes.AsSpan(0, length), out _));
    }

    private static byte[] Written()
    {
        byte[] bytes = new byte[SegmentHeader.Bytes];
        Header.Write(bytes);
        return bytes;
    }
}
