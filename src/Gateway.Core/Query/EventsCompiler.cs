using System.Buffers.Binary;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Gateway.Core.Query;

/// <summary>
/// An EventsQuery as SQL. Each row of the result, in RowBinary: a mark (always 1), the four values that order it and
/// make its cursor (the time that orders, in microseconds, uuid, hash of the event's name, day), the name, then
/// distinct id, the other time, properties and single properties as far as they were asked for, in the order of the
/// columns.
/// </summary>
internal static class EventsCompiler
{
    private const string EventHash = "sipHash64(event)";

    public static EventsPlan? Compile(
        EventsQuery query,
        AuthorizedProject project,
        CompiledQuery.Builder builder,
        QueryProblems problems,
        string cursorPath)
    {
        string filter = Filter(query, project, builder);
        ulong fingerprint = Fingerprint(query, filter, builder);
        var cursor = query.Cursor;
        if (cursor is not null && cursor.Fingerprint != fingerprint)
        {
            problems.Add(cursorPath, "This cursor belongs to another query; ask again without it.");
            return null;
        }

        if (cursor is not null) query = query with { After = cursor.After, Before = cursor.Before };

        string direction = query.Order.Descending ? "DESC" : "ASC";
        string time = TimeOf(query.Order.By);
        string sql = CompiledQuery.Builder.Select(
            Columns(query, builder),
            $"{filter} AND {Window(query, builder)} AND {Beyond(query, builder)}",
            $"ORDER BY {time} {direction}, uuid {direction}, {EventHash} {direction}, day {direction} "
            + $"LIMIT {(query.Limit + 1).ToString(CultureInfo.InvariantCulture)}");
        return new EventsPlan(builder.Build(sql), query, fingerprint);
    }

    /// <summary>The event with this uuid; the newest, should an SDK have used it for several.</summary>
    public static EventsPlan CompileSingle(
        IReadOnlyList<EventColumn> columns, Guid uuid, CompiledQuery.Builder builder)
    {
        EventsQuery query = new(
            columns, null, null, FilterGroup.Empty, EventsQuery.NoAfter, EventsQuery.NoBefore, "",
            EventsOrder.NewestFirst, 1, null);
        string sql = CompiledQuery.Builder.Select(
            Columns(query, builder),
            $"uuid = toUUID({builder.Text(uuid.ToString("D"))})",
            $"ORDER BY timestamp DESC, uuid DESC, {EventHash} DESC, day DESC LIMIT 2");
        return new EventsPlan(builder.Build(sql), query, fingerprint: 0);
    }

    private static string Filter(EventsQuery query, AuthorizedProject project, CompiledQuery.Builder builder)
    {
        string filter = new PropertyFilterSql(builder, project.TimeZone).Compile(query.Filter);
        if (query.Event is { } name) filter = $"event = {builder.Text(name)} AND {filter}";
        if (query.DistinctId is { } id) filter = $"distinct_id = {builder.Text(id)} AND {filter}";
        return filter;
    }

    private static string Columns(EventsQuery query, CompiledQuery.Builder builder)
    {
        var columns = new StringBuilder(
            $"toUInt8(1), {Micros(query.Order.By)}, toString(uuid), {EventHash}, day, event");
        foreach (var column in query.Columns)
        {
            string? sql = column.Field switch
            {
                EventField.DistinctId => "distinct_id",
                EventField.Timestamp or EventField.ReceivedAt when column.Field != query.Order.By =>
                    Micros(column.Field),
                EventField.Properties => "properties",
                EventField.Property => PropertySql.Json(builder, column.Key!),
                _ => null,
            };
            if (sql is not null) columns.Append(", ").Append(sql);
        }

        return columns.ToString();
    }

    private static string TimeOf(EventField field) => field == EventField.ReceivedAt ? "received_at" : "timestamp";

    private static string Micros(EventField field) => $"toUnixTimestamp64Micro({TimeOf(field)})";

    private static string Window(EventsQuery query, CompiledQuery.Builder builder)
    {
        string time = TimeOf(query.Order.By);
        string window = "1";
        if (query.After != EventsQuery.NoAfter) window += $" AND {time} > {builder.Moment(query.After)}";
        if (query.Before != EventsQuery.NoBefore) window += $" AND {time} < {builder.Moment(query.Before)}";
        return window;
    }

    private static string Beyond(EventsQuery query, CompiledQuery.Builder builder)
    {
        if (query.Cursor is not { } cursor) return "1";

        string comparison = query.Order.Descending ? "<" : ">";
        string time = TimeOf(query.Order.By);
        string moment = builder.Moment(cursor.Time);
        string hash = cursor.EventHash.ToString(CultureInfo.InvariantCulture);
        string day = cursor.Day.ToString(CultureInfo.InvariantCulture);

        // The first condition follows from the second, but only it can use the skip index.
        return $"{time} {comparison}= {moment} AND ({time}, uuid, {EventHash}, day) {comparison} "
            + $"({moment}, toUUID({builder.Text(cursor.Uuid)}), toUInt64({hash}), toDate({day}))";
    }

    /// <summary>Of all that decides which rows a query has and in which order, but for the cursor.</summary>
    private static ulong Fingerprint(EventsQuery query, string filter, CompiledQuery.Builder builder)
    {
        string order = (query.Order.By == EventField.ReceivedAt ? "received_at" : "")
            + (query.Order.Descending ? "-" : "+");
        string all = string.Join('\0', [filter, query.Window, order, .. builder.Values]);
        return BinaryPrimitives.ReadUInt64LittleEndian(SHA256.HashData(Encoding.UTF8.GetBytes(all)));
    }
}
