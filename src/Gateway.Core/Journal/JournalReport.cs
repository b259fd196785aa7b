namespace Gateway.Core.Journal;

/// <summary>What the files of a journal that nobody uses hold, and what is wrong with them.</summary>
public sealed record JournalReport
{
    /// <summary>The folder that was read.</summary>
    public required string Directory { get; init; }

    /// <summary>In order of their numbers, also those that are shipped and only not yet removed.</summary>
    public required IReadOnlyList<SegmentReport> Segments { get; init; }

    public required IReadOnlyList<SlotReport> Slots { get; init; }

    /// <summary>Where shipping goes on; null when no slot can be read.</summary>
    public required JournalPosition? Position { get; init; }

    /// <summary>Records behind the position.</summary>
    public required long RecordsWaiting { get; init; }

    /// <summary>Bytes of those records, headers included.</summary>
    public required long BytesWaiting { get; init; }

    /// <summary>What waits, by project.</summary>
    public required IReadOnlyList<ProjectReport> Projects { get; init; }

    /// <summary>Files made ahead of need, and unfinished ones that the next start removes.</summary>
    public required IReadOnlyList<FileReport> Spares { get; init; }

    /// <summary>Copies of segments that were found damaged.</summary>
    public required IReadOnlyList<FileReport> Quarantined { get; init; }

    /// <summary>All that is damaged or missing, one sentence each; empty when the journal is whole.</summary>
    public required IReadOnlyList<string> Problems { get; init; }
}

/// <param name="Number">As in its name.</param>
/// <param name="FileBytes">Size of its file.</param>
/// <param name="FirstSequence">Of its first record; null when its header cannot be read.</param>
/// <param name="LastSequence">Of its last record; null when it has none.</param>
/// <param name="Records">Whole ones.</param>
/// <param name="End">Where they end, bytes from the file's start.</param>
/// <param name="EndsTorn">Whether a group follows that was never acknowledged and will be left out.</param>
/// <param name="IsShipped">Whether all of it lies before the position.</param>
/// <param name="Damage">What is damaged.</param>
public sealed record SegmentReport(
    ulong Number,
    long FileBytes,
    ulong? FirstSequence,
    ulong? LastSequence,
    long Records,
    long End,
    bool EndsTorn,
    bool IsShipped,
    IReadOnlyList<DamageReport> Damage);

/// <param name="From">Offset of the first damaged byte.</param>
/// <param name="To">Offset behind the last.</param>
/// <param name="FirstLost">Sequence of the first record that is gone.</param>
/// <param name="Records">How many are gone, at most.</param>
/// <param name="IsShipped">Whether all of them were shipped before, so that nothing is lost.</param>
public sealed record DamageReport(long From, long To, ulong FirstLost, long Records, bool IsShipped);

/// <param name="Name">Of its file.</param>
/// <param name="IsReadable">Whether it is whole.</param>
/// <param name="Counts">Whether it is the one that counts.</param>
/// <param name="Position">How far it says that the journal was shipped; null when unreadable.</param>
/// <param name="LastSegment">The highest segment that had been begun; null when unreadable.</param>
/// <param name="LedgerBytes">Bytes that the shipper keeps beside it.</param>
public sealed record SlotReport(
    string Name, bool IsReadable, bool Counts, JournalPosition? Position, ulong? LastSegment, int LedgerBytes);

/// <param name="ProjectId">0 is no project.</param>
/// <param name="Records">Requests that wait.</param>
/// <param name="Events">Events in them.</param>
/// <param name="Refused">Refused events in them, kept to tell of.</param>
public sealed record ProjectReport(ulong ProjectId, long Records, long Events, long Refused);

/// <param name="Name">Without its folder.</param>
/// <param name="Bytes">Its size.</param>
public sealed record FileReport(string Name, long Bytes);

/// <summary>How far reading is.</summary>
/// <param name="Segments">Read so far.</param>
/// <param name="AllSegments">Of so many.</param>
/// <param name="Bytes">Read so far.</param>
public readonly record struct JournalProgress(int Segments, int AllSegments, long Bytes);

/// <summary>Counts the events of a record: those taken and those refused.</summary>
/// <param name="payload">The record's.</param>
public delegate (long Events, long Refused) CountEvents(ReadOnlySpan<byte> payload);
