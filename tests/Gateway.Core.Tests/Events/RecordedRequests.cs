using System.Runtime.CompilerServices;
using System.Text.Json;

namespace Gateway.Core.Tests.Events;

/// <summary>One request of a real SDK, byte for byte.</summary>
internal sealed record RecordedRequest(
    string Source, string Path, string Query, byte[] Body, string ContentType, string ContentEncoding, string? Decoded)
{
    public bool IsCapture => Path.Trim('/') is "e" or "i/v0/e" or "batch" or "capture" or "track" or "engage";

    public bool IsFlags => Path.Trim('/') is "flags" or "decide";
}

internal static class RecordedRequests
{
    public static IReadOnlyList<RecordedRequest> All { get; } = [.. Directory
        .EnumerateFiles(Folder(), "*.jsonl")
        .Order(StringComparer.Ordinal)
        .SelectMany(file => File.ReadLines(file).Select((line, index) => Read(file, index, line)))
        .OfType<RecordedRequest>()];

    private static RecordedRequest? Read(string file, int index, string line)
    {
        using var document = JsonDocument.Parse(line);
        var request = document.RootElement;
        if (request.GetProperty("method").GetString() == "OPTIONS") return null;

        string[] url = request.GetProperty("url").GetString()!.Split('?', 2);
        var decoded = request.GetProperty("decoded");
        return new RecordedRequest(
            $"{Path.GetFileNameWithoutExtension(file)}#{index}",
            url[0],
            url.Length > 1 ? url[1] : "",
            request.GetProperty("body_b64").GetBytesFromBase64(),
            Header(request, "content-type"),
            Header(request, "content-encoding"),
            decoded.ValueKind == JsonValueKind.Null ? null : decoded.GetRawText());
    }

    private static string Header(JsonElement request, string name) =>
        request.GetProperty("headers").TryGetProperty(name, out var value) ? value.GetString()! : "";

    private static string Folder([CallerFilePath] string here = "") =>
        Path.GetFullPath(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "recordings"));
}
