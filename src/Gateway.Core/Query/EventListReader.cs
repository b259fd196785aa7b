using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Gateway.Core.Query;

/// <summary>
/// Reads the URL of PostHog's list of events as an EventsQuery: the last 24 hours when no <c>after</c> is given.
/// </summary>
internal sealed class EventListReader(ProjectZone zone, DateTime nowUtc, QueryProblems problems)
{
    private const string DefaultAfter = "-24h";
    private const string Properties = "properties";

    private static readonly string[] Fields =
        ["event", "after", "before", "distinct_id", "limit", "orderBy", "cursor"];

    private static readonly string[] LeftAside = ["format", "select", "where", "person_id", "offset", "token"];

    /// <summary>What each event of the list is written from.</summary>
    public static readonly EventColumn[] Columns =
    [
        new(EventField.Uuid, "uuid"),
        new(EventField.Event, "event"),
        new(EventField.DistinctId, "distinct_id"),
        new(EventField.Timestamp, "timestamp"),
        new(EventField.Properties, "properties"),
        new(EventField.Property, "elements_chain", "$elements_chain"),
    ];

    public EventsQuery Read(IReadOnlyList<KeyValuePair<string, string>> url)
    {
        using var document = ToJson(url);
        var fields = QueryFields.Open(document.RootElement, "", problems);
        fields.AllowOnly(Fields, []);

        return new EventsQueryReader(zone, nowUtc, problems).ReadList(
            fields, Columns, ReadProperties(url), DefaultAfter);
    }

    /// <summary>URL fields as the JSON object that the readers know. Of a field given twice the last counts.</summary>
    private static JsonDocument ToJson(IReadOnlyList<KeyValuePair<string, string>> url)
    {
        Dictionary<string, object> fields = new(StringComparer.Ordinal);
        foreach (var (name, value) in url)
        {
            if (value.Length == 0 || name == Properties || Array.IndexOf(LeftAside, name) >= 0) continue;

            bool isNumber = name == "limit" && int.TryParse(value, CultureInfo.InvariantCulture, out _);
            fields[name] = isNumber ? int.Parse(value, CultureInfo.InvariantCulture)
                : name == "orderBy" ? value.Trim('[', ']', '"', ' ')
                : value;
        }

        return JsonSerializer.SerializeToDocument(fields);
    }

    private FilterGroup ReadProperties(IReadOnlyList<KeyValuePair<string, string>> url)
    {
        string text = url.LastOrDefault(field => field.Key == Properties).Value ?? "";
        if (text.Length == 0) return FilterGroup.Empty;

        var (document, error) = QueryCompiler.Parse(Encoding.UTF8.GetBytes(text), Properties);
        if (document is null)
        {
            problems.Add(Properties, error!.Detail, error.Code);
            return FilterGroup.Empty;
        }

        using (document)
        {
            return new PropertyFilterReader(zone, nowUtc, problems).Read(document.RootElement, Properties);
        }
    }
}
