using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Hosting;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Hosting;

/// <summary>Installations that are new, lost or put back, and the events store that remembers.</summary>
[Collection(EngineCollection.Name)]
public sealed class StoreMeetingTests : IAsyncLifetime, IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly ClickHouseClient _client;
    private readonly EventsStoreId _store;
    private ControlPlane _plane = null!;

    public StoreMeetingTests(EngineFixture engine)
    {
        _client = new ClickHouseClient(engine.Target with { Database = $"meeting_{Guid.NewGuid():N}" });
        _store = new EventsStoreId(_client);
    }

    private string Database => Path.Combine(_folder.Path, "control.db");

    public async Task InitializeAsync() => _plane = await OpenAsync();

    public async Task DisposeAsync()
    {
        await _plane.DisposeAsync();
        _folder.Remove();
    }

    public void Dispose() => _client.Dispose();

    [Fact]
    public async Task An_id_is_not_given_again_after_its_project_was_erased_and_an_older_database_put_back()
    {
        await Meeting().TryMeetAsync(0, default);
        await _plane.DisposeAsync();
        File.Copy(Database, Database + ".old");
        _plane = await OpenAsync();
        var meeting = Meeting();
        await meeting.TryMeetAsync(0, default);
        Assert.Equal(2ul, await NewProjectAsync());
        await meeting.KeepIdsOnceAsync(default);

        await _plane.DisposeAsync();
        File.Delete(Database + "-wal");
        File.Move(Database + ".old", Database, overwrite: true);
        _plane = await OpenAsync();
        await Meeting().TryMeetAsync(0, default);

        Assert.Equal(3ul, await NewProjectAsync());
    }

    [Fact]
    public async Task Ids_are_raised_again_when_an_older_database_is_put_back_under_a_running_gateway()
    {
        var meeting = Meeting();
        await meeting.TryMeetAsync(0, default);
        await EventOfAsync(7);
        Sql("UPDATE installation SET last_project_id = 0");

        await meeting.KeepIdsOnceAsync(default);

        Assert.Equal(8ul, await NewProjectAsync());
    }

    [Fact]
    public async Task Projects_whose_events_are_still_in_the_journal_count_as_well()
    {
        await Meeting().TryMeetAsync(unshipped: 9, default);

        Assert.Equal(10ul, await NewProjectAsync());
        Assert.Equal(9, await _store.GreatestProjectAsync(default));
    }

    [Theory]
    [InlineData(null, false)]
    [InlineData(null, true)]
    [InlineData("somebody", true)]
    public async Task A_new_installation_is_refused_by_a_store_with_events_and_leaves_no_mark(string? owner, bool adopt)
    {
        await EventOfAsync(1);
        if (owner is not null) await _store.ReadOrMakeAsync(owner, adopt: false, default);

        // Also when it is started again.
        for (int start = 0; start < 2; start++)
        {
            var refused = await Assert.ThrowsAsync<ControlPlaneException>(
                () => Meeting(adopt).TryMeetAsync(0, default));
            Assert.Contains("this installation is new", refused.Message, StringComparison.Ordinal);
        }

        Assert.Equal(owner, (await _store.ReadAsync(default))?.Owner);
    }

    [Fact]
    public async Task An_installation_of_before_stores_were_marked_takes_its_own()
    {
        await EventOfAsync(1);
        Sql("UPDATE installation SET events_store = NULL");

        await Meeting().TryMeetAsync(0, default);

        Assert.Equal(_plane.InstallationId, (await _store.ReadAsync(default))?.Owner);
    }

    [Fact]
    public async Task A_new_installation_is_refused_by_an_engines_data_that_it_does_not_know()
    {
        string folder = Path.Combine(_folder.Path, "clickhouse");
        Directory.CreateDirectory(Path.Combine(folder, "data"));

        await Assert.ThrowsAsync<ControlPlaneException>(() => Meeting().MeetEngineAsync(folder));
        await Assert.ThrowsAsync<ControlPlaneException>(() => Meeting(adopt: true).MeetEngineAsync(folder));

        Directory.Delete(Path.Combine(folder, "data"));
        await Meeting().MeetEngineAsync(folder);
        Directory.CreateDirectory(Path.Combine(folder, "data"));
        await Meeting().MeetEngineAsync(folder);
    }

    private StoreMeeting Meeting(bool adopt = false) =>
        new(_plane, _store, adopt, TimeProvider.System, NullLogger.Instance);

    private async Task<ControlPlane> OpenAsync()
    {
        var plane = await ControlPlane.OpenAsync(
            new ControlPlaneOptions(_folder.Path, new BootstrapOptions { ApiKey = GatewayProcess.ApiKey }),
            TimeProvider.System,
            NullLoggerFactory.Instance,
            CancellationToken.None);
        plane.EventsStore.RequireSafeIds();
        return plane;
    }

    private async Task<ulong> NewProjectAsync()
    {
        var made = await _plane.Projects.CreateAsync(
            Caller.OfKey(GatewayProcess.ApiKey),
            "@current",
            new NewProject("New", null, new ProjectSettings()),
            default);
        Assert.Null(made.Refusal);
        return made.Value.ProjectId;
    }

    private async Task EventOfAsync(long project)
    {
        await _store.GreatestProjectAsync(default);
        await new EventsTable(_client).EnsureAsync(default);
        await _client.ExecuteAsync(
            $"INSERT INTO events (project_id, event) VALUES ({project.ToString(CultureInfo.InvariantCulture)}, 'old')");
    }

    private void Sql(string sql)
    {
        using var connection = new SqliteConnection($"Data Source={Database};Pooling=false");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
