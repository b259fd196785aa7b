namespace Gateway.Core.Query;

/// <summary>An EventsQuery as read: single events, ordered by time.</summary>
/// <param name="Columns">What each row shows.</param>
/// <param name="Event">Only events of this name; null: all.</param>
/// <param name="DistinctId">Only events of this distinct id; null: all.</param>
/// <param name="Filter">Conditions on properties.</param>
/// <param name="After">
/// Events later than this by the time that orders them, microseconds UTC; long.MinValue: unbounded.
/// </param>
/// <param name="Before">Events earlier than this by that time, microseconds UTC; long.MaxValue: unbounded.</param>
/// <param name="Window">after and before as sent: part of what a cursor belongs to.</param>
/// <param name="Order">By which time, and from which end.</param>
/// <param name="Limit">Rows in one answer.</param>
/// <param name="Cursor">Where the last answer ended, or null.</param>
internal sealed record EventsQuery(
    IReadOnlyList<EventColumn> Columns,
    string? Event,
    string? DistinctId,
    FilterGroup Filter,
    long After,
    long Before,
    string Window,
    EventsOrder Order,
    int Limit,
    EventsCursor? Cursor)
{
    public const long NoAfter = long.MinValue;
    public const long NoBefore = long.MaxValue;
}

/// <summary>How events are ordered, and by which time they are bounded.</summary>
/// <param name="By">Their own time, or that of their receipt.</param>
/// <param name="Descending">Newest first.</param>
internal readonly record struct EventsOrder(EventField By, bool Descending)
{
    public static EventsOrder NewestFirst { get; } = new(EventField.Timestamp, Descending: true);
}

/// <summary>A compiled EventsQuery and what is needed to write its answer.</summary>
public sealed record EventsPlan : QueryPlan
{
    internal EventsPlan(CompiledQuery query, EventsQuery source, ulong fingerprint)
        : base(query)
    {
        Columns = source.Columns;
        Limit = source.Limit;
        Source = source;
        Fingerprint = fingerprint;
    }

    public IReadOnlyList<EventColumn> Columns { get; }

    /// <summary>Rows to show; the statement asks for one more, to know whether there are more.</summary>
    public int Limit { get; }

    /// <summary>
    /// The time that each row begins with: <see cref="EventField.Timestamp"/> or <see cref="EventField.ReceivedAt"/>.
    /// The other one is among the columns when it was asked for.
    /// </summary>
    public EventField OrderedBy => Source.Order.By;

    private EventsQuery Source { get; }

    private ulong Fingerprint { get; }

    /// <summary>The cursor that continues after a row with these values.</summary>
    public string CursorAfter(long time, string uuid, ulong eventHash, ushort day) =>
        new EventsCursor(Fingerprint, Source.After, Source.Before, time, day, eventHash, uuid).Encode();
}
