using System.Buffers;
using System.Collections.Frozen;
using System.Runtime.InteropServices;
using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;

namespace Gateway.Core.Shipping;

/// <summary>
/// A contiguous range of the journal as one Native block for <see cref="EventsTable"/>, its rows in the order of their
/// projects and, inside a project, of the journal. A record's rows are all of one project, so records are sorted,
/// not rows. Reused from block to block; nothing is allocated for an event.
/// </summary>
/// <param name="journalId">Of the journal whose records these are; each row carries it.</param>
public sealed class EventBlock(Guid journalId)
{
    /// <summary>What else an address holds would not be one, and might break the JSON that it is put into.</summary>
    private static readonly SearchValues<byte> AddressBytes = SearchValues.Create("0123456789abcdefABCDEF.:%"u8);

    private readonly byte[] _journal = ClickHouseUuid(journalId);
    private readonly NativeBlock _native = new(EventsTable.Columns);
    private readonly List<Record> _records = [];
    private readonly Dictionary<ulong, int> _slots = [];
    private readonly List<Project> _projects = [];
    private readonly Dictionary<ulong, long> _dropped = [];
    private FrozenSet<ulong> _dead = [];
    private int[] _order = [];
    private bool _isOrdered;

    /// <summary>Events, which become rows of the table.</summary>
    public int Rows { get; private set; }

    /// <summary>Refused events that lay between them; they are not shipped.</summary>
    public int RefusedRows { get; private set; }

    /// <summary>Events of deleted projects, by project: they are in none of the rows.</summary>
    public IReadOnlyDictionary<ulong, long> Dropped => _dropped;

    /// <summary>The deleted projects that this block leaves out.</summary>
    public FrozenSet<ulong> Dead => _dead;

    /// <summary>Starts anew.</summary>
    /// <param name="dead">Projects whose records are left out; null: none.</param>
    public void Clear(FrozenSet<ulong>? dead = null)
    {
        _dead = dead ?? [];
        _dropped.Clear();
        _records.Clear();
        _slots.Clear();
        _projects.Clear();
        _native.Clear();
        _isOrdered = false;
        Rows = 0;
        RefusedRows = 0;
    }

    /// <summary>Takes a range of the journal in; the batch must stay as it is until the next Clear.</summary>
    public void Add(JournalBatch batch)
    {
        var bytes = batch.Bytes;
        foreach (var record in batch)
        {
            // Where the payload lies in the batch: a reference that can be kept, which a span cannot.
            if (!bytes.Span.Overlaps(record.Payload, out int offset)) continue;
            Add(record.Sequence, record.ProjectId, record.ReceivedAtMicros, bytes.Slice(offset, record.Payload.Length));
        }
    }

    /// <summary>Takes one record in.</summary>
    /// <param name="sequence">The record's.</param>
    /// <param name="projectId">The project of all rows of the record.</param>
    /// <param name="receivedAtMicros">Microseconds since 1970-01-01 UTC.</param>
    /// <param name="payload">In <see cref="EventPayload"/>'s format; must stay as it is until the next Clear.</param>
    /// <param name="firstRow">The place of the payload's first row in the record.</param>
    public void Add(
        ulong sequence, ulong projectId, long receivedAtMicros, ReadOnlyMemory<byte> payload, uint firstRow = 0)
    {
        // A journal record may be empty; it says nothing.
        if (payload.IsEmpty) return;

        var (events, refused) = EventPayload.Count(payload.Span);
        if (_dead.Count > 0 && _dead.Contains(projectId))
        {
            CollectionsMarshal.GetValueRefOrAddDefault(_dropped, projectId, out _) += events;
            return;
        }

        Rows += events;
        RefusedRows += refused;
        ref int slot = ref CollectionsMarshal.GetValueRefOrAddDefault(_slots, projectId, out bool exists);
        if (!exists)
        {
            slot = _projects.Count;
            _projects.Add(new Project { Id = projectId });
        }

        CollectionsMarshal.AsSpan(_projects)[slot].Records++;
        _records.Add(new Record(sequence, firstRow, projectId, slot, receivedAtMicros, payload));
        _isOrdered = false;
    }

    /// <summary>Writes the block, or a part of its rows when ClickHouse refused the whole.</summary>
    /// <returns>Bytes that are good until the next Write or Clear.</returns>
    public ReadOnlySequence<byte> Write(int firstRow, int count)
    {
        Order();
        _native.Clear();
        int next = 0;
        var records = CollectionsMarshal.AsSpan(_records);
        foreach (int index in _order.AsSpan(0, records.Length))
        {
            next = WriteRecord(records[index], next, firstRow, firstRow + count);
            if (next >= firstRow + count) break;
        }

        return _native.Finish(count);
    }

    /// <summary>One row as the journal has it, for the quarantine.</summary>
    internal JournalRow Row(int wanted)
    {
        Order();
        int at = 0;
        foreach (int index in _order.AsSpan(0, _records.Count))
        {
            var record = _records[index];
            uint number = record.FirstRow;
            var reader = new EventPayloadReader(record.Payload.Span);
            for (; reader.TryReadRow(out var row); number++)
            {
                if (row[0] != EventPayload.EventKind || at++ != wanted) continue;
                return new JournalRow(
                    record.Sequence,
                    number,
                    record.ProjectId,
                    record.ReceivedAtMicros,
                    reader.Ip.ToArray(),
                    row.ToArray());
            }
        }

        throw new ArgumentOutOfRangeException(nameof(wanted));
    }

