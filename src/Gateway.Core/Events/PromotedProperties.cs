namespace Gateway.Core.Events;

/// <summary>
/// The well-known properties that have a column of their own. The order is the journal's and the table's: append
/// only. A column holds the property's string value, or the raw text of a number or boolean; it is empty when the
/// property is absent, null, an empty string, an array or an object. Of duplicate keys the first counts, as in
/// ClickHouse's JSONExtract.
/// </summary>
public static class PromotedProperties
{
    public static readonly string[] Names =
    [
        "$current_url", "$host", "$pathname", "$referring_domain", "$browser",
        "$os", "$device_type", "$lib", "$session_id", "$ip",
    ];

    /// <summary>The place of <c>$ip</c>, which the gateway fills in when the client did not send it.</summary>
    public const int Ip = 9;

    public static int Count => Names.Length;

    /// <summary>The column of a promoted property: <c>$current_url</c> is kept in <c>p_current_url</c>.</summary>
    public static string Column(int index) => "p_" + Names[index][1..];
}
