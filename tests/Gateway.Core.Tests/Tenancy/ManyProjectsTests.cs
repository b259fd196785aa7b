using System.Diagnostics;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class ManyProjectsOnSqliteTests() : ManyProjectsTests(onPostgres: false);

public sealed class ManyProjectsOnPostgresTests() : ManyProjectsTests(onPostgres: true);

/// <summary>A change that touches thousands of things is one change, and takes no longer than people wait.</summary>
public abstract class ManyProjectsTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    private const int Projects = 1500;

    // A write is given up after six seconds.
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(5);

    [Fact]
    public async Task An_organization_with_many_projects_is_deleted_at_once()
    {
        await using var plane = await OpenAsync();
        Fill();
        long before = Sql("SELECT value FROM epoch");
        long mark = Sql("SELECT mark FROM epoch");
        var own = (await plane.Organizations.ReadAsync(CallerOf(GivenKey), "@current", default)).Value;

        long started = Stopwatch.GetTimestamp();
        var deleted = await plane.Organizations.DeleteAsync(CallerOf(GivenKey), own.Id.ToString(), default);
        var took = Stopwatch.GetElapsedTime(started);

        Assert.Null(deleted.Refusal);
        Assert.True(took < Bound, $"it took {took}");
        Assert.Equal(before + 1, Sql("SELECT value FROM epoch"));
        Assert.Equal(Projects + 1, Sql($"SELECT COUNT(*) FROM projects WHERE deletion_epoch = {before + 1}"));
        Assert.Equal(
            Projects + 1,
            Sql($"SELECT COUNT(DISTINCT token_id) FROM change_log WHERE epoch = {before + 1} AND token_id IS NOT NULL"));
        Assert.Equal(
            Projects + 1,
            Sql($"SELECT COUNT(DISTINCT what_id) FROM change_log WHERE epoch = {before + 1} AND what = 'project'"));
        Assert.Equal(
            Sql($"SELECT COUNT(*) FROM change_log WHERE epoch = {before + 1}") - 1,
            Sql($"SELECT MAX(position) FROM change_log WHERE epoch = {before + 1}"));

        var changes = await plane.Erasure.ReadDeletionsAsync(new EpochStamp(before, mark), default);
        Assert.Equal(Projects + 1, changes.Ids.Count);
    }

    private void Fill() => Sql(
        $"""
        INSERT INTO projects (id, uuid, organization_id, name, created_at)
        WITH RECURSIVE n (i) AS (SELECT 2 UNION ALL SELECT i + 1 FROM n WHERE i <= {Projects})
        SELECT i, 'uuid-' || i, 1, 'Project ' || i, 0 FROM n;
        INSERT INTO project_tokens (project_id, token, imported, created_at)
        SELECT id, 'phc_many_' || id, 1, 0 FROM projects WHERE id > 1;
        UPDATE installation SET last_project_id = {Projects + 1};
        """);
}
