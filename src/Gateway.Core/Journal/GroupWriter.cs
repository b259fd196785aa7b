namespace Gateway.Core.Journal;

/// <summary>
/// Lays the records of a group out in one buffer and writes it where the segment ends; what does not fit the buffer
/// is written in several parts. Nothing is durable before the segment's sync.
/// </summary>
/// <remarks>
/// Each part is written to the end of its page, with zeros behind the last record: of a page that is written in part
/// the rest would be read from the disk first, while everybody waits. What is there is of no use to anybody.
/// </remarks>
internal sealed class GroupWriter(long segmentBytes)
{
    private const int MostBufferBytes = 1 << 20;
    private const int PageBytes = 4 << 10;

    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(
        (int)Math.Min(segmentBytes, MostBufferBytes) + PageBytes, pinned: true);

    private Segment _segment = null!;
    private int _used;

    /// <summary>What records may take of the buffer; the rest is for the padding.</summary>
    private int Capacity => _buffer.Length - PageBytes;

    /// <summary>Where in the segment the next record starts.</summary>
    public long Position { get; private set; }

    public uint LastChecksum { get; private set; }

    public void Start(Segment segment)
    {
        _segment = segment;
        _used = 0;
        Position = segment.End;
        LastChecksum = segment.LastChecksum;
    }

    public void Add(in JournalRecordFields fields, ReadOnlySpan<byte> payload)
    {
        Span<byte> header = stackalloc byte[JournalRecord.HeaderBytes];
        LastChecksum = JournalRecord.WriteHeader(header, _segment.Key, fields, payload);

        Put(header);
        Put(payload);
        Put(JournalRecord.Zeros[..JournalRecord.PaddingOf(payload.Length)]);
    }

    public void Flush()
    {
        if (_used == 0) return;

        long pageEnd = (Position + PageBytes - 1) / PageBytes * PageBytes;
        int padding = (int)Math.Max(0, Math.Min(pageEnd, _segment.Capacity) - Position);
        _buffer.AsSpan(_used, padding).Clear();
        _segment.File.WriteAll(_buffer.AsSpan(0, _used + padding), Position - _used);
        _used = 0;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > Capacity - _used)
        {
            int fitting = Capacity - _used;
            bytes[..fitting].CopyTo(_buffer.AsSpan(_used));
            _used += fitting;
            Position += fitting;
            bytes = bytes[fitting..];
            Flush();
        }

        bytes.CopyTo(_buffer.AsSpan(_used));
        _used += bytes.Length;
        Position += bytes.Length;
    }
}
