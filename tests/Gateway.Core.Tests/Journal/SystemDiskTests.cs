using System.IO.MemoryMappedFiles;
using System.Runtime.InteropServices;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Core.Tests.Journal;

/// <summary>The journal with its threads on real files.</summary>
public sealed partial class SystemDiskTests : IDisposable
{
    private readonly TokenEntry _entry = new(1, 7, "phc_test"u8.ToArray());
    private readonly JournalOptions _options = new(Directory.CreateTempSubdirectory("journal-").FullName)
    {
        SegmentBytes = 1 << 20,
        MinFreeBytes = 0,
    };

    [Fact]
    public async Task Many_writers_and_a_shipper_lose_and_repeat_nothing()
    {
        const int Writers = 16;
        const int Each = 500;
        SortedSet<int> shipped = [];

        await using (var journal = Open())
        {
            var shipping = ShipAsync(journal, shipped, Writers * Each);
            await Task.WhenAll(Enumerable.Range(0, Writers).Select(writer => Task.Run(async () =>
            {
                for (int i = 0; i < Each; i++)
                {
                    byte[] payload = TestJournal.Payload((writer * Each) + i, 600);
                    Assert.Equal(AppendOutcome.Kept, (await journal.AppendAsync(_entry, 1, i, payload)).Outcome);
                }
            })));
            await shipping;

            Assert.Equal(0, journal.Status.BytesWaiting);
            Assert.Equal(Writers * Each, journal.Status.Counters.Records);
            Assert.True(journal.Status.Counters.Groups < Writers * Each);
        }

        Assert.Equal(Enumerable.Range(0, Writers * Each), shipped);
    }

    [Fact]
    public async Task A_closed_journal_opens_again_with_what_was_not_shipped()
    {
        await using (var journal = Open())
        {
            Assert.Equal(AppendOutcome.Kept, (await journal.AppendAsync(_entry, 1, 5, TestJournal.Payload(42))).Outcome);
        }

        await using var again = Open();
        var batch = new JournalBatch();
        Assert.True(again.Read(again.ShippedPosition, batch, 4096));
        Assert.Equal(1, batch.Count);
        Assert.Equal(5, again.Status.OldestWaitingMicros);
    }

    [Fact]
    public async Task A_second_journal_on_the_directory_is_refused_until_the_first_is_gone()
    {
        await using (Open())
        {
            Assert.Contains("Another process", Assert.Throws<JournalException>(Open).Message, StringComparison.Ordinal);
        }

        await using var second = Open();
        Assert.True(second.Status.IsAccepting);
    }

    [Fact]
    public async Task Appending_allocates_nothing_once_warm()
    {
        await using var journal = EventJournal.Open(
            _options,
            new SystemDisk(),
            (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch)),
            TimeProvider.System,
            NullLogger.Instance,
            () => 1,
            withThreads: false);
        byte[] payload = TestJournal.Payload(1, 500);
        AppendGroups(journal, payload, 20);

        // The disk's room is looked up once in a while, which is no append's: one round of some is without it.
        long least = long.MaxValue;
        for (int round = 0; round < 5; round++)
        {
            long before = GC.GetAllocatedBytesForCurrentThread();
            AppendGroups(journal, payload, 20);
            least = Math.Min(least, GC.GetAllocatedBytesForCurrentThread() - before);
        }

