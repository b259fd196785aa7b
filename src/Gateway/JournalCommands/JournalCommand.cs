using System.Text.Json;
using Gateway.Core.Events;
using Gateway.Core.Journal;

namespace Gateway.JournalCommands;

/// <summary>
/// <c>journal inspect|verify [folder] [--json]</c>: what the journal of a stopped gateway holds, and whether all of it
/// can be read. No file is changed. The folder is the journal's or the gateway's data; without one,
/// <c>Gateway:Data</c>. Exit code: 0 whole, 1 damaged or missing, 2 nothing could be told.
/// </summary>
internal sealed class JournalCommand(TextWriter output, TextWriter complaints, TimeProvider time)
{
    private const int Whole = 0;
    private const int Damaged = 1;
    private const int NothingToTell = 2;
    private const string Usage =
        """
        Usage: journal inspect [folder] [--json]   what the journal of a stopped gateway holds
               journal verify  [folder] [--json]   reads every record; exits with 1 when one is damaged or missing

        The folder is the journal's or the gateway's data; without one it is Gateway:Data. No file is changed.
        """;

    private static readonly TimeSpan TellEvery = TimeSpan.FromSeconds(5);

    private readonly JsonSerializerOptions _json = new(JsonSerializerDefaults.Web) { WriteIndented = true };
    private long _toldAt = time.GetTimestamp();

    /// <summary>Runs on the terminal.</summary>
    public static int Run(string[] arguments)
    {
#pragma warning disable RS0030 // What a command found belongs on the terminal itself.
        return new JournalCommand(Console.Out, Console.Error, TimeProvider.System).Run(arguments, ConfiguredData);
#pragma warning restore RS0030
    }

    /// <summary>Runs the words that follow <c>journal</c>; the exit code.</summary>
    internal int Run(string[] arguments, Func<string[], string> configuredData)
    {
        string[] settings = arguments.Where(word => word.StartsWith("--Gateway:", StringComparison.Ordinal)).ToArray();
        string[] words = [.. arguments.Except(settings)];
        bool isJson = words.Contains("--json");
        words = [.. words.Where(word => word != "--json")];
        if (words is not (["inspect" or "verify"] or ["inspect" or "verify", not "" and not ['-', ..]]))
        {
            complaints.WriteLine(Usage);
            return NothingToTell;
        }

        try
        {
            string folder = FindJournal(words.Length > 1 ? words[1] : configuredData(settings));
            var report = JournalExamination.Run(folder, new SystemDisk(), Count, Tell);
            if (isJson) output.WriteLine(JsonSerializer.Serialize(report, _json));
            else if (words[0] == "inspect") JournalText.Inspect(output, report);
            else JournalText.Verify(output, report);
            return report.Problems.Count == 0 ? Whole : Damaged;
        }
        catch (Exception error) when (error is JournalException or IOException or UnauthorizedAccessException)
        {
            complaints.WriteLine(error.Message);
            return NothingToTell;
        }
    }

    /// <summary>As the gateway itself reads it.</summary>
    private static string ConfiguredData(string[] settings) =>
        WebApplication.CreateSlimBuilder([.. settings, "--hostBuilder:reloadConfigOnChange=false"])
            .Configuration["Gateway:Data"] ?? "data";

    private static string FindJournal(string folder)
    {
        var disk = new SystemDisk();
        folder = Path.GetFullPath(folder);
        string inside = Path.Combine(folder, "journal");
        if (Directory.Exists(inside)) folder = inside;
        if (Directory.Exists(folder) && JournalExamination.IsJournal(folder, disk)) return folder;

        throw new JournalException($"There is no journal in '{folder}'.");
    }

    /// <summary>Events of a format that this gateway does not know are not counted; their record is.</summary>
    private static (long Events, long Refused) Count(ReadOnlySpan<byte> payload)
    {
        if (payload.IsEmpty || payload[0] != EventPayload.Version) return default;

        long events = 0;
        long refused = 0;
        var reader = new EventPayloadReader(payload);
        while (reader.TryReadRow(out var row))
        {
            if (row[0] == EventPayload.RefusedKind) refused++;
            else events++;
        }

        return (events, refused);
    }

    private void Tell(JournalProgress progress)
    {
        if (time.GetElapsedTime(_toldAt) < TellEvery) return;

        _toldAt = time.GetTimestamp();
        complaints.WriteLine(
            $"read {progress.Segments} of {progress.AllSegments} segments, {progress.Bytes / 1_000_000:N0} MB ...");
    }
}
