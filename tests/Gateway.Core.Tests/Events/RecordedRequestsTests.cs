using System.Text;
using System.Text.Json;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

public sealed class RecordedRequestsTests
{
    public static TheoryData<string> Captures() => Sources(request => request.IsCapture);

    public static TheoryData<string> FlagQuestions() => Sources(request => request.IsFlags);

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_recorded_capture_gives_the_events_that_it_carries(string source)
    {
        var request = Find(source);
        var captured = Parse(request);
        Assert.Null(captured.Rejection);
        Assert.Empty(captured.Refusals);

        using var decoded = JsonDocument.Parse(request.Decoded ?? DecodedQuery(request.Query));
        var expected = EventsOf(decoded.RootElement);
        Assert.Equal(expected.Length, captured.Events.Count);
        foreach (var (sent, kept) in expected.Zip(captured.Events))
        {
            Assert.Equal(Text(sent, "event") ?? "$identify", kept.Name);
            Assert.Equal(DistinctId(sent), kept.DistinctId);
            if (Text(sent, "uuid") is { } uuid) Assert.Equal(Guid.Parse(uuid), kept.Uuid);
            AssertSameProperties(sent, kept);
        }
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_recorded_capture_names_its_project(string source)
    {
        var request = Find(source);
        Assert.Equal(ExpectedToken(request), Parse(request).Token);
    }

    [Theory]
    [MemberData(nameof(Captures))]
    public void A_recorded_timestamp_is_kept_and_gives_the_day(string source)
    {
        var request = Find(source);
        using var decoded = JsonDocument.Parse(request.Decoded ?? DecodedQuery(request.Query));

        foreach (var (sent, kept) in EventsOf(decoded.RootElement).Zip(Parse(request).Events))
        {
            if (Text(sent, "timestamp") is not { } timestamp) continue;

            // The recording clock and the test's are minutes apart, so it is shown corrected; the day is not.
            var client = DateTimeOffset.Parse(timestamp, System.Globalization.CultureInfo.InvariantCulture).UtcDateTime;
            Assert.Equal((int)(client.Date - DateTime.UnixEpoch).TotalDays, kept.Day);
            Assert.InRange(kept.Time, client.AddDays(-1), client.AddDays(1));
        }
    }

    [Theory]
    [MemberData(nameof(FlagQuestions))]
    public void A_recorded_question_for_flags_names_its_project(string source)
    {
        var request = Find(source);
        using var parser = new CaptureParser(new CaptureLimits());

        Assert.Null(parser.ParseToken(request.Body, FactsOf(request)));
        Assert.Equal(Captured.ProjectToken, Encoding.UTF8.GetString(parser.Token.Span));
    }

    [Fact]
    public void The_recordings_are_there()
    {
        Assert.InRange(RecordedRequests.All.Count(request => request.IsCapture), 30, 100);
        Assert.InRange(RecordedRequests.All.Count(request => request.IsFlags), 8, 100);
    }

    private static TheoryData<string> Sources(Func<RecordedRequest, bool> isWanted) =>
        new(RecordedRequests.All.Where(isWanted).Select(request => request.Source));

    private static RecordedRequest Find(string source) =>
        RecordedRequests.All.Single(request => request.Source == source);

    private static Captured Parse(RecordedRequest request)
    {
        using var parser = new CaptureParser(new CaptureLimits());
        return Captured.Read(parser, parser.Parse(request.Body, FactsOf(request), Captured.Now));
    }

    private static RequestFacts FactsOf(RecordedRequest request) => new()
    {
        Query = request.Query,
        ContentType = request.ContentType,
        ContentEncoding = request.ContentEncoding,
        IsEngage = request.Path.StartsWith("/engage", StringComparison.Ordinal),
    };

    private static string ExpectedToken(RecordedRequest request) =>
        request.Path.Trim('/') is "track" or "engage" ? "mxtoken" : Captured.ProjectToken;

    private static string DecodedQuery(string query)
    {
        string data = query.Split('&').Single(pair => pair.StartsWith("data=", StringComparison.Ordinal))[5..];
        return Encoding.UTF8.GetString(Convert.FromBase64String(Uri.UnescapeDataString(data)));
    }

    private static JsonElement[] EventsOf(JsonElement body)
    {
        if (body.ValueKind == JsonValueKind.Array) return [.. body.EnumerateArray()];
        return body.TryGetProperty("batch", out var batch) ? [.. batch.EnumerateArray()] : [body];
    }

    private static string DistinctId(JsonElement sent) =>
        Text(sent, "distinct_id") ?? Text(sent, "$distinct_id") ?? Text(sent.GetProperty("properties"), "distinct_id")!;

    private static string? Text(JsonElement element, string name) =>
        element.TryGetProperty(name, out var value) ? value.GetString() : null;

    private static void AssertSameProperties(JsonElement sent, CapturedEvent kept)
    {
        using var properties = JsonDocument.Parse(kept.Properties);
        int added = 0;
        foreach (string key in (string[])["$set", "$set_once"])
        {
            if (!sent.TryGetProperty(key, out var value)) continue;
            Assert.True(properties.RootElement.TryGetProperty(key, out var inside));
            if (sent.TryGetProperty("properties", out var own) && own.TryGetProperty(key, out _)) continue;
            Assert.True(JsonElement.DeepEquals(value, inside));
            added++;
        }

        if (!sent.TryGetProperty("properties", out var before)) return;
        Assert.Equal(before.EnumerateObject().Count() + added, properties.RootElement.EnumerateObject().Count());
        foreach (var property in before.EnumerateObject())
            Assert.True(JsonElement.DeepEquals(property.Value, properties.RootElement.GetProperty(property.Name)));
    }
}
