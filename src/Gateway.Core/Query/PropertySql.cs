using System.Text.Json;
using Gateway.Core.Events;

namespace Gateway.Core.Query;

/// <summary>
/// How a statement reads a property. A property's <em>text</em> is a string's value, the canonical digits of a
/// number, <c>true</c> or <c>false</c>, the JSON of a list or object; it is NULL where the property is absent or
/// null. Of a key that is there twice the first counts.
/// </summary>
internal static class PropertySql
{
    // ClickHouse's fast JSON parser gives up on a whole object for one number beyond 64 bits or double's range. Such
    // numbers are quoted and the object read again, so that one odd property does not hide its neighbours.
    private const string Repaired =
        """
        replaceRegexpAll(properties,
        '([:,\\[]\\s*)(-?[0-9]{19}[-+.eE0-9]*|-?[0-9.]+[eE]\\+?[0-9]{3,})', '\\1"\\2"')
        """;

    /// <summary>The text of any property, of type Nullable(String).</summary>
    public static string Text(CompiledQuery.Builder builder, string key) =>
        Read(text => $"JSONExtract({text}, {builder.Text(key)}, 'Nullable(String)')");

    /// <summary>A property's value as JSON; NULL where it is absent.</summary>
    public static string Json(CompiledQuery.Builder builder, string key) =>
        Read(text => $"nullIf(JSONExtractRaw({text}, {builder.Text(key)}), '')");

    /// <summary>
    /// A property's text for a breakdown, never NULL: where it is absent, null or empty, the empty string. A promoted
    /// property is read from its column alone, so that the JSON stays unread; there a list or an object, which has no
    /// one value to break down by, counts as absent.
    /// </summary>
    public static string BreakdownText(CompiledQuery.Builder builder, string key) =>
        Column(key) ?? $"ifNull({Text(builder, key)}, '')";

    /// <summary>
    /// The column that answers whether the property's text is exactly this one, or null where only the JSON can: a
    /// column is empty for more than one reason, holds no list or object, and has a number as it was sent.
    /// </summary>
    public static string? ColumnFor(string key, in PropertyValue value) =>
        value.Kind == ValueKind.Text && IsPlain(value.Text) ? Column(key) : null;

    private static string Read(Func<string, string> extract)
    {
        string plain = extract("properties");
        return $"if(isNotNull({plain}) OR isValidJSON(properties), {plain}, {extract(Repaired)})";
    }

    private static string? Column(string key)
    {
        int index = Array.IndexOf(PromotedProperties.Names, key);
        return index < 0 ? null : PromotedProperties.Column(index);
    }

    private static bool IsPlain(string text) =>
        text.Length > 0 && text[0] is not ('[' or '{') && !IsNumber(text);

    private static bool IsNumber(string text)
    {
        if (text[0] is not ('-' or (>= '0' and <= '9'))) return false;

        try
        {
            using var json = JsonDocument.Parse(text);
            return json.RootElement.ValueKind == JsonValueKind.Number;
        }
        catch (JsonException)
        {
            return false;
        }
    }
}
