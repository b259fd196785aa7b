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

    private static readonly EventColumn[] AllColumns =
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

        return Read(fields, ReadColumns(fields), new PropertyFilterReader(zone, nowUtc, problems).Read(fields));
    }

    /// <summary>The fields that an EventsQuery and the list of events share.</summary>
    /// <param name="fields">The request's fields.</param>
    /// <param name="columns">What to show.</param>
    /// <param name="filter">Conditions on properties.</param>
    /// <param name="defaultAfter">What <c>after</c> is when it is not given; null: unbounded.</param>
    public EventsQuery Read(
        QueryFields fields, IReadOnlyList<EventColumn> columns, FilterGroup filter, string? defaultAfter = null)
    {
        string? after = fields.Text("after") ?? defaultAfter;
        string? before = fields.Text("before");
        return new EventsQuery(
            columns,
            fields.Text("event") is { Length: > 0 } name ? name : null,
            fields.Text("distinct_id") ?? fields.Text("distinctId"),
            filter,
            ReadBound(after, fields.PathOf("after"), EventsQuery.NoAfter),
            ReadBound(before, fields.PathOf("before"), EventsQuery.NoBefore),
            $"{after}\n{before}",
            ReadOrder(fields),
            fields.Integer("limit", QueryLimits.DefaultRows, 1, QueryLimits.MaxRows),
            ReadCursor(fields));
    }

    private List<EventColumn> ReadColumns(QueryFields fields)
    {
        string path = fields.PathOf("select");
        if (fields.Get("select") is not { } select) return [.. AllColumns];

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
        if (Array.Find(AllColumns, column => column.Name == name) is { } known) return known;

        const string Prefix = "properties.";
        if (name.StartsWith(Prefix, StringComparison.Ordinal) && name.Length > Prefix.Length)
            return new EventColumn(EventField.Property, name, name[Prefix.Length..]);

        problems.Add(path, "Must be uuid, event, distinct_id, timestamp, properties or properties.<key>.");
        return AllColumns[0];
    }

    private long ReadBound(string? text, string path, long unbounded)
    {
        if (string.IsNullOrEmpty(text) || text == "all") return unbounded;
        if (QueryDate.TryParse(text, zone, nowUtc, out var date)) return ProjectZone.ToMicros(date.Utc);

        problems.Add(path, "Must be a date such as 2026-03-01, 2026-03-01T10:00:00Z, -7d or -24h.");
        return unbounded;
    }

    private bool ReadOrder(QueryFields fields)
    {
        if (fields.Get("orderBy") is not { } order) return true;

        string path = fields.PathOf("orderBy");
        if (order.ValueKind == JsonValueKind.Array)
        {
            if (order.GetArrayLength() == 0) return true;
            if (order.GetArrayLength() == 1) order = order[0];
        }

        if (order.ValueKind == JsonValueKind.String)
        {
            switch (QueryFields.Text(order, path, problems))
            {
                case "timestamp" or "timestamp ASC" or "timestamp asc": return false;
                case "-timestamp" or "timestamp DESC" or "timestamp desc": return true;
            }
        }

        problems.Add(path, "Events are ordered by time: must be timestamp DESC or timestamp ASC.");
        return true;
    }

    private EventsCursor? ReadCursor(QueryFields fields)
    {
        if (fields.Text("cursor") is not { } text) return null;
        if (EventsCursor.TryDecode(text) is { } cursor) return cursor;

        problems.Add(fields.PathOf("cursor"), "Must be a nextCursor that an answer gave.");
        return null;
    }
}
