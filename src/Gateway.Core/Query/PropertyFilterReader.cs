using System.Globalization;
using System.Text.Json;

namespace Gateway.Core.Query;

/// <summary>
/// Reads PostHog's property filters: a list of <c>{key, operator, value, type}</c>, or a group
/// <c>{"type": "AND"|"OR", "values": [filters or groups]}</c>.
/// </summary>
internal sealed class PropertyFilterReader(ProjectZone zone, DateTime nowUtc, QueryProblems problems)
{
    private static readonly string[] GroupFields = ["type", "values"];
    private static readonly string[] FilterFields = ["key", "operator", "value", "type"];
    private static readonly string[] LeftAside = ["label", "cohort_name", "group_type_index"];

    private static readonly Dictionary<string, PropertyOperator> Operators = new(StringComparer.Ordinal)
    {
        ["exact"] = PropertyOperator.Exact,
        ["is_not"] = PropertyOperator.IsNot,
        ["icontains"] = PropertyOperator.Contains,
        ["not_icontains"] = PropertyOperator.NotContains,
        ["regex"] = PropertyOperator.Regex,
        ["not_regex"] = PropertyOperator.NotRegex,
        ["gt"] = PropertyOperator.Greater,
        ["gte"] = PropertyOperator.GreaterOrEqual,
        ["lt"] = PropertyOperator.Less,
        ["lte"] = PropertyOperator.LessOrEqual,
        ["is_set"] = PropertyOperator.IsSet,
        ["is_not_set"] = PropertyOperator.IsNotSet,
        ["is_date_before"] = PropertyOperator.IsDateBefore,
        ["is_date_after"] = PropertyOperator.IsDateAfter,
    };

    /// <summary>What a value that could not be read stands as; never compiled, since there is a problem then.</summary>
    private static readonly PropertyValue Unread = new(ValueKind.Null);

    private int _count;

    /// <summary>Reads a query's or a series' own filters, and those that its client fixed for it.</summary>
    public FilterGroup Read(QueryFields fields)
    {
        var own = Read(fields.Get("properties"), fields.PathOf("properties"));
        var given = Read(fields.Get("fixedProperties"), fields.PathOf("fixedProperties"));
        return given.Nodes.Count == 0 ? own : new FilterGroup(true, [own, given]);
    }

    /// <summary>Reads a list or a group; absent means no condition.</summary>
    public FilterGroup Read(JsonElement? value, string path) => value switch
    {
        null => FilterGroup.Empty,
        { ValueKind: JsonValueKind.Array } list => new FilterGroup(true, ReadNodes(list, path, 1)),
        { ValueKind: JsonValueKind.Object } group when !IsFilter(group) => ReadGroup(group, path, 1),
        { ValueKind: JsonValueKind.Object } filter => new FilterGroup(true, [ReadFilter(filter, path)]),
        _ => Refuse(path),
    };

    private FilterGroup Refuse(string path)
    {
        problems.Add(path, "Must be a list of filters, or a group of them.");
        return FilterGroup.Empty;
    }

    private static bool IsFilter(JsonElement value) =>
        value.ValueKind != JsonValueKind.Object || !value.TryGetProperty("values", out _);

    private List<FilterNode> ReadNodes(JsonElement list, string path, int depth)
    {
        List<FilterNode> nodes = [];
        foreach (var element in list.EnumerateArray())
        {
            string at = $"{path}[{nodes.Count}]";
            if (++_count > QueryLimits.MaxFilters)
            {
                problems.Add(path, $"At most {QueryLimits.MaxFilters} filters.", QueryProblems.TooLarge);
                break;
            }

            nodes.Add(IsFilter(element) ? ReadFilter(element, at) : ReadGroup(element, at, depth + 1));
        }

        return nodes;
    }

    private FilterGroup ReadGroup(JsonElement value, string path, int depth)
    {
        var fields = QueryFields.Open(value, path, problems);
        fields.AllowOnly(GroupFields, []);
        if (depth > QueryLimits.MaxFilterDepth)
        {
            problems.Add(path, $"Groups nest at most {QueryLimits.MaxFilterDepth} deep.", QueryProblems.TooLarge);
            return FilterGroup.Empty;
        }

        string type = fields.Text("type") ?? "AND";
        if (type is not ("AND" or "OR")) problems.Add(fields.PathOf("type"), "Must be AND or OR.");

        if (fields.Get("values") is not { ValueKind: JsonValueKind.Array } values)
        {
            problems.Add(fields.PathOf("values"), "Must be a list.");
            return FilterGroup.Empty;
        }

        return new FilterGroup(type == "AND", ReadNodes(values, fields.PathOf("values"), depth));
    }

