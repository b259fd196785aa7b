using System.Buffers;
using System.Globalization;
using System.Text.Json;
using Gateway.Core.Events;
using Gateway.Core.Ledger;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Tenancy;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Gateway.Ledger;

/// <summary>
/// Events of a project that could not be stored: read by its people, sent again or deleted by its admins. These are
/// what this gateway has put aside; another one has its own.
/// </summary>
internal sealed class QuarantineEndpoints(Func<LedgerBooks?> books, QuarantineReplay replay)
{
    private const int ReplayedAtOnce = 500;
    private const int MostErrors = 100;
    private const int MostReplayed = 10_000;
    private const int MostListed = 100;

    public void Map(IEndpointRouteBuilder api)
    {
        api.MapGet("/projects/{id}/quarantine/", ListAsync)
            .WithSummary("Events that could not be stored, the latest first.").Produces<Page<QuarantineAnswer>>();
        api.MapGet("/projects/{id}/quarantine/{row}/", ReadAsync)
            .WithSummary("One of them.").Produces<QuarantineAnswer>();
        api.MapDelete("/projects/{id}/quarantine/{row}/", DeleteAsync)
            .WithSummary("Deletes one of them for good. For the project's admins.")
            .Produces(StatusCodes.Status204NoContent);
        api.MapDelete("/projects/{id}/quarantine/", DeleteAllAsync)
            .WithSummary("Deletes all of them for good. For the project's admins.")
            .Produces(StatusCodes.Status204NoContent);
        api.MapPost("/projects/{id}/quarantine/{row}/replay/", ReplayAsync)
            .WithSummary("Sends one again, as it is or as the body has it. For the project's admins.")
            .Produces<ReplayAnswer>();
        api.MapPost("/projects/{id}/quarantine/replay/", ReplayAllAsync)
            .WithSummary("Sends all of them again as they are. For the project's admins.").Produces<ReplayAnswer>();
    }

