using System.Globalization;
using System.Text;
using Gateway.Core.Shipping;

namespace Gateway.Core.Tests.Shipping;

/// <summary>What the store has, as far as shipping sees it: the rows of inserted blocks, and what it asks of them.</summary>
internal sealed class StoreModel
{
    private readonly List<StoredRow> _rows = [];

    public IReadOnlyList<StoredRow> Rows => _rows;

    public static List<StoredRow> Parse(byte[] block)
    {
        using var reader = new BinaryReader(new MemoryStream(block), Encoding.UTF8);
        int columns = reader.Read7BitEncodedInt();
        int count = reader.Read7BitEncodedInt();
        var rows = Enumerable.Range(0, count).Select(_ => new object[columns]).ToList();
        for (int column = 0; column < columns; column++)
        {
            Assert.Equal(EventsTable.Columns[column].Name, reader.ReadString());
            string type = reader.ReadString();
            foreach (object[] row in rows) row[column] = Value(reader, type);
        }

        Assert.Equal(reader.BaseStream.Length, reader.BaseStream.Position);
        return rows.ConvertAll(row => new StoredRow(
            (ulong)row[EventsTable.ProjectId],
            (ushort)row[EventsTable.Day],
            (string)row[EventsTable.Event],
            (Guid)row[EventsTable.Uuid],
            (string)row[EventsTable.DistinctId],
            (long)row[EventsTable.ReceivedAt],
            (Guid)row[EventsTable.Journal],
            (ulong)row[EventsTable.Sequence],
            (uint)row[EventsTable.Row]));
    }

    public void Insert(IEnumerable<StoredRow> rows) => _rows.AddRange(rows);

    public int Lose(Predicate<StoredRow> which) => _rows.RemoveAll(which);

    /// <summary>As merges do: of each identity the row that was received first stays.</summary>
    public void Merge()
    {
        var kept = _rows.GroupBy(row => row.Identity).Select(copies => copies.MinBy(row => row.ReceivedAt)!).ToList();
        _rows.Clear();
        _rows.AddRange(kept);
    }

    /// <summary>The answer to one of the shipper's questions; null when it is none of them.</summary>
    public string? Answer(string sql, Func<string, string> parameter)
    {
        if (sql.StartsWith("SELECT uniqExact(sequence, row)", StringComparison.Ordinal))
            return $"{OfRange(parameter).Distinct().Count()}\n";
        if (sql.StartsWith("SELECT DISTINCT sequence, row", StringComparison.Ordinal))
            return string.Concat(OfRange(parameter).Distinct().Select(row => $"{row.Sequence}\t{row.Row}\n"));
        if (!sql.StartsWith("SELECT DISTINCT concat(toString(toUInt16(day))", StringComparison.Ordinal)) return null;

        ulong project = Number(parameter("project"));
        string uuids = parameter("uuids");
        return string.Concat(_rows
            .Where(row => row.ProjectId == project && uuids.Contains($"'{row.Uuid}'", StringComparison.Ordinal))
            .Select(row => $"{row.Day} {Convert.ToHexString(Encoding.UTF8.GetBytes(row.Event))} {row.Uuid}\n")
            .Distinct());
    }

    private IEnumerable<(ulong Sequence, uint Row)> OfRange(Func<string, string> parameter)
    {
        var journal = Guid.Parse(parameter("journal"));
        var (first, last) = (Number(parameter("first")), Number(parameter("last")));
        long from = long.Parse(parameter("from"), CultureInfo.InvariantCulture);
        long to = long.Parse(parameter("to"), CultureInfo.InvariantCulture);
        return _rows
            .Where(row => row.Journal == journal && row.Sequence >= first && row.Sequence <= last
                && row.ReceivedAt >= from && row.ReceivedAt <= to)
            .Select(row => (row.Sequence, row.Row));
    }

    private static ulong Number(string text) => ulong.Parse(text, CultureInfo.InvariantCulture);

    private static object Value(BinaryReader reader, string type) => type switch
    {
        "UInt64" => reader.ReadUInt64(),
        "UInt32" => reader.ReadUInt32(),
        "Date" => reader.ReadUInt16(),
        "String" => reader.ReadString(),
        "UUID" => Guid.ParseExact($"{reader.ReadUInt64():x16}{reader.ReadUInt64():x16}", "N"),
        _ => reader.ReadInt64(),
    };
}

internal sealed record StoredRow(
    ulong ProjectId,
    ushort Day,
    string Event,
    Guid Uuid,
    string DistinctId,
    long ReceivedAt,
    Guid Journal,
    ulong Sequence,
    uint Row)
{
    public (ulong, ushort, string, Guid) Identity => (ProjectId, Day, Event, Uuid);
}
