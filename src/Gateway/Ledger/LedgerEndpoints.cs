using Gateway.Core.ClickHouse;
using Gateway.Core.Query;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Query;
using Gateway.Tenancy;

namespace Gateway.Ledger;

/// <summary>What became of a project's events, and how soon: <c>ledger/</c> and <c>freshness/</c>.</summary>
internal sealed class LedgerEndpoints(Func<LedgerBooks?> books, QueryStore store, TimeProvider time)
{
    private const int FreshnessWindow = 600;

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/projects/{id}/ledger/", ReadAsync)
            .WithSummary("What became of its events, by minute of receipt: from and to, at most a day; else an hour.")
            .Produces<LedgerAnswer>();
        api.MapGet("/projects/{id}/freshness/", ReadFreshnessAsync)
            .WithSummary("How long its events took from receipt to where queries see them, lately.")
            .Produces<FreshnessAnswer>();
    }

    private async Task<IResult> ReadAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await plane.Projects.EnterAsync(
            Callers.Of(context), id, Scopes.QueryRead, context.RequestAborted);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (MinuteRange.Read(context, time, out var range) is { } mistake) return mistake;
        if (books() is not { } open) return Unavailable();

        var authorized = new AuthorizedProject(project.Value.ProjectId, project.Value.TimeZone);
        var (from, to) = range;
        var minutes = new SortedDictionary<int, LedgerCounts>();
        foreach (var ledger in open.All)
        {
            var read = ledger.Read(authorized.Id, from, to);
            var stored = read.Count > 0 && plane.EventsStore.AreIdsSafe
                ? await CountStoredAsync(authorized, Guid.Parse(ledger.JournalId), from, to, context.RequestAborted)
                : null;
            foreach (var minute in read)
            {
                var counts = LedgerCounts.Of(minute, stored);
                minutes[minute.Minute] = minutes.TryGetValue(minute.Minute, out var sum) ? sum + counts : counts;
            }
        }

        long lostRecords = open.All.Sum(ledger => ledger.Totals.LostRecords);
        var totals = minutes.Values.Aggregate(LedgerCounts.None, (sum, counts) => sum + counts);
        return TypedResults.Json(
            new LedgerAnswer(
                [.. open.All.Select(ledger => Guid.Parse(ledger.JournalId))],
                range.Beginning,
                range.End,
                totals.Damaged + totals.Missed + lostRecords > 0,
                lostRecords,
                totals,
                [.. minutes.Select(minute => new LedgerMinuteAnswer(
                    MinuteRange.TimeOf(minute.Key), minute.Value))]),
            LedgerJson.Default.LedgerAnswer);
    }

    private async Task<IResult> ReadFreshnessAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await plane.Projects.EnterAsync(
            Callers.Of(context), id, Scopes.QueryRead, context.RequestAborted);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (books() is not { } open) return Unavailable();

        var figures = open.Shipper.Freshness.Read(project.Value.ProjectId);
        return TypedResults.Json(
            new FreshnessAnswer(
                figures.Events, figures.P50?.TotalSeconds, figures.P99?.TotalSeconds, FreshnessWindow),
            LedgerJson.Default.FreshnessAnswer);
    }

    internal static IResult Unavailable() => ApiError.Unavailable("The gateway is starting. Try again.");

    /// <summary>By minute; null when the store does not say. The books are exact without it.</summary>
    private async Task<IReadOnlyDictionary<int, long>?> CountStoredAsync(
        AuthorizedProject project, Guid journal, int from, int to, CancellationToken cancellationToken)
    {
        try
        {
            var query = StoredCompiler.Compile(project, journal, from, to);
            string queryId = "gateway-" + Guid.NewGuid().ToString("N");
            await using var result = await store.RunAsync(query, queryId, cancellationToken);
            using var rows = new RowReader(result.Content);
            var counts = new Dictionary<int, long>();
            while (await rows.FillAsync(cancellationToken))
            {
                while (rows.HasBytes && TakeRow(rows, counts))
                {
                }
            }

            return counts;
        }
        catch (Exception exception) when (exception is ClickHouseException or InvalidDataException)
        {
            return null;
        }
    }

    private static bool TakeRow(RowReader rows, Dictionary<int, long> counts)
    {
        var row = rows.Begin();
        var (minute, count) = (row.NextLong(), row.NextLong());
        if (!rows.Complete(row)) return false;

        counts[(int)minute] = count;
        return true;
    }
}
