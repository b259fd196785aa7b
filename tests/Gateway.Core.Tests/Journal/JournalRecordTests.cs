using System.Buffers.Binary;
using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

public sealed class JournalRecordTests
{
    private static readonly SegmentKey Key = new(0x1234_5678_9ABC_DEF0);
    private static readonly JournalRecordFields Fields = new(5, 4, -3, ulong.MaxValue, 1_700_000_000_000_000, 9);

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(7)]
    [InlineData(8)]
    [InlineData(13)]
    [InlineData(100_000)]
    public void A_written_record_reads_back(int length)
    {
        byte[] payload = TestJournal.Payload(length, length)[..length];
        byte[] bytes = Written(payload);

        Assert.Equal(RecordStatus.Complete, JournalRecord.Read(bytes, Key, out var record, out long size));
        Assert.Equal(bytes.Length, size);
        Assert.Equal(0, size % JournalRecord.Alignment);
        Assert.True(record.Payload.SequenceEqual(payload));
        Assert.Equal(
            Fields,
            new JournalRecordFields(
                record.Sequence, record.Group, record.Epoch, record.ProjectId, record.ReceivedAtMicros, record.Flags));
    }

    [Fact]
    public void Every_torn_write_is_incomplete()
    {
        byte[] bytes = Written("a small event"u8);

        for (int length = 0; length < bytes.Length; length++)
        {
            Assert.Equal(RecordStatus.Incomplete, JournalRecord.Read(bytes.AsSpan(0, length), Key, out _, out _));
        }
    }

    [Fact]
    public void No_flipped_bit_goes_unnoticed()
    {
        byte[] bytes = Written("a small event"u8);

        for (int bit = 0; bit < bytes.Length * 8; bit++)
        {
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.NotEqual(RecordStatus.Complete, JournalRecord.Read(bytes, Key, out _, out _));
            bytes[bit / 8] ^= (byte)(1 << (bit % 8));
        }
    }

    [Theory]
    [InlineData((uint)JournalOptions.LargestSegment + 1)]
    [InlineData(uint.MaxValue)]
    public void A_length_out_of_range_is_corrupt_and_never_waited_for(uint length)
    {
        byte[] bytes = Written("a small event"u8);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), length);

        Assert.Equal(RecordStatus.Corrupt, JournalRecord.Read(bytes, Key, out _, out _));
    }

    [Fact]
    public void A_record_of_another_segment_is_corrupt()
    {
        byte[] bytes = Written("a small event"u8);

        var sameMagic = new SegmentKey(Key.Salt ^ 1);
        Assert.Equal(Key.Magic, sameMagic.Magic);
        Assert.Equal(RecordStatus.Corrupt, JournalRecord.Read(bytes, sameMagic, out _, out _));
        Assert.Equal(RecordStatus.Corrupt, JournalRecord.Read(bytes, new SegmentKey(~Key.Salt), out _, out _));
    }

    [Fact]
    public void Reading_allocates_nothing()
    {
        byte[] bytes = Written("a small event"u8);
        JournalRecord.Read(bytes, Key, out _, out _);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < 1000; i++) JournalRecord.Read(bytes, Key, out _, out _);

        Assert.Equal(before, GC.GetAllocatedBytesForCurrentThread());
    }

    private static byte[] Written(ReadOnlySpan<byte> payload)
    {
        byte[] bytes = new byte[JournalRecord.SizeOf(payload.Length)];
        JournalRecord.WriteHeader(bytes.AsSpan(0, JournalRecord.HeaderBytes), Key, Fields, payload);
        payload.CopyTo(bytes.AsSpan(JournalRecord.HeaderBytes));
        return bytes;
    }
}
