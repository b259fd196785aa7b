using System.Text.Json;
using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>
/// Streams PostHog's list of events: <c>{"results":[{id, uuid, distinct_id, properties, event, timestamp, person,
/// elements, elements_chain}],"next"}</c>. <c>person</c> is null: there are none yet.
/// </summary>
/// <param name="plan">Compiled from the URL.</param>
/// <param name="writer">To the client.</param>
/// <param name="next">Makes the URL of the next page from its cursor.</param>
internal sealed class EventListAnswer(EventsPlan plan, AnswerWriter writer, Func<string, string> next)
{
    private string? _cursor;
    private int _rows;
    private bool _hasMore;

    public async Task WriteAsync(RowReader rows, CancellationToken cancellationToken)
    {
        var json = writer.Json;
        json.WriteStartObject();
        json.WriteStartArray("results");
        while (await rows.FillAsync(cancellationToken))
        {
            while (TryWriteEvent(rows)) await writer.FlushIfLargeAsync(cancellationToken);
        }

        json.WriteEndArray();
        json.WriteString("next", _hasMore ? next(_cursor!) : null);
        json.WriteEndObject();
        await writer.CompleteAsync(cancellationToken);
    }

    /// <summary>Writes one event alone; false when there is none.</summary>
    public async Task<bool> WriteSingleAsync(RowReader rows, CancellationToken cancellationToken)
    {
        while (_rows == 0 && await rows.FillAsync(cancellationToken)) TryWriteEvent(rows);
        if (_rows == 0) return false;

        await writer.CompleteAsync(cancellationToken);
        return true;
    }

    private bool TryWriteEvent(RowReader rows)
    {
        if (!rows.HasBytes) return false;

        var fields = rows.Begin();
        var row = EventRow.Begin(ref fields);
        var distinctId = fields.NextBytes();
        var properties = fields.NextBytes();
        fields.TryNextBytes(out var chain);
        if (fields.IsTruncated) return rows.Complete(fields);

        if (_rows == plan.Limit)
        {
            _hasMore = true;
            return rows.Complete(fields);
        }

        Write(row, distinctId, properties, Unquote(chain));
        if (++_rows == plan.Limit) _cursor = row.Cursor(plan);
        return rows.Complete(fields);
    }

    private void Write(in EventRow row, ReadOnlySpan<byte> distinctId, ReadOnlySpan<byte> properties, string chain)
    {
        var json = writer.Json;
        json.WriteStartObject();
        json.WriteString("id", row.Uuid);
        json.WriteString("uuid", row.Uuid);
        json.WriteString("distinct_id", distinctId);
        json.WritePropertyName("properties");
        EventRow.WriteJson(json, properties);
        json.WriteString("event", row.Event);
        json.WritePropertyName("timestamp");
        EventRow.WriteTime(json, row.Time);
        json.WriteNull("person");
        json.WriteStartArray("elements");
        int order = 0;
        foreach (var element in ElementsChain.Parse(chain)) Write(json, element, order++);
        json.WriteEndArray();
        json.WriteString("elements_chain", chain);
        json.WriteEndObject();
    }

    private static void Write(Utf8JsonWriter json, PageElement element, int order)
    {
        json.WriteStartObject();
        json.WriteString("tag_name", element.TagName);
        json.WriteString("text", element.Text);
        json.WriteString("href", element.Href);
        json.WriteString("attr_id", element.AttrId);
        json.WriteStartArray("attr_class");
        foreach (string name in element.Classes) json.WriteStringValue(name);
        json.WriteEndArray();
        WriteNumber(json, "nth_child", element.NthChild);
        WriteNumber(json, "nth_of_type", element.NthOfType);
        json.WriteStartObject("attributes");
        foreach (var (name, value) in element.Attributes) json.WriteString(name, value);
        json.WriteEndObject();
        json.WriteNumber("order", order);
        json.WriteEndObject();
    }

    private static void WriteNumber(Utf8JsonWriter json, string name, int? number)
    {
        if (number is { } value) json.WriteNumber(name, value);
        else json.WriteNull(name);
    }

    /// <summary>The chain is a JSON string; anything else that a client put there is no chain.</summary>
    private static string Unquote(ReadOnlySpan<byte> json)
    {
        if (json.IsEmpty || json[0] != (byte)'"') return "";

        Utf8JsonReader reader = new(json);
        reader.Read();
        return reader.GetString() ?? "";
    }
}
