namespace Gateway.Core.Query;

public enum EventField : byte
{
    Uuid,
    Event,
    DistinctId,
    Timestamp,
    ReceivedAt,
    Properties,

    /// <summary>One property's value as JSON.</summary>
    Property,
}

/// <summary>A column of an EventsQuery's answer.</summary>
/// <param name="Field">What it shows.</param>
/// <param name="Name">As it was asked for; the answer repeats it.</param>
/// <param name="Key">The property, for <see cref="EventField.Property"/>.</param>
public sealed record EventColumn(EventField Field, string Name, string? Key = null)
{
    /// <summary>The answer's type in ClickHouse's words; <c>JSON</c> keeps the value's own type.</summary>
    public string Type => Field switch
    {
        EventField.Uuid => "UUID",
        EventField.Timestamp or EventField.ReceivedAt => "DateTime64(6, 'UTC')",
        EventField.Properties => "JSON",
        EventField.Property => "Nullable(JSON)",
        _ => "String",
    };
}
