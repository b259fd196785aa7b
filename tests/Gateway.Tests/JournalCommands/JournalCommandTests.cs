using System.Text.Json;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Gateway.JournalCommands;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.JournalCommands;

public sealed class JournalCommandTests : IAsyncLifetime, IDisposable
{
    private readonly StringWriter _output = new();
    private readonly StringWriter _complaints = new();
    private readonly string _data = Directory.CreateTempSubdirectory("journal-command-").FullName;
    private readonly byte[] _event = OneEvent();

    private string Folder => Path.Combine(_data, "journal");

    private string FirstSegment => Path.Combine(Folder, "00000000000000000001.segment");

    public async Task InitializeAsync()
    {
        await using var journal = Open();
        var entry = new TokenEntry(1, 7, "phc_test"u8.ToArray());
        for (int i = 0; i < 3; i++)
            Assert.Equal(AppendOutcome.Kept, (await journal.AppendAsync(entry, 1, 0, _event)).Outcome);
    }

    public Task DisposeAsync() => Task.CompletedTask;

    public void Dispose()
    {
        _output.Dispose();
        _complaints.Dispose();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public void Inspecting_shows_what_waits_by_project()
    {
        Assert.Equal(0, Run("inspect", Folder));

        Assert.Contains("project 7: 3 events in 3 records, 0 refused", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("position.1", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("spare.", _output.ToString(), StringComparison.Ordinal);
        Assert.Empty(_complaints.ToString());
    }

    [Fact]
    public void Without_a_folder_it_is_the_configured_one()
    {
        Assert.Equal(0, Run("verify"));
        Assert.StartsWith("whole: 1 segments, 3 records, 3 waiting with 3 events, 0 lost", _output.ToString(),
            StringComparison.Ordinal);
    }

    [Fact]
    public void A_damaged_record_fails_the_verification()
    {
        using (var file = File.Open(FirstSegment, FileMode.Open))
        {
            file.Position = 8192 + 20;
            file.WriteByte(0xFF);
        }

        Assert.Equal(1, Run("verify", Folder));
        Assert.Contains("1 records are lost, from sequence 1 on", _output.ToString(), StringComparison.Ordinal);
        Assert.Contains("DAMAGED: 1 segments, 2 records", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_missing_segment_fails_the_verification()
    {
        File.Delete(FirstSegment);

        Assert.Equal(1, Run("verify", Folder));
        Assert.Contains("00000000000000000001.segment is missing", _output.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void Json_is_for_programs()
    {
        Assert.Equal(0, Run("inspect", Folder, "--json"));

        var report = JsonDocument.Parse(_output.ToString()).RootElement;
        Assert.Equal(3, report.GetProperty("recordsWaiting").GetInt64());
        Assert.Equal(3, report.GetProperty("segments")[0].GetProperty("lastSequence").GetInt64());
        Assert.Equal(7, report.GetProperty("projects")[0].GetProperty("projectId").GetInt64());
        Assert.DoesNotContain("salt", _output.ToString(), StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public void Looking_changes_no_byte()
    {
        var before = Contents();
        Assert.Equal(0, Run("verify", Folder));
        Assert.Equal(before, Contents());
    }

    [Fact]
    public async Task A_running_gateways_journal_is_refused_with_the_reason()
    {
        await using var journal = Open();

        Assert.Equal(2, Run("inspect", Folder));
        Assert.Contains("A gateway uses the journal", _complaints.ToString(), StringComparison.Ordinal);
        Assert.Empty(_output.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("mend")]
    [InlineData("verify --all")]
    [InlineData("verify a b")]
    public void Anything_else_is_answered_with_how_it_is_used(string words)
    {
        Assert.Equal(2, Run(words.Split(' ', StringSplitOptions.RemoveEmptyEntries)));
        Assert.Contains("Usage: journal inspect", _complaints.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_folder_without_a_journal_is_said_to_be_one()
    {
        string empty = Directory.CreateDirectory(Path.Combine(_data, "empty")).FullName;

        Assert.Equal(2, Run("verify", empty));
        Assert.Contains("There is no journal in", _complaints.ToString(), StringComparison.Ordinal);
        Assert.Empty(Directory.EnumerateFileSystemEntries(empty));
    }

    private int Run(params string[] words) =>
        new JournalCommand(_output, _complaints, TimeProvider.System).Run(words, _ => _data);

    private Dictionary<string, string> Contents() => Directory.EnumerateFiles(Folder).Order().ToDictionary(
        path => path, path => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(path))));

    private EventJournal Open() => EventJournal.Open(
        new JournalOptions(Folder) { SegmentBytes = 1 << 20, MinFreeBytes = 0 },
        new SystemDisk(),
        (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch)),
        TimeProvider.System,
        NullLogger.Instance);

    /// <summary>As capture lays it out.</summary>
    private static byte[] OneEvent()
    {
        using var parser = new CaptureParser(new CaptureLimits());
        byte[] body = """{"api_key":"phc_test","event":"clicked","distinct_id":"d"}"""u8.ToArray();
        Assert.Null(parser.Parse(body, default, 0));
        return parser.Payload.ToArray();
    }
}
