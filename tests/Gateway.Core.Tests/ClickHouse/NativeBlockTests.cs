using System.Buffers;
using System.Text;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Tests.ClickHouse;

public sealed class NativeBlockTests
{
    [Fact]
    public void Every_type_is_laid_out_as_ClickHouse_has_it()
    {
        var block = new NativeBlock(
            [("a", "UInt64"), ("b", "Date"), ("c", "String"), ("d", "UUID"), ("e", "DateTime64(6)")]);
        for (int row = 0; row < 2; row++)
        {
            block.Columns[0].WriteUInt64(0x0102030405060708 + (ulong)row);
            block.Columns[1].WriteUInt16((ushort)(0x0a0b + row));
            block.Columns[2].WriteString(row == 0 ? "xyz"u8 : ""u8);
            block.Columns[3].WriteUuid("0123456789abcdef"u8);
            block.Columns[4].WriteInt64(-1 - row);
        }

        byte[] expected =
        [
            5, 2,
            .. "\u0001a\u0006UInt64"u8, 8, 7, 6, 5, 4, 3, 2, 1, 9, 7, 6, 5, 4, 3, 2, 1,
            .. "\u0001b\u0004Date"u8, 0x0b, 0x0a, 0x0c, 0x0a,
            .. "\u0001c\u0006String"u8, 3, .. "xyz"u8, 0,
            .. "\u0001d\u0004UUID"u8, .. "0123456789abcdef0123456789abcdef"u8,
            .. "\u0001e\u000dDateTime64(6)"u8,
            .. Enumerable.Repeat((byte)255, 8), 254, .. Enumerable.Repeat((byte)255, 7),
        ];
        Assert.Equal(expected, block.Finish(2).ToArray());
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(127)]
    [InlineData(128)]
    [InlineData(16_383)]
    [InlineData(16_384)]
    [InlineData(NativeColumn.ChunkBytes - 1)]
    [InlineData(NativeColumn.ChunkBytes)]
    [InlineData(3 * NativeColumn.ChunkBytes)]
    public void A_string_of_any_length_lies_whole_across_chunks(int length)
    {
        byte[] text = new byte[length];
        new Random(length).NextBytes(text);
        var block = new NativeBlock([("s", "String")]);
        for (int row = 0; row < 5; row++)
        {
            block.Columns[0].BeginString(length);
            block.Columns[0].AppendToString(text.AsSpan(0, length / 3));
            block.Columns[0].AppendToString(text.AsSpan(length / 3));
        }

        using var reader = new BinaryReader(new MemoryStream(block.Finish(5).ToArray()), Encoding.UTF8);
        Assert.Equal((1, 5), (reader.Read7BitEncodedInt(), reader.Read7BitEncodedInt()));
        Assert.Equal(("s", "String"), (reader.ReadString(), reader.ReadString()));
        for (int row = 0; row < 5; row++)
        {
            Assert.Equal(length, reader.Read7BitEncodedInt());
            Assert.Equal(text, reader.ReadBytes(length));
        }

        Assert.Equal(reader.BaseStream.Length, reader.BaseStream.Position);
    }

    [Fact]
    public void A_cleared_block_begins_anew_in_the_memory_it_has()
    {
        var block = new NativeBlock([("s", "String"), ("t", "String")]);
        byte[] text = new byte[NativeColumn.ChunkBytes * 4];
        block.Columns[0].WriteString(text);
        block.Clear();

        long before = GC.GetAllocatedBytesForCurrentThread();
        block.Columns[1].WriteString(text.AsSpan(0, NativeColumn.ChunkBytes * 3));
        Assert.InRange(GC.GetAllocatedBytesForCurrentThread() - before, 0, 1000);

        Assert.Equal(
            2 + 2 * 9 + 3 + (NativeColumn.ChunkBytes * 3), block.Finish(1).Length);
    }
}
