using System.Collections.Frozen;
using System.Globalization;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;
using Gateway.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Tenancy;

/// <summary>What a gateway says of its journal and its quarantine, and when.</summary>
public sealed class DeletionFollowerTests : IAsyncLifetime, IDisposable
{
    private const string Id = "0123456789abcdef0123456789abcdef";

    private readonly TemporaryFolder _folder = new();
    private readonly Clock _time = new();
    private readonly DeadProjects _dead = new();
    private readonly SemaphoreSlim _disk = new(1);
    private int _aside;
    private bool _cannotErase;
    private ControlPlane _plane = null!;
    private EventJournal _journal = null!;

    private long DeletionEpoch => Sql("SELECT deletion_epoch FROM projects WHERE id = 1");

    private long ReportedEpoch => Sql("SELECT clean_epoch FROM gateways");

    public async Task InitializeAsync()
    {
        _plane = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(_folder.Path, new BootstrapOptions { ApiKey = GatewayProcess.ApiKey }),
            _time,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        _journal = EventJournal.Open(
            new JournalOptions(Path.Combine(_folder.Path, "journal")) { MinFreeBytes = 0, SegmentBytes = 1 << 20 },
            new SystemDisk(),
            _plane.Fence.AskAsync,
            TimeProvider.System,
            NullLogger.Instance);
    }

    public async Task DisposeAsync()
    {
        await _journal.DisposeAsync();
        await _plane.DisposeAsync();
        _folder.Remove();
    }

    public void Dispose() => _disk.Dispose();

    [Fact]
    public async Task A_gateway_is_clean_when_its_journal_has_passed_the_deletion_and_its_quarantine_is_purged()
    {
        var follower = await LoadedAsync();
        _aside = 1;
        await AppendAsync();
        await DeleteAsync();

        await follower.StepAsync(default);
        Assert.Equal([1ul], _dead.Ids);
        Assert.True(ReportedEpoch < DeletionEpoch);

        await _journal.ForgetAsync(_journal.DurableEnd);
        await follower.StepAsync(default);
        Assert.True(ReportedEpoch >= DeletionEpoch);
        Assert.Equal(0, _aside);
        Assert.Equal(1, Sql("SELECT erased_rows FROM projects WHERE id = 1"));
    }

    [Fact]
    public async Task A_gateway_that_cannot_purge_its_quarantine_lives_and_is_not_clean()
    {
        var follower = await LoadedAsync();
        _aside = 1;
        await DeleteAsync();
        _cannotErase = true;

        for (int minute = 0; minute < 3; minute++)
        {
            _time.Advance(TimeSpan.FromMinutes(1));
            await Assert.ThrowsAsync<LedgerException>(() => follower.StepAsync(default));
        }

        Assert.Single((await _plane.Erasure.ReadWorkAsync(default)).Gateways);
        Assert.Equal("waiting", (await _plane.Erasure.ProgressAsync(1, default))!.State);
        Assert.True(ReportedEpoch < DeletionEpoch);

        _cannotErase = false;
        await follower.StepAsync(default);
        Assert.True(ReportedEpoch >= DeletionEpoch);
    }

    [Fact]
    public async Task A_gateway_whose_quarantine_takes_long_says_all_along_that_it_lives()
    {
        var follower = await LoadedAsync(new HurriedTime());
        _aside = 1;
        await DeleteAsync();
        await _disk.WaitAsync();
        var step = Task.Run(() => follower.StepAsync(default));
        try
        {
            for (int minute = 0; minute < 3; minute++)
            {
                _time.Advance(TimeSpan.FromMinutes(1));
                await Eventually.HoldsAsync(
                    async () => (await _plane.Erasure.ReadWorkAsync(default)).Gateways.Count == 1,
                    TimeSpan.FromSeconds(30), () => "the gateway is heard of");
            }

            Assert.False(step.IsCompleted);
            Assert.True(ReportedEpoch < DeletionEpoch);
        }
        finally
        {
            _disk.Release();
        }

        await step;
        Assert.True(ReportedEpoch >= DeletionEpoch);
    }

