namespace Gateway.Core.Ledger;

/// <summary>How a project fared in one minute.</summary>
/// <param name="Minute">Since 1970 UTC.</param>
/// <param name="Waiting">Events in the journal, on their way, when it was looked last in that minute.</param>
/// <param name="Freshness">Of the events that became visible to queries in it.</param>
/// <param name="Refused">Requests that were refused, by the reason's code; reasons that there were.</param>
public sealed record HealthMinute(
    int Minute, long Waiting, FreshnessFigures Freshness, IReadOnlyDictionary<string, long> Refused);
