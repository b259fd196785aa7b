using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Bench;

/// <summary>A journal on real files, behind a fence that answers at once; its folder goes with it.</summary>
internal sealed class BenchJournal : IAsyncDisposable
{
    private const int Projects = 50;

    private readonly TokenEntry[] _entries =
        [.. Enumerable.Range(1, Projects).Select(id => new TokenEntry(id, (ulong)id, "phc_bench"u8.ToArray()))];

    public BenchJournal()
    {
        // Beside the program: the system's folder for such files may lie in memory, where syncs cost nothing.
        Folder = Path.Combine(AppContext.BaseDirectory, $"journal-{Guid.NewGuid():N}");
        Journal = EventJournal.Open(
            new JournalOptions(Folder) { MinFreeBytes = 0 },
            new SystemDisk(),
            (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch)),
            TimeProvider.System,
            NullLogger.Instance);
    }

    public string Folder { get; }

    public EventJournal Journal { get; }

    /// <summary>Appends for one of fifty projects.</summary>
    public ValueTask<AppendResult> AppendAsync(int number, ReadOnlyMemory<byte> payload) =>
        Journal.AppendAsync(_entries[number % Projects], 1, SampleEvents.Now, payload);

    public async ValueTask DisposeAsync()
    {
        await Journal.DisposeAsync();
        Directory.Delete(Folder, recursive: true);
    }
}
