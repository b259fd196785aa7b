namespace Gateway.Core.Journal;

/// <summary>
/// Lays the records of a group out in one buffer and writes it where the segment ends; what does not fit the buffer
/// is written in several parts. Nothing is durable before the segment's sync.
/// </summary>
internal sealed class GroupWriter(long segmentBytes)
{
    private const int MostBufferBytes = 1 << 20;

    private readonly byte[] _buffer =
        GC.AllocateUninitializedArray<byte>((int)Math.Min(segmentBytes, MostBufferBytes), pinned: true);

    private Segment _segment = null!;
    private int _used;

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

        _segment.File.WriteAll(_buffer.AsSpan(0, _used), Position - _used);
        _used = 0;
    }

    private void Put(ReadOnlySpan<byte> bytes)
    {
        while (bytes.Length > _buffer.Length - _used)
        {
            int fitting = _buffer.Length - _used;
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