    [Fact]
    public async Task A_project_that_an_older_database_knows_as_living_is_shipped_again()
    {
        var follower = await LoadedAsync();
        await DeleteAsync();
        await follower.StepAsync(default);
        Assert.Equal([1ul], _dead.Ids);
        long before = DeletionEpoch - 1;

        Sql($"""
            UPDATE projects SET deleted_at = NULL, deletion_epoch = NULL;
            DELETE FROM change_log WHERE epoch > {before};
            UPDATE epoch SET value = {before};
            """);
        await follower.StepAsync(default);

        Assert.Empty(_dead.Ids);
        Assert.Equal(before, follower.CleanEpoch);
    }

    [Fact]
    public async Task Dropped_rows_that_could_not_be_counted_are_counted_by_the_next_step()
    {
        var follower = await LoadedAsync();
        await DeleteAsync();
        _dead.CountDropped(new Dictionary<ulong, long> { [1] = 5 });
        Sql("CREATE TRIGGER full BEFORE UPDATE OF erased_rows ON projects BEGIN SELECT RAISE(ABORT, 'no'); END");
        await Assert.ThrowsAsync<TokenStoreException>(() => follower.StepAsync(default));

        Sql("DROP TRIGGER full");
        await follower.StepAsync(default);
        await follower.StepAsync(default);

        Assert.Equal(5, Sql("SELECT erased_rows FROM projects WHERE id = 1"));
    }

    [Fact]
    public async Task A_restart_takes_back_what_was_said_of_the_journal()
    {
        var follower = await LoadedAsync();
        await DeleteAsync();
        await follower.StepAsync(default);
        Assert.True(ReportedEpoch >= DeletionEpoch);

        var second = await LoadedAsync();

        Assert.Equal((0, 0), (ReportedEpoch, second.CleanEpoch));
    }

    private async Task<DeletionFollower> LoadedAsync(TimeProvider? time = null)
    {
        var follower = new DeletionFollower(
            _plane.Erasure, _journal, _dead, EraseAside, Id, time ?? _time, NullLogger.Instance);
        await follower.LoadAsync(default);
        return follower;
    }

    private async Task DeleteAsync() => Assert.Null(
        (await _plane.Projects.DeleteAsync(Caller.OfKey(GatewayProcess.ApiKey), "1", default)).Refusal);

    private async Task AppendAsync()
    {
        var token = new TokenEntry(1, 1, "phc_x"u8.ToArray());
        Assert.Equal(AppendOutcome.Kept, (await _journal.AppendAsync(token, 0, 1, new byte[64])).Outcome);
    }

    private Dictionary<ulong, long> EraseAside(FrozenSet<ulong> projects)
    {
        if (_cannotErase) throw new LedgerException("no");

        _disk.Wait();
        _disk.Release();
        int erased = projects.Contains(1) ? _aside : 0;
        _aside -= erased;
        return erased == 0 ? [] : new Dictionary<ulong, long> { [1] = erased };
    }

    private long Sql(string sql)
    {
        string path = Path.Combine(_folder.Path, "control.db");
        using var connection = new SqliteConnection($"Data Source={path};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        return command.ExecuteScalar() is { } value and not DBNull
            ? Convert.ToInt64(value, CultureInfo.InvariantCulture)
            : 0;
    }

    /// <summary>The real clock, put forward.</summary>
    private sealed class Clock : TimeProvider
    {
        private long _ahead;

        public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Volatile.Read(ref _ahead));

        public override long GetTimestamp() =>
            base.GetTimestamp() + (Volatile.Read(ref _ahead) * TimestampFrequency / TimeSpan.TicksPerSecond);

        public void Advance(TimeSpan by) => Interlocked.Add(ref _ahead, by.Ticks);
    }

    /// <summary>Whose timers run a thousand times as fast.</summary>
    private sealed class HurriedTime : TimeProvider
    {
        public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) =>
            base.CreateTimer(callback, state, dueTime > TimeSpan.Zero ? dueTime / 1000 : dueTime, period);
    }
}
