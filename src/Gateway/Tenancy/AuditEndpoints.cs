using System.Globalization;
using System.Text.Json;
using Gateway.Core.Tenancy;

namespace Gateway.Tenancy;

/// <summary>The audit log of an organization: read it, and check that nobody changed it.</summary>
internal static class AuditEndpoints
{
    public static void MapAuditLog(this IEndpointRouteBuilder api)
    {
        const string Log = "/organizations/{organization}/audit_log/";
        api.MapGet(Log, ReadAsync)
            .WithSummary("Who did what, when and from where; newest first, with the chain's head. For admins.")
            .Produces<AuditPageAnswer>();
        api.MapGet(Log + "check/", CheckAsync)
            .WithSummary("Whether every row is as it was written, also up to a head noted down (count, hash).")
            .Produces<AuditCheckAnswer>();
    }

    private static async Task<IResult> ReadAsync(string organization, ControlPlane plane, HttpContext context)
    {
        if (!Paging.TryRead(
            context, "limit", Paging.StandardLimit, 1, AuditLog.MaxPage, out long limit, out var mistake))
        {
            return mistake!;
        }

        if (!Paging.TryRead(context, "before", long.MaxValue, 1, long.MaxValue, out long before, out mistake))
            return mistake!;

        var page = await plane.AuditLog.ReadAsync(
            Callers.Of(context), organization, before, (int)limit, context.RequestAborted);
        if (page.Refusal is { } refusal) return refusal.ToError();

        var rows = page.Value.Rows;
        string? next = rows.Count > 0 && rows[^1].Number > 1
            ? Paging.Link(context, ("before", rows[^1].Number.ToString(CultureInfo.InvariantCulture)))
            : null;
        return TypedResults.Json(
            new AuditPageAnswer(
                page.Value.Head.Count, next, null, HeadAnswer.Of(page.Value.Head), [.. rows.Select(AuditAnswer.Of)]),
            TenancyJson.Default.AuditPageAnswer);
    }

    private static async Task<IResult> CheckAsync(string organization, ControlPlane plane, HttpContext context)
    {
        if (!Paging.TryRead(context, "count", 0, 1, long.MaxValue, out long count, out var mistake)) return mistake!;
        string? hash = context.Request.Query["hash"].LastOrDefault();
        if (count > 0 != hash is not null)
            return ApiError.Validation("Give both count and hash of a head that you noted down, or neither.", "hash");

        var noted = hash is null ? null : new AuditHead { Count = count, Hash = hash };
        var check = await plane.AuditLog.CheckAsync(Callers.Of(context), organization, noted, context.RequestAborted);
        return check.Refusal is { } refusal
            ? refusal.ToError()
            : TypedResults.Json(
                new AuditCheckAnswer(
                    check.Value.FirstBad is null,
                    check.Value.FirstBad,
                    check.Value.Reason,
                    HeadAnswer.Of(check.Value.Head)),
                TenancyJson.Default.AuditCheckAnswer);
    }
}

/// <summary>The end of the chain; note it down elsewhere to be able to tell later that none is missing.</summary>
internal sealed record HeadAnswer(long Count, string Hash)
{
    public static HeadAnswer Of(AuditHead head) => new(head.Count, head.Hash);
}

internal sealed record AuditPageAnswer(
    long Count, string? Next, string? Previous, HeadAnswer Head, IReadOnlyList<AuditAnswer> Results);

internal sealed record AuditAnswer(
    long Number, DateTimeOffset At, string Actor, string Via, string Ip, string Action, string Target,
    JsonElement Detail, string Hash)
{
    public static AuditAnswer Of(AuditRow row) => new(
        row.Number, Times.Of(row.At), row.Actor, row.ActorVia, row.Ip, row.Action, row.Target,
        DetailOf(row.Detail), row.Hash);

    /// <summary>As it was written, which is JSON; a row that somebody changed may be any text, shown so.</summary>
    private static JsonElement DetailOf(string detail)
    {
        try
        {
            var element = JsonElement.Parse(detail);

            // Half a character in a text is found only when it is written.
            using var writer = new Utf8JsonWriter(Stream.Null);
            element.WriteTo(writer);
            return element;
        }
        catch (Exception exception) when (exception is JsonException or InvalidOperationException or ArgumentException)
        {
            return JsonElement.Parse($"\"{JsonEncodedText.Encode(detail)}\"");
        }
    }
}

internal sealed record AuditCheckAnswer(bool Intact, long? FirstBad, string? Reason, HeadAnswer Head);
