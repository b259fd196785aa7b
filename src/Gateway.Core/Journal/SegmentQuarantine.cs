using Microsoft.Extensions.Logging;

namespace Gateway.Core.Journal;

/// <summary>
/// Keeps a copy of each damaged segment for an operator, and counts and tells what was lost. The segment itself stays
/// where it is, so that positions hold and every record that is still readable is shipped.
/// </summary>
internal sealed class SegmentQuarantine(JournalOptions options, IDisk disk, ILogger logger)
{
    private long _lostRecords;

    public long LostRecords => Interlocked.Read(ref _lostRecords);

    public string PathOf(ulong segment) => Path.Combine(options.Directory, "quarantine", Segment.NameOf(segment));

    public void Take(Segment segment, DamagedRange range, JournalPosition shipped)
    {
        if (!segment.AddDamage(range)) return;
        if (new JournalPosition(segment.Number, range.To) <= shipped)
        {
            JournalLog.ShippedDamaged(logger, segment.Number, range.From, range.To);
            return;
        }

        Interlocked.Add(ref _lostRecords, range.Records);
        Copy(segment.File, segment.Number);
        JournalLog.Damaged(
            logger,
            segment.Number,
            range.From,
            range.To,
            range.Records,
            range.FirstLost,
            range.LastLost,
            PathOf(segment.Number));
    }

    /// <summary>A segment of which nothing can be read, since both copies of its header are gone.</summary>
    public void TakeWhole(IDiskFile file, ulong segment, ulong firstLost)
    {
        Copy(file, segment);
        JournalLog.HeaderLost(logger, segment, firstLost, PathOf(segment));
    }

    public void CountLost(ulong records) => Interlocked.Add(ref _lostRecords, (long)records);

    private void Copy(IDiskFile file, ulong segment)
    {
        string path = PathOf(segment);
        string folder = Path.GetDirectoryName(path)!;
        try
        {
            disk.CreateDirectory(folder);
            if (disk.List(folder).Contains(Path.GetFileName(path))) return; // An earlier run took it.

            string unfinished = path + ".unfinished";
            using (var copy = disk.Create(unfinished))
            {
                file.CopyTo(copy);
                copy.Sync();
            }

            disk.Rename(unfinished, path);
            disk.SyncDirectory(folder);
        }
        catch (Exception exception) when (exception is IOException or UnauthorizedAccessException)
        {
            // Without a copy the readable records are still worth more than a refusal to start.
            JournalLog.QuarantineFailed(logger, exception, segment);
        }
    }
}
