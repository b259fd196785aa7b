using System.Globalization;
using System.Text.Json;
using Gateway.Core.Events;

namespace Gateway.Tests.Query;

/// <summary>A row of the events table as a test writes it.</summary>
public sealed record TestEvent(string Name, string At, string Properties = "{}", string DistinctId = "someone")
{
    public Guid Uuid { get; init; } = Guid.NewGuid();

    public string? ReceivedAt { get; init; }

    public string ToJson(ulong project)
    {
        var timestamp = DateTimeOffset.Parse(At, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal).UtcDateTime;
        Dictionary<string, object> row = new()
        {
            ["project_id"] = project,
            ["day"] = timestamp.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture),
            ["event"] = Name,
            ["uuid"] = Uuid,
            ["distinct_id"] = DistinctId,
            ["timestamp"] = timestamp.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
            ["received_at"] = ReceivedAt ?? timestamp.ToString("yyyy-MM-dd HH:mm:ss.ffffff", CultureInfo.InvariantCulture),
            ["properties"] = Properties,
        };

        using var properties = JsonDocument.Parse(Properties);
        for (int i = 0; i < PromotedProperties.Count; i++)
        {
            // Of duplicate keys the first counts.
            var value = properties.RootElement.EnumerateObject()
                .FirstOrDefault(property => property.Name == PromotedProperties.Names[i]).Value;
            row[PromotedProperties.Column(i)] = value.ValueKind switch
            {
                JsonValueKind.String => value.GetString()!,
                JsonValueKind.Number or JsonValueKind.True or JsonValueKind.False => value.GetRawText(),
                _ => "",
            };
        }

        return JsonSerializer.Serialize(row) + "\n";
    }
}
