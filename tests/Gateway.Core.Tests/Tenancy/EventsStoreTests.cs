using Gateway.Core.Tenancy;

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
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM installation WHERE events_store IS NULL"));
    }

    [Fact]
    public async Task Ids_of_projects_stay_above_those_that_the_store_knows()
    {
        await using var plane = await OpenAsync();

        await plane.EventsStore.KeepProjectIdsAboveAsync(41, default);
        await plane.EventsStore.KeepProjectIdsAboveAsync(7, default);

        Assert.Equal(41, Sql("SELECT last_project_id FROM installation"));
    }
}