    private PropertyFilter ReadFilter(JsonElement value, string path)
    {
        var fields = QueryFields.Open(value, path, problems);
        fields.AllowOnly(FilterFields, LeftAside);

        string type = fields.Text("type") ?? "event";
        if (type != "event")
            problems.Add(fields.PathOf("type"), "Only properties of events can be filtered: must be event.");

        string? key = fields.Text("key");
        if (key is null) problems.Add(fields.PathOf("key"), "Which property?", QueryProblems.Required);

        string operatorName = fields.Text("operator") ?? "exact";
        if (!Operators.TryGetValue(operatorName, out var comparison))
            problems.Add(fields.PathOf("operator"), $"Must be one of {string.Join(", ", Operators.Keys)}.");

        return new PropertyFilter(key ?? "", comparison, ReadValues(value, fields, comparison));
    }

    private List<PropertyValue> ReadValues(JsonElement filter, QueryFields fields, PropertyOperator comparison)
    {
        if (comparison is PropertyOperator.IsSet or PropertyOperator.IsNotSet) return [];

        string path = fields.PathOf("value");
        if (filter.ValueKind != JsonValueKind.Object || !filter.TryGetProperty("value", out var value))
        {
            problems.Add(path, "Compared with what?", QueryProblems.Required);
            return [];
        }

        if (value.ValueKind != JsonValueKind.Array) return [ReadValue(value, path, comparison)];

        int length = value.GetArrayLength();
        if (length > QueryLimits.MaxValues)
            problems.Add(path, $"At most {QueryLimits.MaxValues} values.", QueryProblems.TooLarge);
        if (length > 1 && !TakesList(comparison))
            problems.Add(path, "This operator compares with one value.");

        List<PropertyValue> values = [];
        foreach (var item in value.EnumerateArray().Take(QueryLimits.MaxValues))
            values.Add(ReadValue(item, $"{path}[{values.Count}]", comparison));
        return values;
    }

    private static bool TakesList(PropertyOperator comparison) => comparison <= PropertyOperator.NotRegex;

    private PropertyValue ReadValue(JsonElement value, string path, PropertyOperator comparison) => comparison switch
    {
        PropertyOperator.Exact or PropertyOperator.IsNot => ReadScalar(value, path),
        PropertyOperator.Contains or PropertyOperator.NotContains => ReadText(value, path),
        PropertyOperator.Regex or PropertyOperator.NotRegex => ReadPattern(value, path),
        PropertyOperator.IsDateBefore or PropertyOperator.IsDateAfter => ReadDate(value, path),
        _ => ReadNumber(value, path),
    };

    private PropertyValue ReadScalar(JsonElement value, string path) =>
        value.ValueKind == JsonValueKind.Null ? new(ValueKind.Null)
        : value.ValueKind == JsonValueKind.Number ? ReadNumber(value, path)
        : ReadText(value, path);

    private PropertyValue ReadText(JsonElement value, string path)
    {
        switch (value.ValueKind)
        {
            case JsonValueKind.True: return new(ValueKind.Text, "true");
            case JsonValueKind.False: return new(ValueKind.Text, "false");
            case JsonValueKind.Number: return new(ValueKind.Text, value.GetRawText());
            case JsonValueKind.String: return new(ValueKind.Text, QueryFields.Text(value, path, problems));
            default:
                problems.Add(path, "Must be a string, a number, a boolean, or for exact and is_not null.");
                return Unread;
        }
    }

    private PropertyValue ReadPattern(JsonElement value, string path)
    {
        var pattern = ReadText(value, path);
        if (pattern.Text.Length > QueryLimits.MaxRegexLength)
            problems.Add(path, $"At most {QueryLimits.MaxRegexLength} characters.", QueryProblems.TooLarge);
        return pattern;
    }

    private PropertyValue ReadNumber(JsonElement value, string path)
    {
        string text = value.ValueKind == JsonValueKind.Number ? value.GetRawText()
            : value.ValueKind == JsonValueKind.String ? QueryFields.Text(value, path, problems) : "";
        const NumberStyles Style =
            NumberStyles.AllowLeadingSign | NumberStyles.AllowDecimalPoint | NumberStyles.AllowExponent;
        if (text.Length <= 400
            && double.TryParse(text, Style, CultureInfo.InvariantCulture, out double number)
            && double.IsFinite(number))
        {
            return new(ValueKind.Number, text, number);
        }

        problems.Add(path, "Must be a number; for dates there are is_date_before and is_date_after.");
        return Unread;
    }

    private PropertyValue ReadDate(JsonElement value, string path)
    {
        string text = QueryFields.Text(value, path, problems);
        if (QueryDate.TryParse(text, zone, nowUtc, out var date))
            return new(ValueKind.Date, text, Micros: ProjectZone.ToMicros(date.Utc));

        problems.Add(path, "Must be a date such as 2026-03-01, 2026-03-01T10:00:00Z or -7d.");
        return Unread;
    }
}
