using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>
/// Streams an EventsQuery's answer: <c>{"columns","types","results":[[…]],"hasMore","nextCursor"}</c>. Properties pass
/// from ClickHouse to the client as bytes; timestamps are ISO 8601 in UTC.
/// </summary>
internal sealed class EventsAnswer(EventsPlan plan, AnswerWriter writer)
{
    private int _rows;
    private bool _hasMore;
    private string? _cursor;

    public async Task WriteAsync(RowReader rows, CancellationToken cancellationToken)
    {
        WriteHead();
        while (await rows.FillAsync(cancellationToken))
        {
            while (TryWriteRow(rows)) await writer.FlushIfLargeAsync(cancellationToken);
        }

        var json = writer.Json;
        json.WriteEndArray();
        json.WriteBoolean("hasMore", _hasMore);
        json.WriteString("nextCursor", _hasMore ? _cursor : null);
        json.WriteEndObject();
        await writer.CompleteAsync(cancellationToken);
    }

    private void WriteHead()
    {
        var json = writer.Json;
        json.WriteStartObject();
        json.WriteStartArray("columns");
        foreach (var column in plan.Columns) json.WriteStringValue(column.Name);
        json.WriteEndArray();
        json.WriteStartArray("types");
        foreach (var column in plan.Columns) json.WriteStringValue(column.Type);
        json.WriteEndArray();
        json.WriteStartArray("results");
    }

    private bool TryWriteRow(RowReader rows)
    {
        if (!rows.HasBytes) return false;

        // Once to see whether the row has arrived whole, and again to write it: the writer cannot take a half back.
        var fields = rows.Begin();
        var row = EventRow.Begin(ref fields);
        foreach (var column in plan.Columns) Skip(column, ref fields);
        if (fields.IsTruncated) return rows.Complete(fields);

        if (_rows == plan.Limit)
        {
            _hasMore = true;
            return rows.Complete(fields);
        }

        var again = rows.Begin();
        EventRow.Begin(ref again);
        writer.Json.WriteStartArray();
        foreach (var column in plan.Columns) Write(column, row, ref again);
        writer.Json.WriteEndArray();

        if (++_rows == plan.Limit) _cursor = row.Cursor(plan);
        return rows.Complete(fields);
    }

    private void Skip(EventColumn column, scoped ref RowFields fields)
    {
        switch (column.Field)
        {
            case EventField.Timestamp or EventField.ReceivedAt when column.Field != plan.OrderedBy:
                fields.NextLong();
                break;
            case EventField.DistinctId or EventField.Properties: fields.NextBytes(); break;
            case EventField.Property: fields.TryNextBytes(out _); break;
        }
    }

    private void Write(EventColumn column, scoped EventRow row, scoped ref RowFields fields)
    {
        var json = writer.Json;
        switch (column.Field)
        {
            case EventField.Uuid: json.WriteStringValue(row.Uuid); break;
            case EventField.Event: json.WriteStringValue(row.Event); break;
            case EventField.Timestamp or EventField.ReceivedAt:
                EventRow.WriteTime(json, column.Field == plan.OrderedBy ? row.Time : fields.NextLong());
                break;
            case EventField.DistinctId: json.WriteStringValue(fields.NextBytes()); break;
            case EventField.Properties: EventRow.WriteJson(json, fields.NextBytes()); break;
            default:
                fields.TryNextBytes(out var value);
                EventRow.WriteJson(json, value);
                break;
        }
    }
}
