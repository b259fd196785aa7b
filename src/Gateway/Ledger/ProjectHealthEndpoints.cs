using Gateway.Core;
using Gateway.Core.Ledger;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Tenancy;

namespace Gateway.Ledger;

/// <summary>How a project fared, minute by minute: <c>health/</c>.</summary>
internal sealed class ProjectHealthEndpoints(Func<LedgerBooks?> books, TimeProvider time)
{
    /// <summary>Told also where there were none.</summary>
    private static readonly RejectionReason[] AlwaysTold =
        [RejectionReason.MissingToken, RejectionReason.MistypedToken, RejectionReason.UnknownToken];

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/projects/{id}/health/", ReadAsync)
            .WithSummary(
                "What waited, how fresh events were and which requests were refused, by minute: from and to, at most a "
                + "day; else an hour.")
            .Produces<HealthAnswer>();
    }

    private async Task<IResult> ReadAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await plane.Projects.EnterAsync(
            Callers.Of(context), id, Scopes.QueryRead, context.RequestAborted);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (MinuteRange.Read(context, time, out var range) is { } mistake) return mistake;
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        await open.Health.FoldIfDueAsync(context.RequestAborted);
        var history = open.Ledger.Health;
        var minutes = history.Read(project.Value.ProjectId, range.From, range.To);
        var unattributed = AlwaysTold.ToDictionary(RejectionCode.Of, _ => 0L);
        foreach (var (code, requests) in history.ReadUnattributed(range.From, range.To)) unattributed[code] = requests;

        return TypedResults.Json(
            new HealthAnswer(
                range.Beginning,
                range.End,
                [.. minutes.Select(AnswerOf)],
                minutes.SelectMany(minute => minute.Refused)
                    .GroupBy(count => count.Key, count => count.Value)
                    .ToDictionary(counts => counts.Key, counts => counts.Sum()),
                unattributed),
            LedgerJson.Default.HealthAnswer);
    }

    private static HealthMinuteAnswer AnswerOf(HealthMinute minute) => new(
        MinuteRange.TimeOf(minute.Minute),
        minute.Waiting,
        minute.Freshness.Events,
        minute.Freshness.P50?.TotalSeconds,
        minute.Freshness.P99?.TotalSeconds,
        minute.Refused);
}
