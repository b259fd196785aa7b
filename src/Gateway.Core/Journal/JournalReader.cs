namespace Gateway.Core.Journal;

/// <summary>
/// Reads durable records for the shipper while appends go on. Every checksum is verified again; what has become
/// unreadable since recovery is quarantined, told of, and passed over.
/// </summary>
internal sealed class JournalReader(SegmentStore store, SegmentQuarantine quarantine)
{
    /// <summary>Fills the batch with at least one record if there is any; too large a one comes alone.</summary>
    public bool Read(JournalPosition from, JournalBatch batch, int maxBytes, JournalPosition? until = null)
    {
        batch.Clear(from);
        while (store.Find(from, out bool isFollowed) is { } segment)
        {
            // In this order: a segment that is followed has its final end, so nothing can be missed between the two.
            long offset = segment.SkipDamage(Math.Max(from.Offset, SegmentHeader.Bytes));
            long end = EndOf(segment, until);
            if (offset < end)
            {
                if (Fill(segment, offset, end, batch, maxBytes)) return true;
                ExamineDamage(segment, offset);
            }
            else if (isFollowed && !(until <= new JournalPosition(segment.Number, end)))
            {
                from = new JournalPosition(segment.Number + 1, SegmentHeader.Bytes);
            }
            else
            {
                return false;
            }
        }

        return false;
    }

    /// <summary>When the first record behind a position was received; null when there is none.</summary>
    public long? PeekReceivedAt(JournalPosition position)
    {
        while (store.Find(position, out bool isFollowed) is { } segment)
        {
            long offset = segment.SkipDamage(Math.Max(position.Offset, SegmentHeader.Bytes));
            if (offset < segment.End)
            {
                Span<byte> header = stackalloc byte[JournalRecord.HeaderBytes];
                return segment.File.ReadAll(header, offset) == header.Length
                    ? JournalRecord.PeekReceivedAt(header, segment.Key)
                    : null;
            }

            if (!isFollowed) return null;
            position = new JournalPosition(segment.Number + 1, 0);
        }

        return null;
    }

    private static long EndOf(Segment segment, JournalPosition? until) =>
        until is { } last && last.Segment == segment.Number ? Math.Min(last.Offset, segment.End) : segment.End;

    private static bool Fill(Segment segment, long offset, long end, JournalBatch batch, int maxBytes)
    {
        long available = end - offset;
        int wanted = (int)Math.Min(available, Math.Max(maxBytes, JournalRecord.HeaderBytes));
        if (TryFill(segment, offset, batch, wanted, out long first)) return true;

        // The first record alone is larger than asked for, or it is damaged and only claims to be.
        return first > wanted && first <= available && TryFill(segment, offset, batch, (int)first, out _);
    }

    private static bool TryFill(Segment segment, long offset, JournalBatch batch, int wanted, out long first)
    {
        var bytes = batch.Reserve(wanted);
        bytes = bytes[..segment.File.ReadAll(bytes, offset)];

        first = 0;
        int at = 0;
        int count = 0;
        while (JournalRecord.Read(bytes[at..], segment.Key, out _, out long size) == RecordStatus.Complete)
        {
            at += (int)size;
            count++;
        }

        if (count == 0) JournalRecord.Read(bytes, segment.Key, out _, out first);
        else batch.Keep(at, count, new JournalPosition(segment.Number, offset + at));
        return count > 0;
    }

    private void ExamineDamage(Segment segment, long offset)
    {
        var end = store.EndOf(segment);
        var scan = SegmentScan.Run(segment.File.ReadRange(0, end.Offset), segment.Header, end);
        foreach (var range in scan.Damage) quarantine.Take(segment, range, store.ShippedPosition);

        if (segment.SkipDamage(offset) == offset)
            throw new JournalException($"No record begins at {offset} of journal segment {segment.Number}.");
    }
}
