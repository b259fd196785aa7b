using System.Globalization;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Shipping;

/// <summary>
/// Takes whole projects out of the table <c>events</c>. By a mutation, which writes the parts anew without their rows:
/// what is erased is gone from every part, not hidden. Counting is without FINAL, so that every copy counts; since the
/// project leads the table's key, it reads nothing of others.
/// </summary>
public sealed class EventsEraser(ClickHouseClient client, TimeProvider time)
{
    /// <summary>Projects in one statement.</summary>
    public const int MaxProjects = 1000;

    private const string Unfinished =
        """
        SELECT max(latest_fail_reason) FROM system.mutations
        WHERE database = currentDatabase() AND table = 'events' AND NOT is_done HAVING count() > 0
        """;

    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(200);

    /// <summary>Rows of these projects, every copy of each; a project without rows is not in the answer.</summary>
    /// <exception cref="ClickHouseException">It cannot be asked now.</exception>
    public async Task<Dictionary<ulong, long>> CountAsync(
        IReadOnlyCollection<ulong> projects, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(projects.Count, MaxProjects);
        string text = await client.QueryTextAsync(
            "SELECT project_id, count() FROM events WHERE project_id IN {projects:Array(UInt64)} GROUP BY project_id",
            Parameters(projects),
            cancellationToken: cancellationToken);

        var rows = new Dictionary<ulong, long>();
        foreach (string line in text.Split('\n', StringSplitOptions.RemoveEmptyEntries))
        {
            string[] fields = line.Split('\t');
            rows[ulong.Parse(fields[0], CultureInfo.InvariantCulture)] =
                long.Parse(fields[1], CultureInfo.InvariantCulture);
        }

        return rows;
    }

    /// <summary>
    /// Deletes what is stored of these projects now, and returns when it is gone. However long that takes: a mutation
    /// outlives the request, so it is begun and then asked after; one that was begun before is waited for first.
    /// </summary>
    /// <exception cref="ClickHouseException">It cannot be asked now, or the mutation makes no headway.</exception>
    public async Task DeleteAsync(IReadOnlyCollection<ulong> projects, CancellationToken cancellationToken)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan(projects.Count, MaxProjects);
        await WaitForMutationsAsync(cancellationToken);
        await client.ExecuteAsync(
            "ALTER TABLE events DELETE WHERE project_id IN {projects:Array(UInt64)}",
            Parameters(projects),
            [new("mutations_sync", "0")],
            cancellationToken);
        await WaitForMutationsAsync(cancellationToken);
    }

    /// <summary>
    /// Returns when every insert that runs now has ended: one whose answer was lost may still be carried out.
    /// </summary>
    /// <exception cref="ClickHouseException">It cannot be asked now.</exception>
    public async Task WaitForInsertsAsync(CancellationToken cancellationToken)
    {
        var older = await RunningInsertsAsync(cancellationToken);
        while (older.Count > 0)
        {
            await Task.Delay(Poll, time, cancellationToken);
            older.IntersectWith(await RunningInsertsAsync(cancellationToken));
        }
    }

    private async Task<HashSet<string>> RunningInsertsAsync(CancellationToken cancellationToken)
    {
        string ids = await client.QueryTextAsync(
            """
            SELECT query_id FROM system.processes
            WHERE query_kind = 'Insert' AND current_database = currentDatabase()
              AND startsWith(query, 'INSERT INTO events')
            """,
            cancellationToken: cancellationToken);
        return ids.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
    }

    private async Task WaitForMutationsAsync(CancellationToken cancellationToken)
    {
        while (true)
        {
            string text = await client.QueryTextAsync(Unfinished, cancellationToken: cancellationToken);
            if (text.Length == 0) return;

            // ClickHouse tries it again by itself for ever; whoever waits is told why.
            string reason = text.TrimEnd('\n');
            if (reason.Length > 0) throw new ClickHouseException("A mutation of events fails: " + reason);
            await Task.Delay(Poll, time, cancellationToken);
        }
    }

    private static KeyValuePair<string, string>[] Parameters(IEnumerable<ulong> projects) =>
        [new("projects", $"[{string.Join(',', projects.Select(id => id.ToString(CultureInfo.InvariantCulture)))}]")];
}