        Assert.Equal(0, least);
    }

    /// <summary>On a disk, and on a file system without one, which may not be written past the cache.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(1000)]
    [InlineData(4096)]
    [InlineData((1 << 20) + (12 << 10))]
    [InlineData((1 << 20) + 4097)]
    public void A_prewritten_file_holds_zeros_to_its_length_and_is_written_like_any_other(int length)
    {
        foreach (string directory in (string[])[_options.Directory, Directory.Exists("/dev/shm") ? "/dev/shm" : "."])
        {
            string path = Path.Combine(directory, $"gateway-zeros-{Guid.NewGuid():N}");
            try
            {
                using var file = new SystemDisk().Create(path);
                file.WriteAll("what was there before"u8, 0);
                file.Prewrite(length);
                Assert.Equal(Math.Max(length, 21), file.Length);

                file.WriteAll("odd"u8, 7);
                file.Sync();
                byte[] bytes = file.ReadRange(0, long.MaxValue);
                if (length == 0) continue;

                Assert.Equal("odd"u8, bytes.AsSpan(7, 3));
                bytes.AsSpan(7, 3).Clear();
                Assert.Equal(-1, bytes.AsSpan().IndexOfAnyExcept((byte)0));
            }
            finally
            {
                File.Delete(path);
            }
        }
    }

    [Fact]
    public void A_file_that_is_not_kept_in_memory_holds_what_was_synced_and_what_was_not()
    {
        byte[] synced = TestJournal.Payload(1, 1 << 20);
        byte[] written = TestJournal.Payload(2, 100_000);

        // Beside the program: the system's folder for such files may lie in memory.
        string path = Path.Combine(AppContext.BaseDirectory, $"cached-{Guid.NewGuid():N}");
        try
        {
            using var file = new SystemDisk().Create(path);
            file.WriteAll(synced, 0);
            file.Sync();
            file.WriteAll(written, synced.Length);
            int before = CachedPages(path);
            file.Uncache();

            if (OperatingSystem.IsLinux()) Assert.InRange(CachedPages(path), 0, before / 2);
            Assert.Equal([.. synced, .. written], file.ReadRange(0, long.MaxValue));
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static int CachedPages(string path)
    {
        using var map = MemoryMappedFile.CreateFromFile(path, FileMode.Open, null, 0, MemoryMappedFileAccess.ReadWrite);
        using var view = map.CreateViewAccessor();
        int length = (int)view.SafeMemoryMappedViewHandle.ByteLength;
        byte[] pages = new byte[length / Environment.SystemPageSize];
        nuint bytes = (nuint)(pages.Length * Environment.SystemPageSize);
        Assert.Equal(0, MinCore(view.SafeMemoryMappedViewHandle.DangerousGetHandle(), bytes, pages));
        return pages.Count(page => (page & 1) != 0);
    }

    [LibraryImport("libc", EntryPoint = "mincore", SetLastError = true)]
    private static partial int MinCore(nint address, nuint length, [Out] byte[] pages);

    public void Dispose() => Directory.Delete(_options.Directory, recursive: true);

    private static async Task ShipAsync(EventJournal journal, SortedSet<int> shipped, int count)
    {
        var batch = new JournalBatch();
        var position = journal.ShippedPosition;
        while (shipped.Count < count)
        {
            await journal.WaitForMoreAsync(position, CancellationToken.None);
            if (!journal.Read(position, batch, 100_000)) continue;

            foreach (var record in batch) Assert.True(shipped.Add(TestJournal.IdOf(record.Payload.ToArray())));
            position = batch.Next;
            await journal.ForgetAsync(position);
        }
    }

    private void AppendGroups(EventJournal journal, byte[] payload, int groups)
    {
        for (int group = 0; group < groups; group++)
        {
#pragma warning disable CA2012 // Each is complete after the commit, and taken once; awaiting would allocate.
            var first = journal.AppendAsync(_entry, 1, 0, payload);
            var second = journal.AppendAsync(_entry, 1, 0, payload);
            var refusal = journal.FenceAsync(1);
#pragma warning restore CA2012
            journal.CommitOnce();
            bool isKept = first.Result.Outcome == AppendOutcome.Kept
                & second.Result.Outcome == AppendOutcome.Kept
                & refusal.Result.Outcome == AppendOutcome.Kept;
            if (!isKept) Assert.Fail("An append was not kept.");
        }
    }

    private EventJournal Open() => EventJournal.Open(
        _options,
        new SystemDisk(),
        (epoch, _) => ValueTask.FromResult(new FenceAnswer(FenceVerdict.Same, epoch)),
        TimeProvider.System,
        NullLogger.Instance);
}
