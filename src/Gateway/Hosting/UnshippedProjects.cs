using Gateway.Core.Journal;

namespace Gateway.Hosting;

/// <summary>Which projects a journal still holds events of: the store does not know these yet.</summary>
internal static class UnshippedProjects
{
    private const int BatchBytes = 1 << 20;

    /// <summary>The greatest id among what waited when this began; 0 when nothing did.</summary>
    public static long Greatest(EventJournal journal)
    {
        ulong greatest = 0;
        var batch = new JournalBatch();
        var (position, end) = (journal.ShippedPosition, journal.DurableEnd);
        while (position < end && journal.Read(position, batch, BatchBytes))
        {
            foreach (var record in batch) greatest = Math.Max(greatest, record.ProjectId);
            position = batch.Next;
        }

        return (long)greatest;
    }
}
