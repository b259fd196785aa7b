using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>
/// How a project fares, as its people read it of a real gateway: what waits, how fresh events are, and which requests
/// were refused, each told to the project that it concerns and to no other.
/// </summary>
public sealed class HealthTests
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    [Fact]
    public async Task Who_still_sends_with_an_old_token_is_told_to_that_project_also_after_a_restart()
    {
        using var folder = new TemporaryData();
        var gateway = await GatewayProcess.StartAsync(folder.Path);
        string path;
        string otherPath;
        string old;
        await using (gateway)
        {
            using var owner = ApiUser.Owner(gateway);
            (path, otherPath, old) = await TwoProjectsAsync(owner);
            string fresh = (await owner.DoAsync(HttpMethod.Post, $"{path}reset_token/")).GetProperty("api_token").GetString()!;
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, old));
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, old));
            Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, fresh));

            // The imported one, which has no checksum, is as good an old token as one that was made here.
            await owner.DoAsync(HttpMethod.Post, "/api/projects/@current/reset_token/");
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, GatewayProcess.ProjectToken));

            await RefusedAsync(owner, path, "revoked_token 2");
            await RefusedAsync(owner, otherPath, "");
            await RefusedAsync(owner, "/api/projects/@current/", "revoked_token 1");
            Assert.Equal("", Counts((await owner.GetAsync(path + "health/")).GetProperty("unattributed")));

            // Not folded before it stops.
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, old));
        }

        gateway = await GatewayProcess.StartAsync(folder.Path);
        await using (gateway)
        {
            using var owner = ApiUser.Owner(gateway);
            await RefusedAsync(owner, path, "revoked_token 3");
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, old));
            await RefusedAsync(owner, path, "revoked_token 4");
            await RefusedAsync(owner, otherPath, "");

            // Of a deleted project nobody knows.
            await owner.DoAsync(HttpMethod.Delete, path);
            Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, old));
            await Eventually.HoldsAsync(
                async () => Counts((await owner.GetAsync(otherPath + "health/")).GetProperty("unattributed"))
                    == "unknown_token 1",
                Patience, () => "the old token of a deleted project is nobody's");
        }
    }

    [Fact]
    public async Task What_the_settings_refuse_is_told_to_the_project()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var owner = ApiUser.Owner(gateway);
        var (path, otherPath, token) = await TwoProjectsAsync(owner);

        await owner.DoAsync(HttpMethod.Patch, path, new { allowed_origins = new[] { "https://app.example.com" } });
        Assert.Equal(HttpStatusCode.Forbidden, await SendAsync(gateway, token, "https://evil.test"));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, token, "https://app.example.com"));
        await RefusedAsync(owner, path, "origin_not_allowed 1");

        // The first batch is taken whole. Of the others the second is refused before it is parsed.
        await owner.DoAsync(HttpMethod.Patch, path, new { allowed_origins = Array.Empty<string>(), events_per_second = 1 });
        Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, token, events: 600));
        Assert.Equal(HttpStatusCode.TooManyRequests, await SendAsync(gateway, token));
        Assert.Equal(HttpStatusCode.TooManyRequests, await SendAsync(gateway, token));

        await RefusedAsync(owner, path, "origin_not_allowed 1, rate_limited 2");
        await RefusedAsync(owner, otherPath, "");
        Assert.Equal("", Counts((await owner.GetAsync(path + "health/")).GetProperty("unattributed")));
    }

    [Fact]
    public async Task A_token_that_names_no_project_is_counted_and_told_to_all()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var owner = ApiUser.Owner(gateway);
        var (path, otherPath, token) = await TwoProjectsAsync(owner);
        string mistyped = token[..^1] + (token[^1] == 'a' ? 'b' : 'a');

        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, mistyped));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, mistyped));
        Assert.Equal(HttpStatusCode.Unauthorized, await SendAsync(gateway, "no-token-of-ours"));
        using var missing = await gateway.PostAsync("/e/", new { @event = "e", distinct_id = "d" });
        Assert.Equal(HttpStatusCode.Unauthorized, missing.StatusCode);

        foreach (string project in (string[])[path, otherPath])
        {
            await Eventually.HoldsAsync(
                async () => Counts((await owner.GetAsync(project + "health/")).GetProperty("unattributed"))
                    == "missing_token 1, mistyped_token 2, unknown_token 1",
                Patience, () => "refused tokens are counted");
            await RefusedAsync(owner, project, "");
        }
    }

    [Fact]
    public async Task Events_show_how_fresh_they_were_in_the_minute_in_which_they_became_visible()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var owner = ApiUser.Owner(gateway);
        var (path, otherPath, token) = await TwoProjectsAsync(owner);
        Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, token, events: 5));

        var minutes = new List<JsonElement>();
        await Eventually.HoldsAsync(
            async () =>
            {
                minutes = [.. (await owner.GetAsync(path + "health/")).GetProperty("minutes").EnumerateArray()];
                return minutes.Sum(minute => minute.GetProperty("freshness_events").GetInt64()) == 5;
            },
            Patience, () => "five events are counted");
        var minute = minutes.Single(minute => minute.GetProperty("freshness_events").GetInt64() == 5);
        double p50 = minute.GetProperty("p50_seconds").GetDouble();
        Assert.InRange(p50, 0.001, 60);
        Assert.InRange(minute.GetProperty("p99_seconds").GetDouble(), p50, 60);
        Assert.Equal(0, minute.GetProperty("waiting").GetInt64());
        Assert.Equal("{}", minute.GetProperty("refused").GetRawText());
        Assert.Equal(0, (await owner.GetAsync(otherPath + "health/")).GetProperty("minutes").GetArrayLength());

        // The range is the ledger's: whole minutes, both included, a day at most.
        var at = minute.GetProperty("minute").GetDateTimeOffset();
        string one = at.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'", CultureInfo.InvariantCulture);
        var answer = await owner.GetAsync($"{path}health/?from={one}&to={one}");
        Assert.Equal(at, answer.GetProperty("from").GetDateTimeOffset());
        Assert.Equal(at.AddMinutes(1), answer.GetProperty("to").GetDateTimeOffset());
        Assert.Equal(1, answer.GetProperty("minutes").GetArrayLength());
        foreach (string wrong in (string[])["?from=soon", "?from=2026-01-01&to=2026-01-02T00:00:00Z", "?from=2150-01-01"])
            Assert.Equal(HttpStatusCode.BadRequest, await owner.StatusAsync(HttpMethod.Get, $"{path}health/{wrong}"));
    }

    [Fact]
    public async Task What_waits_while_the_store_is_away_is_shown()
    {
        await using var gateway = await GatewayProcess.StartAsync(
            settings: ("ConnectionStrings:ClickHouse", "http://nobody:none@127.0.0.1:9/none"));
        using var owner = ApiUser.Owner(gateway);
        Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, GatewayProcess.ProjectToken, events: 3));
        Assert.Equal(HttpStatusCode.OK, await SendAsync(gateway, GatewayProcess.ProjectToken));

        await Eventually.HoldsAsync(
            async () => (await owner.GetAsync("/api/projects/@current/health/")).GetProperty("minutes").EnumerateArray()
                .LastOrDefault() is { ValueKind: JsonValueKind.Object } minute
                && minute is var last
                && last.GetProperty("waiting").GetInt64() == 4
                && last.GetProperty("freshness_events").GetInt64() == 0
                && last.GetProperty("p50_seconds").ValueKind == JsonValueKind.Null,
            Patience, () => "four events wait");
    }

    /// <summary>Paths of two new projects of the caller, and the token of the first.</summary>
    private static async Task<(string Path, string OtherPath, string Token)> TwoProjectsAsync(ApiUser owner)
    {
        var organization = await owner.GetAsync("/api/organizations/@current/");
        string projects = $"/api/organizations/{organization.GetProperty("id").GetString()}/projects/";
        var one = await owner.DoAsync(HttpMethod.Post, projects, new { name = "One" });
        var other = await owner.DoAsync(HttpMethod.Post, projects, new { name = "Other" });
        return (
            $"/api/projects/{one.GetProperty("id").GetInt64()}/",
            $"/api/projects/{other.GetProperty("id").GetInt64()}/",
            one.GetProperty("api_token").GetString()!);
    }

    private static async Task<HttpStatusCode> SendAsync(
        GatewayProcess gateway, string token, string? origin = null, int events = 1)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/batch/")
        {
            Content = JsonContent.Create(new
            {
                api_key = token,
                batch = Enumerable.Range(0, events).Select(_ => new { @event = "e", distinct_id = "d" }),
            }),
        };
        if (origin is not null) request.Headers.Add("Origin", origin);
        using var response = await gateway.Http.SendAsync(request);
        return response.StatusCode;
    }

    private static async Task RefusedAsync(ApiUser owner, string project, string expected)
    {
        string found = "";
        await Eventually.HoldsAsync(
            async () =>
            {
                var answer = await owner.GetAsync(project + "health/");
                found = Counts(answer.GetProperty("refused"));

                // The minutes say the same as the sum.
                Assert.Equal(found, string.Join(", ", answer.GetProperty("minutes").EnumerateArray()
                    .SelectMany(minute => minute.GetProperty("refused").EnumerateObject())
                    .GroupBy(count => count.Name, count => count.Value.GetInt64())
                    .OrderBy(counts => counts.Key, StringComparer.Ordinal)
                    .Select(counts => $"{counts.Key} {counts.Sum()}")));
                return found == expected;
            },
            Patience, () => $"{project} is told '{expected}', and not '{found}'");
    }

    /// <summary>Those that are not 0.</summary>
    private static string Counts(JsonElement counts) => string.Join(", ", counts.EnumerateObject()
        .Where(count => count.Value.GetInt64() != 0)
        .OrderBy(count => count.Name, StringComparer.Ordinal)
        .Select(count => $"{count.Name} {count.Value.GetInt64()}"));

    private sealed class TemporaryData : IDisposable
    {
        public string Path { get; } = Directory.CreateTempSubdirectory("gateway-health-").FullName;

        public void Dispose() => Directory.Delete(Path, recursive: true);
    }
}
