namespace Gateway.Core.Query;

internal enum PropertyOperator : byte
{
    Exact,
    IsNot,
    Contains,
    NotContains,
    Regex,
    NotRegex,
    Greater,
    GreaterOrEqual,
    Less,
    LessOrEqual,
    IsSet,
    IsNotSet,
    IsDateBefore,
    IsDateAfter,
}

internal enum ValueKind : byte
{
    /// <summary>Compared as text. A boolean is the text <c>true</c> or <c>false</c>.</summary>
    Text,
    Number,
    Null,
    Date,
}

/// <param name="Kind">How it is compared.</param>
/// <param name="Text">The text; of a number, its digits as sent.</param>
/// <param name="Number">The number, finite.</param>
/// <param name="Micros">A date, in microseconds since 1970 UTC.</param>
internal readonly record struct PropertyValue(ValueKind Kind, string Text = "", double Number = 0, long Micros = 0);

/// <summary>A tree of conditions on properties.</summary>
internal abstract record FilterNode;

/// <param name="All">True: all must hold; false: any. An empty group holds.</param>
/// <param name="Nodes">In the order of the request.</param>
internal sealed record FilterGroup(bool All, IReadOnlyList<FilterNode> Nodes) : FilterNode
{
    public static readonly FilterGroup Empty = new(true, []);
}

/// <summary>One condition on one property.</summary>
/// <param name="Key">The property's name, whole: a dot in it is a dot.</param>
/// <param name="Operator">The comparison.</param>
/// <param name="Values">Any of them may match; none of them, for a negated operator.</param>
internal sealed record PropertyFilter(string Key, PropertyOperator Operator, IReadOnlyList<PropertyValue> Values)
    : FilterNode;
