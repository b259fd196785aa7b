using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

/// <summary>A group's bytes on their way to the file.</summary>
public sealed class GroupWriterTests
{
    private const int Page = 4096;
    private const int Header = SegmentHeader.Bytes;

    /// <summary>Lengths of the payloads of two groups; the last ones do not fit the writer's buffer.</summary>
    [Theory]
    [InlineData(1 << 20, new[] { 10 }, new[] { 20 })]
    [InlineData(1 << 20, new[] { 500, 4, 9000 }, new[] { 5, 4096, 4000 })]
    [InlineData(4 << 20, new[] { 700_000, 700_000, 4 }, new[] { 1_500_000 })]
    [InlineData((64 << 10) - 100, new[] { 20_000 }, new[] { 37_000 })]
    public void Each_write_ends_with_its_page_and_the_records_lie_one_behind_the_other(
        int capacity, int[] first, int[] second)
    {
        var file = new Recorder(capacity);
        var segment = new Segment("segment", file, new SegmentHeader(1, 7, 1, 0, 0), capacity);
        var writer = new GroupWriter(capacity);
        ulong sequence = 1;
        foreach (int[] group in (int[][])[first, second])
        {
            writer.Start(segment);
            foreach (int length in group)
            {
                var fields = new JournalRecordFields(sequence, sequence, 1, 7, 0);
                writer.Add(fields, TestJournal.Payload((int)sequence++, length));
            }

            writer.Flush();
            segment.MoveEnd(new SegmentEnd(writer.Position, sequence, writer.LastChecksum));
        }

        Assert.All(file.Writes, write => Assert.True(write.To % Page == 0 || write.To == capacity, $"{write}"));
        Assert.All(file.Writes, write => Assert.True(write.To <= capacity, $"{write}"));
        Assert.True(file.Bytes.AsSpan((int)segment.End).IndexOfAnyExcept((byte)0) < 0);

        long at = Header;
        sequence = 1;
        foreach (int length in first.Concat(second))
        {
            byte[] payload = TestJournal.Payload((int)sequence++, length);
            Assert.Equal(payload, file.Bytes.AsSpan((int)at + JournalRecord.HeaderBytes, length));
            at += JournalRecord.SizeOf(length);
        }

        Assert.Equal(segment.End, at);
    }

    /// <summary>A file of fixed length in memory that keeps in mind where it was written.</summary>
    private sealed class Recorder(int length) : IDiskFile
    {
        public byte[] Bytes { get; } = new byte[length];

        public List<(long From, long To)> Writes { get; } = [];

        public long Length => Bytes.Length;

        public int Read(Span<byte> buffer, long offset) => throw new NotSupportedException();

        public int Write(ReadOnlySpan<byte> data, long offset)
        {
            data.CopyTo(Bytes.AsSpan((int)offset));
            Writes.Add((offset, offset + data.Length));
            return data.Length;
        }

        public void Sync()
        {
        }

        public void SetLength(long length) => throw new NotSupportedException();

        public void Dispose()
        {
        }
    }
}
