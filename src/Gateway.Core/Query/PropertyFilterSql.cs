namespace Gateway.Core.Query;

/// <summary>
/// Conditions on properties as SQL. A property that an event lacks matches no positive operator and every negated
/// one, as in PostHog: <c>is_not</c>, <c>not_icontains</c> and <c>not_regex</c> show it.
/// <list type="bullet">
/// <item>exact compares texts; a number matches a number of that value, however it is written, and the string of its
/// canonical digits; null matches an absent or null property; an empty list filters nothing.</item>
/// <item>icontains takes its value literally (<c>%</c> is a percent sign) and ignores case in every alphabet.</item>
/// <item>regex is RE2, matches anywhere and minds case.</item>
/// <item>gt, gte, lt and lte compare numbers, also those in strings; other texts do not match.</item>
/// <item>is_set holds for an empty string too.</item>
/// <item>is_date_before and is_date_after read texts that begin as 2026-03-01 or 2026/03/01, in the project's time zone
/// when they name none, and Unix times of 10 digits (seconds) or 13 (milliseconds); other texts do not match.</item>
/// </list>
/// </summary>
internal sealed class PropertyFilterSql(CompiledQuery.Builder builder, string timeZone)
{
    public string Compile(FilterGroup group)
    {
        // An empty group holds, whether all or any of nothing is asked for.
        if (group.Nodes.Count == 0) return "1";

        var conditions = group.Nodes.Select(
            node => node is FilterGroup inner ? Compile(inner) : Compile((PropertyFilter)node));
        return $"({string.Join(group.All ? " AND " : " OR ", conditions)})";
    }

    private string Compile(PropertyFilter filter)
    {
        switch (filter.Operator)
        {
            case PropertyOperator.IsSet: return $"isNotNull({Text(filter)})";
            case PropertyOperator.IsNotSet: return $"isNull({Text(filter)})";
        }

        if (filter.Values.Count == 0) return "1";

        string any = filter.Operator is PropertyOperator.Exact or PropertyOperator.IsNot
            ? Equal(filter)
            : string.Join(" OR ", filter.Values.Select(value => Compare(filter, value)));
        return IsNegated(filter.Operator) ? $"NOT ifNull({any}, 0)" : $"ifNull({any}, 0)";
    }

    private static bool IsNegated(PropertyOperator comparison) =>
        comparison is PropertyOperator.IsNot or PropertyOperator.NotContains or PropertyOperator.NotRegex;

    private string Equal(PropertyFilter filter)
    {
        List<string> conditions = [];
        if (filter.Values.Any(value => value.Kind == ValueKind.Null)) conditions.Add($"isNull({Text(filter)})");

        // One IN for each way of reading: the property is extracted once, not once for each value.
        var byReading = filter.Values
            .Where(value => value.Kind != ValueKind.Null)
            .GroupBy(value => PropertySql.ColumnFor(filter.Key, value) ?? Text(filter), Operand);
        foreach (var reading in byReading)
            conditions.Add($"ifNull({reading.Key} IN ({string.Join(", ", reading)}), 0)");
        return string.Join(" OR ", conditions);
    }

    private string Operand(PropertyValue value) =>
        value.Kind == ValueKind.Number && !IsCanonicalInteger(value.Text)
            ? $"toString({builder.Float(value.Number)})"
            : builder.Text(value.Text);

    private string Compare(PropertyFilter filter, PropertyValue value) => filter.Operator switch
    {
        PropertyOperator.Contains or PropertyOperator.NotContains =>
            $"positionCaseInsensitiveUTF8({Text(filter)}, {builder.Text(value.Text)}) > 0",
        PropertyOperator.Regex or PropertyOperator.NotRegex => $"match({Text(filter)}, {builder.Text(value.Text)})",
        PropertyOperator.Greater => $"{Number(filter)} > {builder.Float(value.Number)}",
        PropertyOperator.GreaterOrEqual => $"{Number(filter)} >= {builder.Float(value.Number)}",
        PropertyOperator.Less => $"{Number(filter)} < {builder.Float(value.Number)}",
        PropertyOperator.LessOrEqual => $"{Number(filter)} <= {builder.Float(value.Number)}",
        PropertyOperator.IsDateBefore => $"{Date(filter)} < {builder.Moment(value.Micros)}",
        _ => $"{Date(filter)} > {builder.Moment(value.Micros)}",
    };

    /// <summary>Up to 18 digits with no sign but minus and no leading zero: as ClickHouse prints it.</summary>
    private static bool IsCanonicalInteger(string text)
    {
        var digits = text.AsSpan(text.StartsWith('-') ? 1 : 0);
        return digits.Length is > 0 and <= 18
            && !digits.ContainsAnyExceptInRange('0', '9')
            && (digits[0] != '0' || text == "0");
    }

    private string Text(PropertyFilter filter) => PropertySql.Text(builder, filter.Key);

    private string Number(PropertyFilter filter) => $"toFloat64OrNull({Text(filter)})";

    private string Date(PropertyFilter filter)
    {
        // Left to itself, ClickHouse's best effort takes a 5 for the fifth of this month.
        const string LooksLikeDate = @"'^([0-9]{4}[-/][0-9]{2}[-/][0-9]{2}|[0-9]{10}$|[0-9]{13}$)'";
        string text = Text(filter);
        string date = $"parseDateTime64BestEffortOrNull({text}, 6, {builder.Text(timeZone)})";
        return $"if(ifNull(match({text}, {LooksLikeDate}), 0), {date}, NULL)";
    }
}
