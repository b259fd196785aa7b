using System.Text.Json;

namespace Gateway.Core.Query;

/// <summary>Reads an EventsQuery. With no <c>after</c> it reaches back to the project's first event.</summary>
internal sealed class EventsQueryReader(ProjectZone zone, DateTime nowUtc, QueryProblems problems)
{
    private static readonly string[] Fields =
    [
        "kind", "select", "event", "distinct_id", "distinctId", "properties", "fixedProperties", "after", "before",
        "orderBy", "limit", "cursor",
    ];

    // Sent by PostHog's clients; they change nothing here.
    private static readonly string[] LeftAside =
    [
        "filterTestAccounts", "modifiers", "response", "tags", "version",
    ];

    private static readonly EventColumn ReceivedAt = new(EventField.ReceivedAt, "received_at");

    private static readonly EventColumn[] StandardColumns =
    [
        new(EventField.Uuid, "uuid"),
        new(EventField.Event, "event"),
        new(EventField.DistinctId, "distinct_id"),
        new(EventField.Timestamp, "timestamp"),
        new(EventField.Properties, "properties"),
    ];

    public EventsQuery Read(JsonElement query, string path)
    {
        var fields = QueryFields.Open(query, path, problems);
        fields.AllowOnly(Fields, LeftAside);

        var filter = new PropertyFilterReader(zone, nowUtc, problems).Read(fields);
        return Read(fields, ReadColumns(fields), filter, fields.Text("after"), ReadOrder(fields, mayBeOfReceipt: true));
    }

    /// <summary>The list of events has the same fields, but PostHog's orders only.</summary>
    /// <param name="fields">The request's fields.</param>
    /// <param name="columns">What to show.</param>
    /// <param name="filter">Conditions on properties.</param>
    /// <param name="defaultAfter">What <c>after</c> is when it is not given.</param>
    public EventsQuery ReadList(
        QueryFields fields, IReadOnlyList<EventColumn> columns, FilterGroup filter, string defaultAfter) =>
        Read(
            fields, columns, filter, fields.Text("after") ?? defaultAfter, ReadOrder(fields, mayBeOfReceipt: false));

    private EventsQuery Read(
        QueryFields fields,
        IReadOnlyList<EventColumn> columns,
        FilterGroup filter,
        string? after,
        EventsOrder order)
    {
        string? before = fields.Text("before");
        return new EventsQuery(
            columns,
            fields.Text("event") is { Length: > 0 } name ? name : null,
            fields.Text("distinct_id") ?? fields.Text("distinctId"),
            filter,
            ReadBound(after, fields.PathOf("after"), EventsQuery.NoAfter),
            ReadBound(before, fields.PathOf("before"), EventsQuery.NoBefore),
            $"{after}\n{before}",
            order,
            fields.Integer("limit", QueryLimits.DefaultRows, 1, QueryLimits.MaxRows),
            ReadCursor(fields));
    }

    private List<EventColumn> ReadColumns(QueryFields fields)
    {
        string path = fields.PathOf("select");
        if (fields.Get("select") is not { } select) return [.. StandardColumns];

        if (select.ValueKind != JsonValueKind.Array || select.GetArrayLength() is 0 or > QueryLimits.MaxColumns)
        {
            problems.Add(path, $"Must be a list of 1 to {QueryLimits.MaxColumns} columns.");
            return [];
        }

        List<EventColumn> columns = [];
        foreach (var item in select.EnumerateArray())
        {
            string at = $"{path}[{columns.Count}]";
            columns.Add(ReadColumn(QueryFields.Text(item, at, problems), at));
        }

        return columns;
    }

    private EventColumn ReadColumn(string name, string path)
    {
        if (Array.Find(StandardColumns, column => column.Name == name) is { } known) return known;
        if (name == ReceivedAt.Name) return ReceivedAt;

        const string Prefix = "properties.";
        if (name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length > Prefix.Length)
            return new EventColumn(EventField.Property, name, name[Prefix.Length..]);

        problems.Add(
            path, "Must be uuid, event, distinct_id, timestamp, received_at, properties or properties.<key>.");
        return ReceivedAt;
    }

    private long ReadBound(string? text, string path, long unbounded)
    {
        if (string.IsNullOrEmpty(text) || text == "all") return unbounded;
        if (QueryDate.TryParse(text, zone, nowUtc, out var date)) return ProjectZone.ToMicros(date.Utc);

        problems.Add(path, "Must be a date such as 2026-03-01, 2026-03-01T10:00:00Z, -7d or -24h.");
        return unbounded;
    }

    private EventsOrder ReadOrder(QueryFields fields, bool mayBeOfReceipt)
    {
        if (fields.Get("orderBy") is not { } order) return EventsOrder.NewestFirst;

        string path = fields.PathOf("orderBy");
        if (order.ValueKind == JsonValueKind.Array)
        {
            if (order.GetArrayLength() == 0) return EventsOrder.NewestFirst;
            if (order.GetArrayLength() == 1) order = order[0];
        }

        if (order.ValueKind == JsonValueKind.String
            && OrderOf(QueryFields.Text(order, path, problems)) is { } known
            && (mayBeOfReceipt || known.By == EventField.Timestamp))
        {
            return known;
        }

        problems.Add(path, mayBeOfReceipt
            ? "Events are ordered by time: must be timestamp or received_at, with DESC or ASC."
            : "Events are ordered by time: must be timestamp DESC or timestamp ASC.");
        return EventsOrder.NewestFirst;
    }

    private static EventsOrder? OrderOf(string text) => text switch
    {
        "timestamp" or "timestamp ASC" or "timestamp asc" => new EventsOrder(EventField.Timestamp, false),
        "-timestamp" or "timestamp DESC" or "timestamp desc" => new EventsOrder(EventField.Timestamp, true),
        "received_at" or "received_at ASC" or "received_at asc" => new EventsOrder(EventField.ReceivedAt, false),
        "-received_at" or "received_at DESC" or "received_at desc" => new EventsOrder(EventField.ReceivedAt, true),
        _ => null,
    };

    private EventsCursor? ReadCursor(QueryFields fields)
    {
        if (fields.Text("cursor") is not { } text) return null;
        if (EventsCursor.TryDecode(text) is { } cursor) return cursor;

        problems.Add(fields.PathOf("cursor"), "Must be a nextCursor that an answer gave.");
        return null;
    }
}
