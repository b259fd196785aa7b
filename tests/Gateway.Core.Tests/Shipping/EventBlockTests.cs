using System.Buffers;
using System.Text;
using Gateway.Core.Events;
using Gateway.Core.Shipping;

namespace Gateway.Core.Tests.Shipping;

public sealed class EventBlockTests
{
    private static readonly Guid JournalId = Guid.Parse("0f0e0d0c-0b0a-0908-0706-050403020100");

    [Fact]
    public void There_is_a_column_for_each_promoted_property()
    {
        Assert.Equal(EventsTable.PromotedCount, PromotedProperties.Count);
        Assert.Equal("p_current_url", EventsTable.Columns[EventsTable.FirstPromoted].Name);
        Assert.Equal("p_ip", EventsTable.Columns[^1].Name);
    }

    [Fact]
    public void A_row_has_all_that_its_event_had()
    {
        var uuid = Guid.Parse("01890a5d-ac96-774b-bcce-b302099a8057");
        var block = Block((7, 1_700_000_000_000_000, new SampleRecord().Event(
            "$pageview", "ann", uuid, day: 19_700, timestamp: 1_699_999_999_999_999, "{\"a\":1}",
            promoted: [(0, "http://x/"), (3, "ref"), (9, "::1"), (0, "a second one"), (200, "not known yet")])));

        string[] row = Assert.Single(Rows(block));
        Assert.Equal(
            [
                "7", "19700", "$pageview", uuid.ToString(), "ann", "1699999999999999", "1700000000000000",
                "{\"a\":1}", JournalId.ToString(), "1", "0", "http://x/", "", "", "ref", "", "", "", "", "", "::1",
            ],
            row);
    }

    [Fact]
    public void Rows_stand_by_project_and_inside_one_as_they_came()
    {
        var block = Block(
            (9, 1, new SampleRecord().Event("a").Event("b")),
            (2, 2, new SampleRecord().Event("c")),
            (9, 3, new SampleRecord().Refused().Event("d")),
            (2, 4, new SampleRecord().Refused()),
            (ulong.MaxValue, 5, new SampleRecord().Event("e")),
            (2, 6, new SampleRecord().Event("f").Refused().Event("g")));

        Assert.Equal((7, 3), (block.Rows, block.RefusedRows));
        Assert.Equal(
            ["2c2", "2f6", "2g6", "9a1", "9b1", "9d3", $"{ulong.MaxValue}e5"],
            Rows(block).Select(row => row[0] + row[2] + row[6]));
    }

    [Fact]
    public void A_row_says_where_in_the_journal_it_stands()
    {
        var block = Block(
            (9, 1, new SampleRecord().Event("a").Refused().Event("b")),
            (2, 2, new SampleRecord().Refused().Event("c")));
        block.Add(70, 5, 3, new SampleRecord().Event("alone").ToPayload(), firstRow: 12);

        Assert.Equal(
            ["c 2 1", "alone 70 12", "a 1 0", "b 1 2"],
            Rows(block).Select(row => $"{row[2]} {row[EventsTable.Sequence]} {row[EventsTable.Row]}"));
        Assert.Equal((70ul, 12u), (block.Row(1).Sequence, block.Row(1).Row));
    }

    [Fact]
    public void Any_part_of_a_block_is_its_rows_in_their_order()
    {
        var block = Block(
            (9, 1, new SampleRecord().Event("a").Event("b").Event("c")),
            (2, 2, new SampleRecord().Refused().Event("d").Event("e")),
            (5, 3, new SampleRecord().Event("f")));
        string[] all = [.. Rows(block).Select(row => row[2])];
        Assert.Equal(["d", "e", "f", "a", "b", "c"], all);

        for (int first = 0; first < all.Length; first++)
        {
            Assert.Equal(all[first], Encoding.UTF8.GetString(new EventRow(block.Row(first).Bytes).Name));
            for (int count = 1; count <= all.Length - first; count++)
            {
                Assert.Equal(all[first..(first + count)], Rows(block, first, count).Select(row => row[2]));
            }
        }
    }

    [Theory]
    [InlineData("{}", "{\"$ip\":\"10.0.0.1\"}")]
    [InlineData("{ }", "{\"$ip\":\"10.0.0.1\"}")]
    [InlineData("{\"a\":{}}", "{\"a\":{},\"$ip\":\"10.0.0.1\"}")]
    [InlineData("{\"a\":\"{\"\n}\r\n", "{\"a\":\"{\",\"$ip\":\"10.0.0.1\"}")]
    public void The_clients_address_is_added_where_the_event_has_none(string properties, string expected)
    {
        var block = Block((1, 1, new SampleRecord("10.0.0.1").Event("e", properties: properties)));
        string[] row = Assert.Single(Rows(block));

        Assert.Equal(expected, row[EventsTable.Properties]);
        Assert.Equal("10.0.0.1", row[^1]);
    }

