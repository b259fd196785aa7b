using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class EventsStoreOnSqliteTests() : EventsStoreTests(onPostgres: false);

public sealed class EventsStoreOnPostgresTests() : EventsStoreTests(onPostgres: true);

public abstract class EventsStoreTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    [Fact]
    public async Task The_store_that_is_met_first_is_the_installations_and_any_other_is_refused()
    {
        await using var plane = await OpenAsync();
        string owner = plane.InstallationId;

        await plane.EventsStore.MeetAsync(["first"], owner, adopt: false, default);
        await plane.EventsStore.MeetAsync(["another-gateways", "first"], owner, adopt: false, default);
        var refused = await Assert.ThrowsAsync<ControlPlaneException>(
            () => plane.EventsStore.MeetAsync(["second"], owner, adopt: false, default));

        Assert.Contains("ConnectionStrings:ClickHouse on every gateway", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM installation WHERE events_store = 'first'"));
    }

    [Fact]
    public async Task A_store_that_is_adopted_is_the_installations_from_then_on()
    {
        await using var plane = await OpenAsync();
        await plane.EventsStore.MeetAsync(["first"], plane.InstallationId, adopt: false, default);

        await plane.EventsStore.MeetAsync(["second"], "somebody", adopt: true, default);

        await plane.EventsStore.MeetAsync(["second"], plane.InstallationId, adopt: false, default);
        await Assert.ThrowsAsync<ControlPlaneException>(
            () => plane.EventsStore.MeetAsync(["first"], plane.InstallationId, adopt: false, default));
    }

    [Fact]
    public async Task A_store_with_the_events_of_another_installation_is_refused_and_not_recorded()
    {
        await using var plane = await OpenAsync();

        var refused = await Assert.ThrowsAsync<ControlPlaneException>(
            () => plane.EventsStore.MeetAsync(["first"], "somebody", adopt: false, default));

        Assert.Contains("another installation (somebody;", refused.Message, StringComparison.Ordinal);
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM installation WHERE events_store = ''"));
    }

    [Fact]
    public async Task Ids_of_projects_stay_above_those_that_the_store_knows()
    {
        await using var plane = await OpenAsync();

        await plane.EventsStore.KeepProjectIdsAboveAsync(41, default);
        await plane.EventsStore.KeepProjectIdsAboveAsync(7, default);

        Assert.Equal(41, Sql("SELECT last_project_id FROM installation"));
    }

    [Fact]
    public async Task No_project_is_made_before_the_store_has_said_which_ids_it_knows_where_that_is_required()
    {
        await using var plane = await OpenAsync();
        Assert.True(plane.EventsStore.AreIdsSafe);
        plane.EventsStore.RequireSafeIds();
        Assert.False(plane.EventsStore.AreIdsSafe);

        await Assert.ThrowsAsync<TokenStoreException>(() => NewProjectAsync(plane));
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM projects"));

        Assert.Equal(41, await plane.EventsStore.KeepProjectIdsAboveAsync(41, default));
        Assert.True(plane.EventsStore.AreIdsSafe);
        Assert.Equal(42ul, await NewProjectAsync(plane));
    }

    [Fact]
    public async Task An_older_copy_that_is_put_back_under_a_running_gateway_gives_no_id_a_second_time()
    {
        await using var plane = await OpenAsync();
        Assert.Equal(2ul, await NewProjectAsync(plane));

        Sql("UPDATE installation SET last_project_id = 1");

        Assert.Equal(3ul, await NewProjectAsync(plane));
    }

    [Fact]
    public async Task A_new_installation_has_met_no_store_and_one_of_before_that_was_written_down_may_have()
    {
        await using var plane = await OpenAsync();
        Assert.True(await plane.EventsStore.HasMetNoneAsync(default));

        Sql("UPDATE installation SET events_store = NULL");
        Assert.False(await plane.EventsStore.HasMetNoneAsync(default));

        await plane.EventsStore.MeetAsync(["first"], plane.InstallationId, adopt: false, default);
        Assert.False(await plane.EventsStore.HasMetNoneAsync(default));
    }

    private static async Task<ulong> NewProjectAsync(ControlPlane plane)
    {
        var made = await plane.Projects.CreateAsync(
            CallerOf(GivenKey), "@current", new NewProject("New", null, new ProjectSettings()), default);
        Assert.Null(made.Refusal);
        return made.Value.ProjectId;
    }
}
