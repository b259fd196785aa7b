using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Ledger;

namespace Gateway.Core.Shipping;

/// <summary>
/// Asks the table <c>events</c> which rows of a journal it has. The bounds of receipt let ClickHouse pass over every
/// part that is older, the sequences over what is left of the others.
/// </summary>
internal sealed class StoredRows(ClickHouseClient client, Guid journalId)
{
    private const int MaxIdentities = 1000;

    private const string OfRange =
        """
        FROM events WHERE received_at >= fromUnixTimestamp64Micro({from:Int64}, 'UTC')
            AND received_at <= fromUnixTimestamp64Micro({to:Int64}, 'UTC')
            AND sequence BETWEEN {first:UInt64} AND {last:UInt64} AND journal = {journal:UUID}
        """;

    /// <summary>How many different rows of the range there are, merged or not.</summary>
    /// <exception cref="ClickHouseException">It cannot be asked now.</exception>
    public async Task<long> CountAsync(RecordRange range, CancellationToken cancellationToken)
    {
        string text = await client.QueryTextAsync(
            "SELECT uniqExact(sequence, row) " + OfRange, Parameters(range), cancellationToken: cancellationToken);
        return long.TryParse(text, CultureInfo.InvariantCulture, out long count) ? count : throw NotTheStore();
    }

    /// <summary>Which rows of the range there are.</summary>
    /// <exception cref="ClickHouseException">It cannot be asked now.</exception>
    public async Task<HashSet<(ulong Sequence, uint Row)>> ListAsync(
        RecordRange range, CancellationToken cancellationToken)
    {
        string text = await client.QueryTextAsync(
            "SELECT DISTINCT sequence, row " + OfRange, Parameters(range), cancellationToken: cancellationToken);
        var rows = new HashSet<(ulong, uint)>();
        foreach (var line in text.AsSpan().EnumerateLines())
        {
            if (line.IsEmpty) continue;

            int tab = line.IndexOf('\t');
            if (tab < 0
                || !ulong.TryParse(line[..tab], CultureInfo.InvariantCulture, out ulong sequence)
                || !uint.TryParse(line[(tab + 1)..], CultureInfo.InvariantCulture, out uint row))
            {
                throw NotTheStore();
            }

            rows.Add((sequence, row));
        }

        return rows;
    }

    /// <summary>Those of the rows of whose identity the table has no row at all, not even an earlier copy.</summary>
    /// <exception cref="ClickHouseException">It cannot be asked now.</exception>
    public async Task<List<JournalRow>> WithoutIdentityAsync(
        IEnumerable<JournalRow> rows, CancellationToken cancellationToken)
    {
        var absent = new List<JournalRow>();
        foreach (var project in rows.GroupBy(row => row.ProjectId))
        {
            foreach (var part in project.Chunk(MaxIdentities))
            {
                var known = await IdentitiesAsync(project.Key, part, cancellationToken);
                absent.AddRange(part.Where(row => !known.Contains(IdentityOf(row))));
            }
        }

        return absent;
    }

    private async Task<HashSet<string>> IdentitiesAsync(
        ulong projectId, JournalRow[] rows, CancellationToken cancellationToken)
    {
        // An event's name may hold anything: by its hexadecimal digits it needs no escaping on either way.
        string text = await client.QueryTextAsync(
            """
            SELECT DISTINCT concat(toString(toUInt16(day)), ' ', hex(event), ' ', toString(uuid)) FROM events
            WHERE project_id = {project:UInt64} AND day IN {days:Array(Date)} AND uuid IN {uuids:Array(UUID)}
            """,
            [
                new("project", projectId.ToString(CultureInfo.InvariantCulture)),
                new("days", Array(rows.Select(row => DayOf(row).ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)))),
                new("uuids", Array(rows.Select(row => UuidOf(row).ToString()))),
            ],
            cancellationToken: cancellationToken);
        return [.. text.Split('\n', StringSplitOptions.RemoveEmptyEntries)];
    }

    /// <summary>A proxy's page, say. Taken for an answer it would be a loss of everything.</summary>
    private static ClickHouseException NotTheStore() => new("What answers there is not ClickHouse.");

    private static string IdentityOf(JournalRow row)
    {
        var fields = new EventRow(row.Bytes);
        return string.Create(
            CultureInfo.InvariantCulture, $"{fields.Day} {Convert.ToHexString(fields.Name)} {UuidOf(row)}");
    }

    private static DateOnly DayOf(JournalRow row) => new DateOnly(1970, 1, 1).AddDays(new EventRow(row.Bytes).Day);

    private static Guid UuidOf(JournalRow row)
    {
        byte[] bytes = new EventRow(row.Bytes).Uuid.ToArray();
        bytes.AsSpan(0, 8).Reverse();
        bytes.AsSpan(8, 8).Reverse();
        return new Guid(bytes, bigEndian: true);
    }

    private static string Array(IEnumerable<string> values) => $"['{string.Join("','", values.Distinct())}']";

    private KeyValuePair<string, string>[] Parameters(RecordRange range) =>
    [
        new("journal", journalId.ToString()),
        new("from", range.FirstReceived.ToString(CultureInfo.InvariantCulture)),
        new("to", range.LastReceived.ToString(CultureInfo.InvariantCulture)),
        new("first", range.First.ToString(CultureInfo.InvariantCulture)),
        new("last", range.Last.ToString(CultureInfo.InvariantCulture)),
    ];
}

/// <summary>Records of a journal, by their sequences and times of receipt, microseconds since 1970 UTC.</summary>
internal readonly record struct RecordRange(ulong First, ulong Last, long FirstReceived, long LastReceived);
