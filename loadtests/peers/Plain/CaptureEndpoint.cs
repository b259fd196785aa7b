using System.IO.Compression;
using System.Text.Json;
using Microsoft.AspNetCore.Http.HttpResults;
using StackExchange.Redis;

namespace Gateway.Peers.Plain;

/// <summary>Takes events: decoded as a document, their token asked for in Redis, their rows kept in memory.</summary>
internal static class CaptureEndpoint
{
    public static async Task<IResult> CaptureAsync(
        HttpRequest request, IDatabase redis, RowBuffer buffer, TimeProvider time)
    {
        try
        {
            using var body = await ReadAsync(request);
            if (ReadToken(body.RootElement) is not { } token) return Refuse(401, "The body has no token.");

            var project = await redis.StringGetAsync($"token:{token}");
            if (project.IsNull) return Refuse(401, "The token is unknown.");

            var rows = ReadRows((long)project, body.RootElement, time.GetUtcNow());
            if (rows is null) return Refuse(400, "An event has no name or no person.");

            buffer.Add(rows);
            return TypedResults.Ok(new Answer("Ok"));
        }
        catch (Exception error) when (error is JsonException or InvalidDataException or FormatException)
        {
            return Refuse(400, error.Message);
        }
    }

    private static async Task<JsonDocument> ReadAsync(HttpRequest request)
    {
        if (request.Headers.ContentEncoding != "gzip") return await JsonDocument.ParseAsync(request.Body);

        await using var inflated = new GZipStream(request.Body, CompressionMode.Decompress);
        return await JsonDocument.ParseAsync(inflated);
    }

    private static string? ReadToken(JsonElement body) =>
        body.ValueKind == JsonValueKind.Object
            && body.TryGetProperty("api_key", out var token)
            && token.ValueKind == JsonValueKind.String
                ? token.GetString()
                : null;

    /// <summary>Null when one of them is no event.</summary>
    private static List<EventRow>? ReadRows(long project, JsonElement body, DateTimeOffset receivedAt)
    {
        if (!body.TryGetProperty("batch", out var batch))
            return EventRow.Read(project, body, receivedAt) is { } single ? [single] : null;
        if (batch.ValueKind != JsonValueKind.Array || batch.GetArrayLength() == 0) return null;

        var rows = new List<EventRow>(batch.GetArrayLength());
        foreach (var item in batch.EnumerateArray())
        {
            if (EventRow.Read(project, item, receivedAt) is not { } row) return null;
            rows.Add(row);
        }

        return rows;
    }

    private static JsonHttpResult<Problem> Refuse(int status, string detail) =>
        TypedResults.Json(new Problem(detail), statusCode: status);

    private sealed record Answer(string Status);

    private sealed record Problem(string Detail);
}
