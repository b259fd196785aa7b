using System.Net;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>What real SDKs sent, replayed byte for byte: the answer that each needs, and the events that each carried.</summary>
public sealed class RecordingTests
{
    private static readonly string[] CapturePaths = ["/e", "/i/v0/e", "/batch"];

    [Theory]
    [InlineData("br_p449_stub.jsonl")]
    [InlineData("br_p449arr_configjs.jsonl")]
    [InlineData("br_p449nc_stub.jsonl")]
    [InlineData("br_xorigin.jsonl")]
    [InlineData("node_sdks.jsonl")]
    [InlineData("python_sdk.jsonl")]
    public async Task A_recorded_session_gets_the_answers_it_needs_and_its_events_are_stored(string file)
    {
        await using var gateway = await GatewayProcess.StartAsync();
        var carried = new List<(JsonElement Event, JsonElement Request)>();
        foreach (string line in await File.ReadAllLinesAsync(Build.Repository("tests", "recordings", file)))
        {
            var recorded = JsonDocument.Parse(line).RootElement;
            if (!IsPostHog(recorded)) continue;

            using var answer = await gateway.Http.SendAsync(Replay(recorded));
            await AssertAnswerAsync(recorded, answer);
            if (IsCapture(recorded) && answer.StatusCode == HttpStatusCode.OK && Method(recorded) == "POST")
            {
                var decoded = recorded.GetProperty("decoded");
                carried.AddRange(decoded.GetProperty("batch").EnumerateArray().Select(item => (item, decoded)));
            }
        }

        Assert.NotEmpty(carried);
        int unique = carried.Select(pair => Text(pair.Event, "uuid")).Distinct().Count();
        var stored = await gateway.WaitForEventsAsync(unique);
        Assert.Equal(unique, stored.Count);
        Assert.All(carried, pair => AssertStored(pair.Event, stored));
    }

    [Theory]
    [InlineData("GET", "/favicon.ico")]
    [InlineData("GET", "/static/1.449.2/surveys.js")]
    [InlineData("GET", "/static/..%2fappsettings.json")]
    [InlineData("POST", "/i/v1/analytics/events")]
    public async Task What_is_not_served_is_404(string method, string path)
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var answer = await gateway.Http.SendAsync(new HttpRequestMessage(new HttpMethod(method), path));
        Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
    }

    private static void AssertStored(JsonElement sent, List<StoredEvent> stored)
    {
        var row = Assert.Single(stored, row => row.Uuid == Text(sent, "uuid"));
        Assert.Equal(Text(sent, "event"), row.Event);
        var properties = sent.GetProperty("properties");
        string distinctId = sent.TryGetProperty("distinct_id", out var top)
            ? top.ToString()
            : properties.GetProperty("distinct_id").ToString();
        Assert.Equal(distinctId, row.DistinctId);
        Assert.All(properties.EnumerateObject(), property => Assert.True(
            row.Properties.TryGetProperty(property.Name, out var value) && JsonElement.DeepEquals(property.Value, value),
            $"{row.Event}: {property.Name}"));
    }

    private static async Task AssertAnswerAsync(JsonElement recorded, HttpResponseMessage answer)
    {
        string path = Path(recorded), body = await answer.Content.ReadAsStringAsync();
        string what = $"{Method(recorded)} {path}: {(int)answer.StatusCode} {body}";
        if (path.StartsWith("/i/v1/", StringComparison.Ordinal) || path == "/favicon.ico"
            || path.StartsWith("/static/1.", StringComparison.Ordinal))
        {
            Assert.True(answer.StatusCode == HttpStatusCode.NotFound, what);
            return;
        }

        Assert.True(answer.StatusCode == HttpStatusCode.OK, what);
        if (Header(recorded, "origin") is { } origin)
        {
            Assert.Equal(origin, Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
            Assert.Equal("Retry-After", Assert.Single(answer.Headers.GetValues("Access-Control-Expose-Headers")));
        }

        if (path == "/flags" && Method(recorded) == "POST")
            Assert.False(JsonDocument.Parse(body).RootElement.GetProperty("errorsWhileComputingFlags").GetBoolean());
        if (path.EndsWith("/config", StringComparison.Ordinal))
            Assert.Equal("/i/v0/e/", JsonDocument.Parse(body).RootElement.GetProperty("analytics").GetProperty("endpoint").GetString());
        if (IsCapture(recorded) && Method(recorded) == "POST") Assert.Equal("""{"status":"Ok"}""", body);
    }

    private static HttpRequestMessage Replay(JsonElement recorded)
    {
        var request = new HttpRequestMessage(
            new HttpMethod(Method(recorded)), new Uri(recorded.GetProperty("url").GetString()!, UriKind.Relative));
        if (recorded.GetProperty("body_b64").GetString() is { Length: > 0 } body)
            request.Content = new ByteArrayContent(Convert.FromBase64String(body));
        foreach (var header in recorded.GetProperty("headers").EnumerateObject())
        {
            if (header.Name.ToLowerInvariant() is "host" or "content-length" or "connection" or "transfer-encoding") continue;
            if (!request.Headers.TryAddWithoutValidation(header.Name, header.Value.GetString()))
                request.Content?.Headers.TryAddWithoutValidation(header.Name, header.Value.GetString());
        }

        return request;
    }

    /// <summary>Other vendors' SDKs are in the same files; their protocols come later.</summary>
    private static bool IsPostHog(JsonElement recorded) =>
        Path(recorded) is not ("/v1/batch" or "/track" or "/engage" or "/2/httpapi");

    private static bool IsCapture(JsonElement recorded) => CapturePaths.Contains(Path(recorded));

    private static string Path(JsonElement recorded) =>
        recorded.GetProperty("url").GetString()!.Split('?')[0].TrimEnd('/');

    private static string Method(JsonElement recorded) => recorded.GetProperty("method").GetString()!;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static string? Header(JsonElement recorded, string name) => Text(recorded.GetProperty("headers"), name);
}
