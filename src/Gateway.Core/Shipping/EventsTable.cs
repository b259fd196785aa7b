using System.Buffers;
using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Events;

namespace Gateway.Core.Shipping;

/// <summary>
/// The table <c>events</c>: its shape, how it came to be, and how rows are put into it. A row's identity is (project,
/// day, event, uuid); of the rows with one identity the one received first is shown, to whoever reads with FINAL. Rows
/// lie in partitions by month of receipt: the timestamp is the client's, who could make a part for every month of it.
/// Each row carries where in which journal it came from, so that what a journal shipped can be counted here.
/// </summary>
public sealed class EventsTable(ClickHouseClient client)
{
    // Places in Columns.
    internal const int ProjectId = 0;
    internal const int Day = 1;
    internal const int Event = 2;
    internal const int Uuid = 3;
    internal const int DistinctId = 4;
    internal const int Timestamp = 5;
    internal const int ReceivedAt = 6;
    internal const int Properties = 7;
    internal const int Journal = 8;
    internal const int Sequence = 9;
    internal const int Row = 10;
    internal const int FirstPromoted = 11;
    internal const int PromotedCount = 10;

    /// <summary>What a block holds. <c>version</c> is not sent: ClickHouse makes it of the time of receipt.</summary>
    internal static readonly IReadOnlyList<(string Name, string Type)> Columns =
    [
        ("project_id", "UInt64"),
        ("day", "Date"),
        ("event", "String"),
        ("uuid", "UUID"),
        ("distinct_id", "String"),
        ("timestamp", "DateTime64(6, 'UTC')"),
        ("received_at", "DateTime64(6, 'UTC')"),
        ("properties", "String"),
        ("journal", "UUID"),
        ("sequence", "UInt64"),
        ("row", "UInt32"),
        .. Enumerable.Range(0, PromotedCount).Select(index => (PromotedProperties.Column(index), "String")),
    ];

    /// <summary>
    /// A block that was answered is on disk, and so is what merges make of it. No window of earlier blocks is kept: it
    /// would take a block sent again for one that was stored, even where it was lost.
    /// </summary>
    private static readonly KeyValuePair<string, string>[] TableSettings =
    [
        new("fsync_after_insert", "1"),
        new("fsync_part_directory", "1"),
        new("min_rows_to_fsync_after_merge", "1"),
        new("min_compressed_bytes_to_fsync_after_merge", "1"),
        new("old_parts_lifetime", "480"),
        new("non_replicated_deduplication_window", "0"),
        new("replicated_deduplication_window", "0"),
        new("index_granularity", "8192"),
    ];

    /// <summary>One block, one insert, answered when it is stored. A backlog may touch many months at once.</summary>
    private static readonly KeyValuePair<string, string>[] InsertSettings =
    [
        new("async_insert", "0"),
        new("insert_deduplicate", "0"),
        new("deduplicate_insert", "disable"),
        new("max_partitions_per_insert_block", "0"),
    ];

    private static readonly string InsertSql =
        $"INSERT INTO events ({string.Join(", ", Columns.Select(column => column.Name))}) FORMAT Native";

    private KeyValuePair<string, string>[] _insertSettings = [];

    /// <summary>
    /// Makes the table, or brings it to this version; does nothing when it is there. Several gateways may do so at
    /// once, and one may die in the middle: each step can be taken again.
    /// </summary>
    /// <exception cref="ClickHouseException">It could not be done now.</exception>
    public async Task EnsureAsync(CancellationToken cancellationToken)
    {
        await EnsureDatabaseAsync(cancellationToken);
        await client.ExecuteAsync(
            "CREATE TABLE IF NOT EXISTS gateway_migrations (version UInt32) ENGINE = MergeTree ORDER BY version",
            cancellationToken: cancellationToken);

        // A table that was dropped by hand is made again from the first step.
        int done = await NumberAsync("EXISTS TABLE events", cancellationToken) == 0
            ? 0
            : await NumberAsync("SELECT max(version) FROM gateway_migrations", cancellationToken);

        string[] steps = Migrations(await KnownAsync(TableSettings, "system.merge_tree_settings", cancellationToken));
        for (int step = done; step < steps.Length; step++)
        {
            await client.ExecuteAsync(steps[step], cancellationToken: cancellationToken);
            await client.ExecuteAsync(
                string.Create(CultureInfo.InvariantCulture, $"INSERT INTO gateway_migrations SELECT {step + 1}"),
                cancellationToken: cancellationToken);
        }

        _insertSettings = await KnownAsync(InsertSettings, "system.settings", cancellationToken);
    }

    /// <summary>Stores one block of <see cref="EventBlock"/>; on return it is on disk.</summary>
    public Task InsertAsync(ReadOnlySequence<byte> block, CancellationToken cancellationToken) =>
        client.InsertAsync(InsertSql, block, _insertSettings, cancellationToken: cancellationToken);

    /// <summary>What the table has of one journal.</summary>
    internal StoredRows RowsOf(Guid journalId) => new(client, journalId);

    /// <summary>Numbered from 1; append only. Each must do nothing where it was done before.</summary>
    private static string[] Migrations(KeyValuePair<string, string>[] settings) =>
    [
        $"""
        CREATE TABLE IF NOT EXISTS events (
            project_id UInt64,
            day Date,
            event String,
            uuid UUID,
            distinct_id String,
            timestamp DateTime64(6, 'UTC'),
            received_at DateTime64(6, 'UTC'),
            version UInt64 MATERIALIZED 9223372036854775808 - toUInt64(toUnixTimestamp64Micro(received_at)),
            properties String CODEC(ZSTD(1)),
            {string.Join(",\n    ", Columns.Skip(FirstPromoted).Select(column => $"{column.Name} {column.Type}"))},
            INDEX timestamp_range timestamp TYPE minmax GRANULARITY 1
        )
        ENGINE = ReplacingMergeTree(version)
        PARTITION BY toYYYYMM(received_at)
        ORDER BY (project_id, day, event, uuid)
        SETTINGS {string.Join(", ", settings.Select(setting => $"{setting.Key} = {setting.Value}"))}
        """,
        """
        ALTER TABLE events
            ADD COLUMN IF NOT EXISTS journal UUID AFTER properties,
            ADD COLUMN IF NOT EXISTS sequence UInt64 AFTER journal,
            ADD COLUMN IF NOT EXISTS row UInt32 AFTER sequence,
            ADD INDEX IF NOT EXISTS sequence_range sequence TYPE minmax GRANULARITY 1
        """,

        // Queries by time of receipt: under FINAL no partition is passed over by it, see QuerySettings.
        "ALTER TABLE events ADD INDEX IF NOT EXISTS received_at_range received_at TYPE minmax GRANULARITY 1",
    ];

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

    private async Task<int> NumberAsync(string sql, CancellationToken cancellationToken)
    {
        string text = await client.QueryTextAsync(sql, cancellationToken: cancellationToken);
        return int.TryParse(text, CultureInfo.InvariantCulture, out int number)
            ? number
            : throw new ClickHouseException("What answers there is not ClickHouse.");
    }

    private async Task<KeyValuePair<string, string>[]> KnownAsync(
        KeyValuePair<string, string>[] settings, string table, CancellationToken cancellationToken)
    {
        var known = await client.KnownSettingsAsync(settings.Select(setting => setting.Key), cancellationToken, table);
        return [.. settings.Where(setting => known.Contains(setting.Key))];
    }
}