    private async Task<IResult> ListAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await plane.Projects.EnterAsync(
            Callers.Of(context), id, Scopes.QueryRead, context.RequestAborted);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        return Paging.Answer(
            context,
            MostListed,
            (limit, offset) => open.Ledger.Quarantine.List(project.Value.ProjectId, offset, limit),
            AnswerOf,
            LedgerJson.Default.PageQuarantineAnswer);
    }

    private async Task<IResult> ReadAsync(string id, string row, ControlPlane plane, HttpContext context)
    {
        var project = await plane.Projects.EnterAsync(
            Callers.Of(context), id, Scopes.QueryRead, context.RequestAborted);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (!TryReadId(row, out long number)) return ApiError.NotFound();
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        return open.Ledger.Quarantine.Find(project.Value.ProjectId, number) is { } entry
            ? TypedResults.Json(AnswerOf(entry), LedgerJson.Default.QuarantineAnswer)
            : ApiError.NotFound();
    }

    private async Task<IResult> DeleteAsync(string id, string row, ControlPlane plane, HttpContext context)
    {
        var project = await AdministerAsync(id, plane, context);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (!TryReadId(row, out long number)) return ApiError.NotFound();
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        return open.Ledger.Quarantine.Delete(project.Value.ProjectId, number) > 0
            ? TypedResults.NoContent()
            : ApiError.NotFound();
    }

    private async Task<IResult> DeleteAllAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await AdministerAsync(id, plane, context);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        open.Ledger.Quarantine.Delete(project.Value.ProjectId, null);
        return TypedResults.NoContent();
    }

    private async Task<IResult> ReplayAsync(string id, string row, ControlPlane plane, HttpContext context)
    {
        var project = await AdministerAsync(id, plane, context);
        if (project.Refusal is { } refusal) return refusal.ToError();

        if (!TryReadId(row, out long number)) return ApiError.NotFound();

        var (mended, wrong) = await replay.ReadMendedAsync(context);
        if (wrong is not null) return wrong;
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        var found = open.Ledger.Quarantine.Find(project.Value.ProjectId, number);
        if (found is not { } entry) return ApiError.NotFound();

        return await replay.SendAsync(open, project.Value, entry, mended, context.RequestAborted) switch
        {
            { IsDone: true } => Answer(1, 0, []),
            { IsFinal: true } failure => ApiError.Validation(failure.Detail, failure.Attr, failure.Code),
            var failure => ApiError.Unavailable(failure.Detail),
        };
    }

    private async Task<IResult> ReplayAllAsync(string id, ControlPlane plane, HttpContext context)
    {
        var project = await AdministerAsync(id, plane, context);
        if (project.Refusal is { } refusal) return refusal.ToError();
        if (books() is not { } open) return LedgerEndpoints.Unavailable();

        long replayed = 0;
        long failed = 0;
        var errors = new List<ReplayError>();
        var quarantine = open.Ledger.Quarantine;
        ulong projectId = project.Value.ProjectId;

        // Not what comes back meanwhile: it would be sent for ever.
        long end = quarantine.LastId(projectId);
        long last = 0;
        while (last < end && replayed + failed < MostReplayed)
        {
            var ids = quarantine.Ids(projectId, last, ReplayedAtOnce);
            if (ids.Count == 0) break;

            foreach (long row in ids.Where(row => row <= end))
            {
                context.RequestAborted.ThrowIfCancellationRequested();
                if (quarantine.Find(projectId, row) is not { } entry) continue;

                var outcome = await replay.SendAsync(open, project.Value, entry, default, context.RequestAborted);
                if (outcome.IsDone) replayed++;
                else if (++failed <= MostErrors) errors.Add(new ReplayError(row, outcome.Code, outcome.Detail));

                // Nothing is wrong with the rows then, and the next would fare no better.
                if (outcome is { IsDone: false, IsFinal: false }) return ApiError.Unavailable(outcome.Detail);
            }

            last = ids[^1];
        }

        return Answer(replayed, failed, errors);
    }

    private static bool TryReadId(string text, out long id) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out id) && id > 0;

    private static ValueTask<Outcome<ProjectAccess>> AdministerAsync(
        string id, ControlPlane plane, HttpContext context) => plane.Projects.AdministerAsync(
            Callers.Of(context), id, Scopes.ProjectWrite, context.RequestAborted);

    private static JsonHttpResult<ReplayAnswer> Answer(long replayed, long failed, List<ReplayError> errors) =>
        TypedResults.Json(new ReplayAnswer(replayed, failed, errors), LedgerJson.Default.ReplayAnswer);

    private static QuarantineAnswer AnswerOf(QuarantineEntry entry) => new(
        entry.Id,
        entry.Row.IsEvent ? "store" : "capture",
        entry.Code,
        entry.Reason,
        DateTimeOffset.UnixEpoch.AddMicroseconds(entry.Row.ReceivedAtMicros),
        DateTimeOffset.UnixEpoch.AddMicroseconds(entry.PutAsideAtMicros),
        new RawJson(entry.Row.IsEvent ? JsonOf(entry.Row) : new RefusedRow(entry.Row.Bytes).Raw.ToArray()));

    /// <summary>An event as capture would take it.</summary>
    private static ReadOnlyMemory<byte> JsonOf(JournalRow row)
    {
        var fields = new EventRow(row.Bytes);
        Span<byte> uuid = stackalloc byte[16];
        fields.Uuid.CopyTo(uuid);
        uuid[..8].Reverse();
        uuid[8..].Reverse();

        var json = new ArrayBufferWriter<byte>();
        using var writer = new Utf8JsonWriter(json);
        writer.WriteStartObject();
        writer.WriteString("event", fields.Name);
        writer.WriteString("distinct_id", fields.DistinctId);
        writer.WriteString("uuid", new Guid(uuid, bigEndian: true));
        writer.WriteString(
            "timestamp",
            DateTimeOffset.UnixEpoch.AddMicroseconds(fields.Timestamp)
                .ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'", CultureInfo.InvariantCulture));
        writer.WritePropertyName("properties");
        writer.WriteRawValue(fields.Properties, skipInputValidation: true);
        writer.WriteEndObject();
        writer.Flush();
        return json.WrittenMemory;
    }
}
