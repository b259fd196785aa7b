namespace Gateway.Core;

/// <summary>A reason as clients and people see it: <c>MissingDistinctId</c> is <c>missing_distinct_id</c>.</summary>
public static class RejectionCode
{
    private static readonly string[] Codes =
        [.. Enum.GetValues<RejectionReason>().Select(reason => ToSnakeCase(reason.ToString()))];

    public static string Of(RejectionReason reason) => Codes[(int)reason];

    private static string ToSnakeCase(string name) =>
        string.Concat(name.Select((letter, at) =>
            at > 0 && char.IsUpper(letter) ? $"_{char.ToLowerInvariant(letter)}" : $"{char.ToLowerInvariant(letter)}"));
}
