using System.Net;
using System.Net.Http.Headers;
using System.Security.Cryptography;
using System.Text;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>Tokens that are nobody's, somebody else's, several at once, or secrets in the wrong place.</summary>
public sealed class HostileTokensTests(HostileHttpTests.OneGateway shared) : IClassFixture<HostileHttpTests.OneGateway>
{
    private const string Other = "phc_somebodyelsesomebodyelsesomebodyelsesomebodyelse";
    private const string Personal = "phx_neverneverneverneverneverneverneverneverneverever";

    [Theory]
    [InlineData("/e/?api_key=" + Other, null)]
    [InlineData("/e/?ip=0&token=" + Other, null)]
    [InlineData("/batch/", "Bearer " + Other)]
    [InlineData("/i/v0/e/", "bearer  " + Other)]
    public async Task Another_token_around_the_body_is_400_and_neither_is_chosen(string path, string? header)
    {
        var (status, body) = await PostAsync(path, GatewayProcess.ProjectToken, header);

        Assert.Equal(HttpStatusCode.BadRequest, status);
        Assert.Contains("\"ambiguous_token\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain(Other, body, StringComparison.Ordinal);
        Assert.DoesNotContain(Other, shared.Gateway.Output, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/e/?api_key=" + GatewayProcess.ProjectToken, null)]
    [InlineData("/e/?token=a-word-of-our-proxy", null)]
    [InlineData("/batch/", "Bearer " + GatewayProcess.ProjectToken)]
    [InlineData("/batch/", "Basic cHJveHk6d29yZA==")]
    [InlineData("/batch/", "Bearer a.proxys.own")]
    public async Task The_same_token_once_more_or_a_proxys_own_word_is_no_contradiction(string path, string? header) =>
        Assert.Equal(HttpStatusCode.OK, (await PostAsync(path, GatewayProcess.ProjectToken, header)).Status);

    [Fact]
    public async Task A_token_that_stands_outside_of_the_body_only_opens_nothing()
    {
        using var content = new StringContent("""{"event":"e","distinct_id":"d"}""");
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/e/?api_key={GatewayProcess.ProjectToken}")
        {
            Content = content,
        };
        request.Headers.TryAddWithoutValidation("Authorization", $"Bearer {GatewayProcess.ProjectToken}");
        using var answer = await shared.Gateway.Http.SendAsync(request);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains("\"missing_token\"", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("POST", "/e/", "{\"token\":\"_\",\"event\":\"e\",\"distinct_id\":\"d\"}")]
    [InlineData("POST", "/batch/", "[{\"event\":\"e\",\"distinct_id\":\"d\",\"properties\":{\"token\":\"_\"}}]")]
    [InlineData("POST", "/flags/", "{\"token\":\"_\"}")]
    [InlineData("GET", "/array/_/config", null)]
    [InlineData("GET", "/array/_/config.js", null)]
    [InlineData("GET", "/e/?data=%7B%22token%22%3A%22_%22%2C%22event%22%3A%22e%22%2C%22distinct_id%22%3A%22d%22%7D", null)]
    [InlineData("GET", "/nothing/here?key=_", null)]
    public async Task A_personal_key_in_a_tokens_place_is_refused_and_never_written_anywhere(
        string method, string path, string? body)
    {
        using var request = new HttpRequestMessage(
            new HttpMethod(method), path.Replace("_", Personal, StringComparison.Ordinal));
        if (body is not null) request.Content = new StringContent(body.Replace("\"_\"", $"\"{Personal}\"", StringComparison.Ordinal));
        using var answer = await shared.Gateway.Http.SendAsync(request);

        Assert.True(answer.StatusCode is HttpStatusCode.Unauthorized or HttpStatusCode.NotFound, $"{answer.StatusCode}");
        Assert.DoesNotContain(Personal, await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.DoesNotContain(Personal, shared.Gateway.Output, StringComparison.Ordinal);
        Assert.DoesNotContain(
            Personal, await shared.Gateway.Http.GetStringAsync("/metrics"), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_flood_of_random_tokens_is_refused_without_a_look_up_and_pushes_nobody_out()
    {
        await PostAsync("/e/", GatewayProcess.ProjectToken, null);
        string before = await LookUpsAsync();

        // Of our shape half of the time: then the MAC tells.
        await Parallel.ForAsync(0, 2_000, new ParallelOptions { MaxDegreeOfParallelism = 8 }, async (i, _) =>
        {
            string random = RandomNumberGenerator.GetString("0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", 49);
            var (status, body) = await PostAsync("/e/", i % 2 == 0 ? $"phc_{random}" : random, null);
            Assert.Equal(HttpStatusCode.Unauthorized, status);
            Assert.DoesNotContain(random, body, StringComparison.Ordinal);
        });

        Assert.Equal(HttpStatusCode.OK, (await PostAsync("/e/", GatewayProcess.ProjectToken, null)).Status);
        Assert.Equal(before, await LookUpsAsync());
    }

    [Fact]
    public async Task A_token_that_was_revoked_is_answered_as_one_that_never_was()
    {
        using var owner = ApiUser.Owner(shared.Gateway);
        var organization = await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = "Revoked" });
        var project = await owner.DoAsync(
            HttpMethod.Post, $"/api/organizations/{organization.GetProperty("id").GetString()}/projects/", new { name = "p" });
        string token = project.GetProperty("api_token").GetString()!;
        Assert.Equal(HttpStatusCode.OK, (await PostAsync("/e/", token, null)).Status);
        await owner.DoAsync(HttpMethod.Post, $"/api/projects/{project.GetProperty("id").GetInt64()}/reset_token/");

        var revoked = await PostAsync("/e/", token, null);
        Assert.Equal(HttpStatusCode.Unauthorized, revoked.Status);
        Assert.Equal(revoked, await PostAsync("/e/", "never-heard-of", null));

        string mistyped = token[..20] + (token[20] == 'a' ? 'b' : 'a') + token[21..];
        var hinted = await PostAsync("/e/", mistyped, null);
        Assert.Equal(HttpStatusCode.Unauthorized, hinted.Status);
        Assert.Contains("\"mistyped_token\"", hinted.Body, StringComparison.Ordinal);
    }

    private async Task<string> LookUpsAsync() => string.Join('\n',
        (await shared.Gateway.Http.GetStringAsync("/metrics")).Split('\n').Where(line =>
            line.StartsWith("gateway_tokens_held ", StringComparison.Ordinal)
            || line.StartsWith("gateway_token_lookups_total{layer=\"redis\"}", StringComparison.Ordinal)
            || line.StartsWith("gateway_token_lookups_total{layer=\"database\"}", StringComparison.Ordinal)));

    private async Task<(HttpStatusCode Status, string Body)> PostAsync(string path, string token, string? authorization)
    {
        string body = $$"""{"api_key":"{{token}}","event":"e","distinct_id":"d"}""";
        using var request = new HttpRequestMessage(HttpMethod.Post, path)
        {
            Content = new ByteArrayContent(Encoding.UTF8.GetBytes(body))
            {
                Headers = { ContentType = new MediaTypeHeaderValue("application/json") },
            },
        };
        if (authorization is not null) request.Headers.TryAddWithoutValidation("Authorization", authorization);
        using var answer = await shared.Gateway.Http.SendAsync(request);
        return (answer.StatusCode, await answer.Content.ReadAsStringAsync());
    }
}