    [Fact]
    public void The_clients_address_never_replaces_the_events_own()
    {
        string[] row = Assert.Single(Rows(Block((1, 1, new SampleRecord("10.0.0.1").Event(
            "e", properties: "{\"$ip\":\"::1\"}", hasOwnIp: true, promoted: [(9, "::1")])))));
        Assert.Equal(("{\"$ip\":\"::1\"}", "::1"), (row[EventsTable.Properties], row[^1]));

        // It may be null: then there is no value, and that is the client's own will.
        row = Assert.Single(Rows(Block((1, 1, new SampleRecord("10.0.0.1").Event(
            "e", properties: "{\"$ip\":null}", hasOwnIp: true)))));
        Assert.Equal(("{\"$ip\":null}", ""), (row[EventsTable.Properties], row[^1]));
    }

    [Fact]
    public void What_is_no_address_gets_into_no_JSON()
    {
        string[] row = Assert.Single(Rows(Block((1, 1, new SampleRecord("\",\"x\":\"").Event("e")))));

        Assert.Equal(("{}", ""), (row[EventsTable.Properties], row[^1]));
    }

    [Fact]
    public void An_empty_record_says_nothing()
    {
        var block = new EventBlock(JournalId);
        block.Add(1, 1, 1, default);

        Assert.Equal((0, 0), (block.Rows, block.RefusedRows));
    }

    [Fact]
    public void A_block_is_used_again()
    {
        var block = Block((3, 1, new SampleRecord().Event("a").Refused()), (1, 1, new SampleRecord().Event("b")));
        Rows(block);

        block.Clear();
        Assert.Equal((0, 0), (block.Rows, block.RefusedRows));
        block.Add(1, 2, 5, new SampleRecord().Event("c").ToPayload());

        Assert.Equal("2", Assert.Single(Rows(block))[0]);
    }

    [Fact]
    public void No_event_allocates_anything()
    {
        byte[] payload = new SampleRecord("10.0.0.1")
            .Event("$pageview", "somebody", properties: "{\"a\":1}", promoted: [(0, "http://x"), (4, "Chrome")])
            .ToPayload();
        var block = new EventBlock(JournalId);
        Fill(block, payload, 20_000);
        block.Write(0, block.Rows);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Fill(block, payload, 20_000);
        block.Write(0, block.Rows);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        // What is left is for the block: a segment for each 64 KB, the order of the projects.
        Assert.InRange(allocated, 0, 20_000);
    }

    private static void Fill(EventBlock block, byte[] payload, int records)
    {
        block.Clear();
        for (int i = 0; i < records; i++) block.Add((ulong)i, (ulong)(i % 7), i, payload);
    }

    private static EventBlock Block(params (ulong Project, long ReceivedAt, SampleRecord Record)[] records)
    {
        var block = new EventBlock(JournalId);
        ulong sequence = 0;
        foreach (var (project, receivedAt, record) in records) block.Add(++sequence, project, receivedAt, record.ToPayload());
        return block;
    }

    private static List<string[]> Rows(EventBlock block) => Rows(block, 0, block.Rows);

    private static List<string[]> Rows(EventBlock block, int first, int count)
    {
        using var reader = new BinaryReader(new MemoryStream(block.Write(first, count).ToArray()), Encoding.UTF8);
        int columns = reader.Read7BitEncodedInt();
        Assert.Equal(EventsTable.Columns.Count, columns);
        Assert.Equal(count, reader.Read7BitEncodedInt());

        var rows = Enumerable.Range(0, count).Select(_ => new string[columns]).ToList();
        for (int column = 0; column < columns; column++)
        {
            Assert.Equal(EventsTable.Columns[column].Name, reader.ReadString());
            string type = reader.ReadString();
            Assert.Equal(EventsTable.Columns[column].Type, type);
            foreach (string[] row in rows) row[column] = Value(reader, type);
        }

        Assert.Equal(reader.BaseStream.Length, reader.BaseStream.Position);
        return rows;
    }

    private static string Value(BinaryReader reader, string type) => type switch
    {
        "UInt64" => $"{reader.ReadUInt64()}",
        "UInt32" => $"{reader.ReadUInt32()}",
        "Date" => $"{reader.ReadUInt16()}",
        "String" => reader.ReadString(),
        "UUID" => Guid.ParseExact($"{reader.ReadUInt64():x16}{reader.ReadUInt64():x16}", "N").ToString(),
        _ => $"{reader.ReadInt64()}",
    };
}
