namespace Gateway.Core.Journal;

/// <summary>A place between two records. The default value is before the first record that the journal holds.</summary>
/// <param name="Segment">The segment's number, from 1 on.</param>
/// <param name="Offset">Bytes from the segment's start.</param>
public readonly record struct JournalPosition(ulong Segment, long Offset) : IComparable<JournalPosition>
{
    public static bool operator <(JournalPosition left, JournalPosition right) => left.CompareTo(right) < 0;

    public static bool operator >(JournalPosition left, JournalPosition right) => left.CompareTo(right) > 0;

    public static bool operator <=(JournalPosition left, JournalPosition right) => left.CompareTo(right) <= 0;

    public static bool operator >=(JournalPosition left, JournalPosition right) => left.CompareTo(right) >= 0;

    public int CompareTo(JournalPosition other) =>
        Segment != other.Segment ? Segment.CompareTo(other.Segment) : Offset.CompareTo(other.Offset);
}
