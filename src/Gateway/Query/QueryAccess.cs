using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>Whether the caller may read, as the control plane judged it for this request.</summary>
/// <param name="Project">The project, when the caller may.</param>
/// <param name="Refusal">The answer, when not.</param>
internal readonly record struct QueryAccess(AuthorizedProject? Project, IResult? Refusal);

/// <summary>Judges a caller by the request's key; the only source of the project that a query reads.</summary>
/// <param name="context">The request.</param>
/// <param name="idOrCurrent">The project in the route: an id, or <c>@current</c>.</param>
/// <param name="scope">What the key must be allowed to do.</param>
internal delegate ValueTask<QueryAccess> AuthorizeQuery(HttpContext context, string idOrCurrent, string scope);
