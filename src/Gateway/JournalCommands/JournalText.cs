using Gateway.Core.Journal;

namespace Gateway.JournalCommands;

/// <summary>A journal's report for people.</summary>
internal static class JournalText
{
    public static void Inspect(TextWriter to, JournalReport report)
    {
        to.WriteLine($"Journal {report.Directory}");
        to.WriteLine();
        WriteSegments(to, report);
        WriteSlots(to, report.Slots);
        WriteWaiting(to, report);
        WriteFiles(to, "Spare files", report.Spares);
        WriteFiles(to, "Copies of damaged segments", report.Quarantined);
        WriteProblems(to, report.Problems);
    }

    public static void Verify(TextWriter to, JournalReport report)
    {
        WriteProblems(to, report.Problems);
        long records = report.Segments.Sum(segment => segment.Records);
        long events = report.Projects.Sum(project => project.Events);
        long lost = report.Segments.SelectMany(segment => segment.Damage)
            .Sum(range => range.IsShipped ? 0 : range.Records);
        to.WriteLine(
            $"{(report.Problems.Count == 0 ? "whole" : "DAMAGED")}: {report.Segments.Count} segments, "
            + $"{records} records, {report.RecordsWaiting} waiting with {events} events, {lost} lost");
    }

    private static void WriteSegments(TextWriter to, JournalReport report)
    {
        to.WriteLine("Segments");
        to.WriteLine($"  {"number",20} {"bytes",14} {"first",14} {"last",14} {"records",10} {"end",14}");
        foreach (var segment in report.Segments)
        {
            to.WriteLine(
                $"  {segment.Number,20} {segment.FileBytes,14} {segment.FirstSequence,14} {segment.LastSequence,14} "
                + $"{segment.Records,10} {segment.End,14}{Remarks(segment)}");
        }

        to.WriteLine();
    }

    private static string Remarks(SegmentReport segment)
    {
        string remarks = segment.FirstSequence is null ? "  NO READABLE HEADER" : "";
        if (segment.Damage.Count > 0) remarks += "  DAMAGED";
        if (segment.IsShipped) remarks += "  shipped, goes with the next start";
        if (segment.EndsTorn) remarks += "  ends in a group that was never acknowledged";
        return remarks;
    }

    private static void WriteSlots(TextWriter to, IReadOnlyList<SlotReport> slots)
    {
        to.WriteLine("Positions");
        foreach (var slot in slots)
        {
            to.WriteLine(slot is { IsReadable: true, Position: { } position }
                ? $"  {slot.Name}  shipped up to byte {position.Offset} of segment {position.Segment}; last segment "
                    + $"{slot.LastSegment}; {slot.LedgerBytes} bytes beside it{(slot.Counts ? "  counts" : "")}"
                : $"  {slot.Name}  CANNOT BE READ");
        }

        if (slots.Count == 0) to.WriteLine("  none");
        to.WriteLine();
    }

    private static void WriteWaiting(TextWriter to, JournalReport report)
    {
        to.WriteLine($"Waiting: {report.RecordsWaiting} records, {report.BytesWaiting} bytes");
        foreach (var project in report.Projects)
        {
            to.WriteLine(
                $"  project {project.ProjectId}: {project.Events} events in {project.Records} records, "
                + $"{project.Refused} refused");
        }

        to.WriteLine();
    }

    private static void WriteFiles(TextWriter to, string title, IReadOnlyList<FileReport> files)
    {
        if (files.Count == 0) return;

        to.WriteLine(title);
        foreach (var file in files) to.WriteLine($"  {file.Name}  {file.Bytes} bytes");
        to.WriteLine();
    }

    private static void WriteProblems(TextWriter to, IReadOnlyList<string> problems)
    {
        foreach (string problem in problems) to.WriteLine($"DAMAGE: {problem}");
    }
}
