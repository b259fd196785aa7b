namespace Gateway.Core.Query;

/// <summary>
/// The project that the caller's key may read. Made from the control plane's answer, never from a request's body:
/// a query cannot name the project that it reads.
/// </summary>
/// <param name="Id">The project's id in every row.</param>
/// <param name="TimeZone">IANA name; days and weeks begin there.</param>
public sealed record AuthorizedProject(ulong Id, string TimeZone);
