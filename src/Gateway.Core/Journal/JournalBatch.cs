namespace Gateway.Core.Journal;

/// <summary>
/// A contiguous range of durable records, copied out of the journal; made once and filled again and again. One
/// thread at a time.
/// </summary>
public sealed class JournalBatch
{
    private byte[] _bytes = [];
    private int _used;

    /// <summary>How many records it holds.</summary>
    public int Count { get; private set; }

    /// <summary>Where the batch was read from.</summary>
    public JournalPosition From { get; private set; }

    /// <summary>Behind its last record: where to read on, and what to forget up to once the batch is stored.</summary>
    public JournalPosition Next { get; private set; }

    /// <summary>All of its records; their payloads are slices of it, good until the batch is filled again.</summary>
    public ReadOnlyMemory<byte> Bytes => _bytes.AsMemory(0, _used);

    public Enumerator GetEnumerator() => new(_bytes.AsSpan(0, _used));

    internal void Clear(JournalPosition from)
    {
        (_used, Count) = (0, 0);
        (From, Next) = (from, from);
    }

    /// <summary>Room for at least this many bytes, to read into.</summary>
    internal Span<byte> Reserve(int length)
    {
        if (_bytes.Length < length) _bytes = GC.AllocateUninitializedArray<byte>(length);
        return _bytes.AsSpan(0, length);
    }

    internal void Keep(int used, int count, JournalPosition next) => (_used, Count, Next) = (used, count, next);

    /// <summary>Walks over the records in order.</summary>
    public ref struct Enumerator
    {
        private ReadOnlySpan<byte> _rest;

        internal Enumerator(ReadOnlySpan<byte> records) => _rest = records;

        public JournalRecordView Current { get; private set; }

        public bool MoveNext()
        {
            if (_rest.IsEmpty) return false;

            Current = JournalRecord.ReadTrusted(_rest, out int size);
            _rest = _rest[size..];
            return true;
        }
    }
}
