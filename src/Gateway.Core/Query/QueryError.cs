namespace Gateway.Core.Query;

/// <summary>Why a query is refused: the client's fault, and always 400.</summary>
/// <param name="Code">A stable word for programs: <c>required</c>, <c>unknown_field</c> ….</param>
/// <param name="Detail">A sentence for people; names the limit where there is one.</param>
/// <param name="Attr">The field at fault, as a path: <c>query.properties[0].operator</c>.</param>
public sealed record QueryError(string Code, string Detail, string? Attr);

/// <summary>
/// Collects what is wrong with a query while it is read. Reading goes on with a default after a fault, so that the
/// readers stay plain; what was read is used only when there is no <see cref="First"/>.
/// </summary>
internal sealed class QueryProblems
{
    public const string InvalidInput = "invalid_input";
    public const string Required = "required";
    public const string UnknownField = "unknown_field";
    public const string TooLarge = "too_large";

    public QueryError? First { get; private set; }

    public void Add(string attr, string detail, string code = InvalidInput) =>
        First ??= new QueryError(code, detail, attr);
}
