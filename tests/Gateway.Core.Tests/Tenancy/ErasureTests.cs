using Gateway.Core.Tenancy;

namespace Gateway.Core.Tests.Tenancy;

public sealed class ErasureOnSqliteTests() : ErasureTests(onPostgres: false);

public sealed class ErasureOnPostgresTests() : ErasureTests(onPostgres: true);

/// <summary>What the database knows of deleted projects and of the gateways that may still hold their events.</summary>
public abstract class ErasureTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    [Fact]
    public async Task A_deletion_is_told_once_with_the_epoch_at_which_it_is_known()
    {
        await using var plane = await OpenAsync();
        var none = await plane.Erasure.ReadDeletionsAsync(null, default);
        Assert.Equal((0, 0), (none.Ids.Count, none.NewestEpoch));

        await DeleteAsync(plane);
        var one = await plane.Erasure.ReadDeletionsAsync(none.Stamp, default);
        Assert.Equal([1ul], one.Ids);
        Assert.Equal((none.Stamp.Epoch + 1, none.Stamp.Epoch + 1), (one.NewestEpoch, one.Stamp.Epoch));
        Assert.Empty((await plane.Erasure.ReadDeletionsAsync(one.Stamp, default)).Ids);
    }

    [Fact]
    public async Task A_project_waits_for_each_gateway_that_lives_and_for_none_that_is_gone()
    {
        await using var plane = await OpenAsync();
        var erasure = plane.Erasure;
        await erasure.ReportAsync(Report("gone", 0), default);
        Time.Now += TimeSpan.FromMinutes(2);
        await erasure.ReportAsync(Report("behind", 0), default);
        await erasure.ReportAsync(Report("clean", 1_000_000), default);
        Assert.Null(await erasure.ProgressAsync(1, default));

        await DeleteAsync(plane);
        var waiting = await erasure.ProgressAsync(1, default);
        Assert.Equal(("waiting", 0L, null), (waiting!.State, waiting.ErasedRows, waiting.ErasedAt));
        Assert.Equal(["host (behind)"], waiting.WaitsFor);
        var work = await erasure.ReadWorkAsync(default);
        Assert.Equal(["behind", "clean"], work.Gateways.Select(gateway => gateway.Id));
        Assert.Equal(work.NewestEpoch, Assert.Single(work.Waiting).Epoch);

        await erasure.ReportAsync(Report("behind", work.NewestEpoch), default);
        var erasing = await erasure.ProgressAsync(1, default);
        Assert.Equal("erasing", erasing!.State);
        Assert.Empty(erasing.WaitsFor);
    }

    [Fact]
    public async Task A_project_waits_while_no_gateway_lives()
    {
        await using var plane = await OpenAsync();
        await plane.Erasure.ReportAsync(Report("gone", 1_000_000), default);
        Time.Now += TimeSpan.FromMinutes(2);
        await DeleteAsync(plane);

        Assert.Equal("waiting", (await plane.Erasure.ProgressAsync(1, default))!.State);
    }

    [Fact]
    public async Task What_was_erased_is_counted_and_comes_back_to_be_erased_again_when_rows_turn_up()
    {
        await using var plane = await OpenAsync();
        var erasure = plane.Erasure;
        await DeleteAsync(plane);
        await erasure.AddRowsAsync(new Dictionary<ulong, long> { [1] = 5, [77] = 1 }, default);
        await erasure.CloseAsync([1], default);

        var erased = await erasure.ProgressAsync(1, default);
        Assert.Equal(("erased", 5L, Time.Now), (erased!.State, erased.ErasedRows, erased.ErasedAt));
        Assert.Empty((await erasure.ReadWorkAsync(default)).Waiting);
        Assert.Equal([1ul], await erasure.ReadErasedAsync(null, default));
        Assert.Equal([1ul], await erasure.ReadErasedAsync(Time.Now - TimeSpan.FromSeconds(1), default));
        Assert.Empty(await erasure.ReadErasedAsync(Time.Now, default));

        await erasure.ReportAsync(Report("clean", 1_000_000), default);
        await erasure.ReopenAsync([1], default);
        Assert.Equal("erasing", (await erasure.ProgressAsync(1, default))!.State);
        Assert.Single((await erasure.ReadWorkAsync(default)).Waiting);
    }

    [Fact]
    public async Task A_living_project_is_never_taken_for_erased()
    {
        await using var plane = await OpenAsync();
        await plane.Erasure.CloseAsync([1], default);

        Assert.Equal(0, Sql("SELECT COUNT(*) FROM projects WHERE erased_at IS NOT NULL"));
        Assert.Empty((await plane.Erasure.ReadWorkAsync(default)).Waiting);
        Assert.Null(await plane.Erasure.ProgressAsync(999, default));
    }

    private static async Task DeleteAsync(ControlPlane plane) =>
        Assert.Null((await plane.Projects.DeleteAsync(CallerOf(GivenKey), "1", default)).Refusal);

    private static GatewayReport Report(string id, long cleanEpoch) =>
        new(id, "host", DateTimeOffset.UnixEpoch, cleanEpoch);
}
