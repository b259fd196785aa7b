using System.Globalization;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Shipping;

/// <param name="Ids">What the store is known by; more than one when several gateways met it first at once.</param>
/// <param name="Owner">The installation whose events it keeps.</param>
public sealed record EventsStoreMarks(IReadOnlyList<string> Ids, string Owner);

/// <summary>
/// How a ClickHouse server is known again: by the rows of <c>gateway_store</c>, beside the events. None is ever
/// removed; the last one says whose events these are. Beside them, in <c>gateway_projects</c>, the ids that were given
/// to projects, so that none is given twice.
/// </summary>
public sealed class EventsStoreId(ClickHouseClient client)
{
    private const string CreateTable =
        """
        CREATE TABLE IF NOT EXISTS gateway_store (id String, installation String, written_at Int64)
        ENGINE = MergeTree ORDER BY written_at
        SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
        """;

    private const string CreateProjects =
        """
        CREATE TABLE IF NOT EXISTS gateway_projects (id Int64) ENGINE = MergeTree ORDER BY id
        SETTINGS fsync_after_insert = 1, fsync_part_directory = 1
        """;

    private const string Insert =
        """
        INSERT INTO gateway_store
        SELECT {id:String}, {installation:String}, toUnixTimestamp64Micro(now64(6))
        """;

    /// <summary>Reads the marks, and makes the first one.</summary>
    /// <param name="installation">Ours; written where no mark is.</param>
    /// <param name="adopt">Written also where another one's is the last.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="ClickHouseException">It could not be done now.</exception>
    public async Task<EventsStoreMarks> ReadOrMakeAsync(
        string installation, bool adopt, CancellationToken cancellationToken)
    {
        await EnsureDatabaseAsync(cancellationToken);
        await client.ExecuteAsync(CreateTable, cancellationToken: cancellationToken);

        var marks = await ReadAsync(cancellationToken);
        if (marks is not null && (marks.Owner == installation || !adopt)) return marks;

        string id = marks?.Ids[0] ?? Guid.NewGuid().ToString();
        await client.ExecuteAsync(
            Insert, [new("id", id), new("installation", installation)], cancellationToken: cancellationToken);

        // Again: of two that come at once, each must know the other's.
        return await ReadAsync(cancellationToken)
            ?? throw new ClickHouseException("The events store does not keep what is written to it.");
    }

    /// <summary>
    /// The greatest id of a project that the store knows, or 0: one that has events, or one that it was told of. The
    /// ids lead the key of the events: it is read from the index.
    /// </summary>
    /// <exception cref="ClickHouseException">It could not be read now.</exception>
    public async Task<long> GreatestProjectAsync(CancellationToken cancellationToken)
    {
        await EnsureDatabaseAsync(cancellationToken);
        return Math.Max(
            await GreatestAsync("events", "project_id", cancellationToken),
            await GreatestAsync("gateway_projects", "id", cancellationToken));
    }

    /// <summary>Lets the store remember that an id was given, also when all events of the project are gone.</summary>
    /// <exception cref="ClickHouseException">It could not be written now.</exception>
    public async Task RememberProjectAsync(long id, CancellationToken cancellationToken)
    {
        await client.ExecuteAsync(CreateProjects, cancellationToken: cancellationToken);
        await client.ExecuteAsync(
            "INSERT INTO gateway_projects SELECT {id:Int64}",
            [new("id", id.ToString(CultureInfo.InvariantCulture))],
            cancellationToken: cancellationToken);
    }

    /// <summary>The marks, or null where there is none yet.</summary>
    /// <exception cref="ClickHouseException">It could not be read now.</exception>
    public async Task<EventsStoreMarks?> ReadAsync(CancellationToken cancellationToken)
    {
        if (!await ExistsAsync("gateway_store", cancellationToken)) return null;

        string text = await client.QueryTextAsync(
            "SELECT id, installation FROM gateway_store ORDER BY written_at, id", cancellationToken: cancellationToken);
        string[][] rows = [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries).Select(row => row.Split('\t'))];
        return rows.Length == 0
            ? null
            : new EventsStoreMarks([.. rows.Select(row => row[0]).Distinct()], rows[^1][1]);
    }

    private async Task<long> GreatestAsync(string table, string column, CancellationToken cancellationToken)
    {
        if (!await ExistsAsync(table, cancellationToken)) return 0;

        string greatest = await client.QueryTextAsync(
            $"SELECT max({column}) FROM {table}", cancellationToken: cancellationToken);
        return long.TryParse(greatest, CultureInfo.InvariantCulture, out long id)
            ? id
            : throw new ClickHouseException("The events store holds a project whose id is none.");
    }

    private async Task<bool> ExistsAsync(string table, CancellationToken cancellationToken)
    {
        string exists = await client.QueryTextAsync($"EXISTS TABLE {table}", cancellationToken: cancellationToken);
        return exists.Trim() == "1";
    }

    private async Task EnsureDatabaseAsync(CancellationToken cancellationToken)
    {
        try
        {
            await client.QueryTextAsync("SELECT 1", cancellationToken: cancellationToken);
        }
        catch (ClickHouseException exception) when (exception.Code == ClickHouseErrorCodes.UnknownDatabase)
        {
            await client.CreateDatabaseAsync(cancellationToken);
        }
    }
}
