using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>What a project's own people allow it to send: past that 429, by name, and nothing is kept.</summary>
public sealed class QuotaTests
{
    [Fact]
    public async Task Past_its_events_a_second_a_project_is_refused_and_nothing_is_kept()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(gateway, 1)).StatusCode);

        // Something is left of the burst of five, so ten minutes' worth is taken at once; then nothing is left.
        await ChangeAsync(gateway, new { events_per_second = 1 });
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(gateway, 600)).StatusCode);
        for (int i = 0; i < 3; i++)
        {
            using var refused = await PostAsync(gateway, 1, "over");
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.InRange(refused.Headers.RetryAfter!.Delta!.Value.TotalSeconds, 300, 600);
            var error = await refused.Content.ReadFromJsonAsync<JsonElement>();
            Assert.Equal("rate_limited", error.GetProperty("code").GetString());
            Assert.Equal("events_per_second", error.GetProperty("attr").GetString());
            Assert.Contains("allow 1 events a second", error.GetProperty("detail").GetString(), StringComparison.Ordinal);
        }

        string metrics = await gateway.Http.GetStringAsync("/metrics");
        Assert.Contains("gateway_quota_refusals_total{limit=\"events_per_second\"} 3\n", metrics, StringComparison.Ordinal);
        Assert.Contains("gateway_capture_requests_total{outcome=\"rate_limited\"} 3\n", metrics, StringComparison.Ordinal);

        // A change holds from its return on, and 0 takes the limit away.
        await ChangeAsync(gateway, new { events_per_second = 0 });
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(gateway, 1)).StatusCode);
        Assert.DoesNotContain(await gateway.WaitForEventsAsync(602), row => row.Event == "over");
    }

    [Fact]
    public async Task Bytes_are_those_of_the_text_and_not_of_the_gzip()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        await ChangeAsync(gateway, new { bytes_per_second = 100 });
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(gateway, 1000)).StatusCode);

        using var refused = await PostAsync(gateway, 1);
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        var error = await refused.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("bytes_per_second", error.GetProperty("attr").GetString());
    }

    [Fact]
    public async Task On_the_connection_of_a_project_past_its_quota_another_is_taken_and_a_foreign_name_changes_nothing()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        string other = await OtherTokenAsync(gateway);
        await ChangeAsync(gateway, new { events_per_second = 1 });
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(gateway, 600)).StatusCode);

        // One connection: HttpClient has no other while these follow each other.
        Assert.Equal(HttpStatusCode.TooManyRequests, (await PostAsync(gateway, 1)).StatusCode);
        string limited = GatewayProcess.ProjectToken;
        foreach (string body in new[]
        {
            Event(other),
            $$$"""{"batch":[{"event":"e","distinct_id":"d","properties":{"token":"{{{limited}}}"}}],"api_key":"{{{other}}}"}""",
            $$"""{"batch":[{"event":"e","distinct_id":"d","api_key":"{{limited}}"}],"api_key":"{{other}}"}""",
        })
        {
            Assert.Equal(HttpStatusCode.OK, await RawAsync(gateway, "/e/", body));
            Assert.Equal(HttpStatusCode.TooManyRequests, (await PostAsync(gateway, 1)).StatusCode);
            Assert.Equal(HttpStatusCode.TooManyRequests, (await PostAsync(gateway, 1)).StatusCode);
        }

        // The query's events count, whatever the body says and the address pretends.
        string data = Uri.EscapeDataString(Convert.ToBase64String(Encoding.UTF8.GetBytes(Event(other))));
        Assert.Equal(HttpStatusCode.OK, await RawAsync(gateway, $"/e/?data={data}", Event(limited)));
        Assert.Equal(
            HttpStatusCode.BadRequest, await RawAsync(gateway, $"/e/?data={data}&token={limited}", Event(limited)));
    }

    private static string Event(string token) => $$"""{"api_key":"{{token}}","event":"e","distinct_id":"d"}""";

    private static async Task<HttpStatusCode> RawAsync(GatewayProcess gateway, string path, string body)
    {
        using var answer = await gateway.Http.PostAsync(path, new StringContent(body, Encoding.UTF8, "text/plain"));
        return answer.StatusCode;
    }

    private static Task<HttpResponseMessage> PostAsync(GatewayProcess gateway, int events, string name = "fine") =>
        gateway.Http.PostAsJsonAsync("/batch/", new
        {
            api_key = GatewayProcess.ProjectToken,
            batch = Enumerable.Range(0, events).Select(_ => new { @event = name, distinct_id = "d" }),
        });

    private static async Task<string> OtherTokenAsync(GatewayProcess gateway)
    {
        string? token = null;
        await Eventually.HoldsAsync(
            async () =>
            {
                // 503 until the events store was met.
                var made = await ManageAsync(gateway, HttpMethod.Post, "/api/organizations/", new { name = "Other" });
                if (made is not { } organization) return false;

                string path = $"/api/organizations/{organization.GetProperty("id").GetString()}/projects/";
                token = (await ManageAsync(gateway, HttpMethod.Post, path, new { name = "Other" }))?
                    .GetProperty("api_token").GetString();
                return token is not null;
            },
            TimeSpan.FromSeconds(60), () => "another project is made");
        return token!;
    }

    private static async Task ChangeAsync(GatewayProcess gateway, object settings)
    {
        var project = await ManageAsync(gateway, HttpMethod.Patch, "/api/projects/@current/", settings);
        Assert.NotNull(project);
        foreach (var setting in JsonSerializer.SerializeToElement(settings).EnumerateObject())
            Assert.Equal(setting.Value.GetInt64(), project.Value.GetProperty(setting.Name).GetInt64());
    }

    private static async Task<JsonElement?> ManageAsync(
        GatewayProcess gateway, HttpMethod method, string path, object body)
    {
        using var request = new HttpRequestMessage(method, path) { Content = JsonContent.Create(body) };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        using var answer = await gateway.Http.SendAsync(request);
        return answer.IsSuccessStatusCode ? await answer.Content.ReadFromJsonAsync<JsonElement>() : null;
    }
}
