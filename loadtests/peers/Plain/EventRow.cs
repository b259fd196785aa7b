using System.Text.Json;
using System.Text.Json.Serialization;

namespace Gateway.Peers.Plain;

/// <summary>An event as the table has it.</summary>
internal sealed record EventRow(
    [property: JsonPropertyName("project_id")] long ProjectId,
    [property: JsonPropertyName("event")] string Event,
    [property: JsonPropertyName("distinct_id")] string DistinctId,
    [property: JsonPropertyName("uuid")] Guid Uuid,
    [property: JsonPropertyName("timestamp")] DateTimeOffset Timestamp,
    [property: JsonPropertyName("properties")] string Properties)
{
    /// <summary>Null when it has no name or no person.</summary>
    public static EventRow? Read(long projectId, JsonElement item, DateTimeOffset receivedAt)
    {
        if (item.ValueKind != JsonValueKind.Object) return null;
        if (Text(item, "event")?.GetString() is not { Length: > 0 } name) return null;
        if (Text(item, "distinct_id")?.GetString() is not { Length: > 0 } person) return null;

        return new EventRow(
            projectId,
            name,
            person,
            Text(item, "uuid") is { } uuid && uuid.TryGetGuid(out var given) ? given : Guid.CreateVersion7(),
            Text(item, "timestamp") is { } at && at.TryGetDateTimeOffset(out var sent) ? sent : receivedAt,
            item.TryGetProperty("properties", out var properties) ? properties.GetRawText() : "{}");
    }

    private static JsonElement? Text(JsonElement item, string name) =>
        item.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value : null;
}