    /// <summary>A counting sort over the projects, which are few beside the records; stable by its nature.</summary>
    private void Order()
    {
        if (_isOrdered) return;

        if (_order.Length < _records.Count) _order = new int[Math.Max(_records.Count, _order.Length * 2)];
        var projects = CollectionsMarshal.AsSpan(_projects);
        ulong[] ids = new ulong[projects.Length];
        int[] slots = new int[projects.Length];
        for (int i = 0; i < projects.Length; i++) (ids[i], slots[i]) = (projects[i].Id, i);
        Array.Sort(ids, slots);

        int start = 0;
        foreach (int slot in slots)
        {
            projects[slot].Next = start;
            start += projects[slot].Records;
        }

        var records = CollectionsMarshal.AsSpan(_records);
        for (int i = 0; i < records.Length; i++) _order[projects[records[i].Slot].Next++] = i;
        _isOrdered = true;
    }

    private int WriteRecord(in Record record, int next, int firstRow, int endRow)
    {
        var reader = new EventPayloadReader(record.Payload.Span);
        var ip = reader.Ip.ContainsAnyExcept(AddressBytes) ? default : reader.Ip;
        for (uint number = record.FirstRow; next < endRow && reader.TryReadRow(out var row); number++)
        {
            if (row[0] != EventPayload.EventKind) continue;
            if (next++ >= firstRow) WriteRow(new EventRow(row), record, number, ip);
        }

        return next;
    }

    private void WriteRow(EventRow row, in Record record, uint number, ReadOnlySpan<byte> requestIp)
    {
        var columns = _native.Columns;
        bool addsIp = !requestIp.IsEmpty && (row.Flags & EventPayload.HasOwnIpFlag) == 0;

        columns[EventsTable.ProjectId].WriteUInt64(record.ProjectId);
        columns[EventsTable.Day].WriteUInt16(row.Day);
        columns[EventsTable.Event].WriteString(row.Name);
        columns[EventsTable.Uuid].WriteUuid(row.Uuid);
        columns[EventsTable.DistinctId].WriteString(row.DistinctId);
        columns[EventsTable.Timestamp].WriteInt64(row.Timestamp);
        columns[EventsTable.ReceivedAt].WriteInt64(record.ReceivedAtMicros);
        if (addsIp) WriteWithIp(columns[EventsTable.Properties], row.Properties, requestIp);
        else columns[EventsTable.Properties].WriteString(row.Properties);
        columns[EventsTable.Journal].WriteUuid(_journal);
        columns[EventsTable.Sequence].WriteUInt64(record.Sequence);
        columns[EventsTable.Row].WriteUInt32(number);
        WritePromoted(columns[EventsTable.FirstPromoted..], row.Promoted, addsIp ? requestIp : default);
    }

    private static void WriteWithIp(NativeColumn column, ReadOnlySpan<byte> json, ReadOnlySpan<byte> ip)
    {
        var open = json[..json.LastIndexOf((byte)'}')].TrimEnd(" \t\r\n"u8);
        var key = open.EndsWith("{"u8) ? "\"$ip\":\""u8 : ",\"$ip\":\""u8;
        var close = "\"}"u8;

        column.BeginString(open.Length + key.Length + ip.Length + close.Length);
        column.AppendToString(open);
        column.AppendToString(key);
        column.AppendToString(ip);
        column.AppendToString(close);
    }

    private static void WritePromoted(
        ReadOnlySpan<NativeColumn> columns, ReadOnlySpan<byte> promoted, ReadOnlySpan<byte> addedIp)
    {
        // Where each one's length stands; 0, where the count is, for those that the row lacks.
        Span<int> starts = stackalloc int[EventsTable.PromotedCount];
        starts.Clear();
        for (int i = 0, at = 1; i < promoted[0]; i++)
        {
            int index = promoted[at];
            if (index < starts.Length && starts[index] == 0) starts[index] = at + 1;
            at += 3 + Length(promoted, at + 1);
        }

        for (int i = 0; i < starts.Length; i++)
        {
            int start = starts[i];
            if (i == PromotedProperties.Ip && !addedIp.IsEmpty) columns[i].WriteString(addedIp);
            else columns[i].WriteString(start == 0 ? default : promoted.Slice(start + 2, Length(promoted, start)));
        }
    }

    private static int Length(ReadOnlySpan<byte> bytes, int at) => bytes[at] | (bytes[at + 1] << 8);

    /// <summary>As ClickHouse lays a UUID out: two little-endian halves, the high one first.</summary>
    private static byte[] ClickHouseUuid(Guid id)
    {
        byte[] bytes = id.ToByteArray(bigEndian: true);
        bytes.AsSpan(0, 8).Reverse();
        bytes.AsSpan(8, 8).Reverse();
        return bytes;
    }

    private readonly record struct Record(
        ulong Sequence,
        uint FirstRow,
        ulong ProjectId,
        int Slot,
        long ReceivedAtMicros,
        ReadOnlyMemory<byte> Payload);

    private struct Project
    {
        public ulong Id;
        public int Records;
        public int Next;
    }
}
