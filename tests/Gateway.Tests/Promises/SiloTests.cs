using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Promises;

/// <summary>What is yours, only you can read: two projects of two organizations, fed at once.</summary>
public sealed class SiloTests : IAsyncLifetime
{
    private const string Mine = "mine";
    private const string Theirs = "theirs";
    private const string OtherProject = "2";

    private readonly string _data = Directory.CreateTempSubdirectory("gateway-silo-").FullName;
    private readonly Load _mine = new();
    private readonly Load _theirs = new();
    private GatewayProcess _gateway = null!;
    private string _otherKey = "";
    private string _otherToken = "";

    public async Task InitializeAsync()
    {
        _gateway = await GatewayProcess.StartAsync(_data);
        await AddOtherProjectAsync();
        using var stop = new CancellationTokenSource();
        var clients = new[]
        {
            Task.Run(() => _mine.PostUntilAsync(_gateway.Address, stop.Token)),
            Task.Run(() => _theirs.PostUntilAsync(_gateway.Address, stop.Token, token: _otherToken)),
        };
        await Eventually.HoldsAsync(
            () => Task.FromResult(_mine.Acked > 300 && _theirs.Acked > 300),
            TimeSpan.FromSeconds(60), () => "both projects are fed");
        await stop.CancelAsync();
        await Task.WhenAll(clients);
        await Eventually.HoldsAsync(
            async () => (await _gateway.EventsAsync()).Count == _mine.Acked
                && (await _gateway.EventsAsync(key: _otherKey)).Count == _theirs.Acked,
            TimeSpan.FromSeconds(60), () => "both projects' events are queryable");
    }

    public async Task DisposeAsync()
    {
        await _gateway.DisposeAsync();
        Directory.Delete(_data, recursive: true);
    }

    [Fact]
    public async Task Each_key_reads_its_own_projects_events_in_every_kind_of_query()
    {
        foreach (var (key, own, others) in new[] { (GatewayProcess.ApiKey, _mine, _theirs), (_otherKey, _theirs, _mine) })
        {
            var ids = (await _gateway.EventsAsync(key: key)).Select(row => row.Uuid).ToHashSet();
            Assert.Equal(own.Acked, ids.Count);
            Assert.True(ids.IsSubsetOf(own.Fates.Keys));

            foreach (string math in (string[])["total", "dau"])
            {
                var trend = await TrendAsync(key, new { kind = "EventsNode", @event = "load", math });
                Assert.Equal(math == "dau" ? 1 : own.Acked, Assert.Single(trend).GetProperty("count").GetInt64());
            }

            var parts = await TrendAsync(key, new { kind = "EventsNode", @event = "load" }, breakdown: "$ip");
            Assert.Equal(own.Acked, parts.Sum(part => part.GetProperty("count").GetInt64()));

            var list = await GetAsync("/api/projects/@current/events/?limit=1000&event=load", key);
            string[] listed = [.. list.GetProperty("results").EnumerateArray().Select(row => row.GetProperty("id").GetString()!)];
            Assert.NotEmpty(listed);
            Assert.True(ids.IsSupersetOf(listed));

            string stranger = others.Fates.First(pair => pair.Value == Fate.Acked).Key;
            Assert.Equal(HttpStatusCode.OK, await StatusAsync($"/api/projects/@current/events/{listed[0]}/", key));
            Assert.Equal(HttpStatusCode.NotFound, await StatusAsync($"/api/projects/@current/events/{stranger}/", key));
        }
    }

    [Theory]
    [InlineData(Mine, OtherProject, HttpStatusCode.NotFound)]
    [InlineData(Theirs, "1", HttpStatusCode.NotFound)]
    [InlineData(Mine, "999", HttpStatusCode.NotFound)]
    [InlineData(Mine, "1 OR 1=1", HttpStatusCode.NotFound)]
    [InlineData("phx_nobody_was_ever_given_this_key_0000000000000", "1", HttpStatusCode.Unauthorized)]
    [InlineData(GatewayProcess.ProjectToken, "1", HttpStatusCode.Unauthorized)]
    [InlineData("", "1", HttpStatusCode.Unauthorized)]
    public async Task No_other_way_in_gives_a_row(string key, string project, HttpStatusCode expected)
    {
        key = key switch
        {
            Mine => GatewayProcess.ApiKey,
            Theirs => _otherKey,
            _ => key,
        };
        string escaped = Uri.EscapeDataString(project);
        object[] queries =
        [
            new { kind = "EventsQuery", select = (string[])["uuid"] },
            new { kind = "TrendsQuery", series = new[] { new { kind = "EventsNode", @event = "load" } } },
        ];
        foreach (object query in queries)
        {
            using var answer = await _gateway.QueryAsync(query, escaped, key);
            Assert.Equal(expected, answer.StatusCode);
            Assert.DoesNotContain("results", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        }

        Assert.Equal(expected, await StatusAsync($"/api/projects/{escaped}/events/", key));
        Assert.Equal(expected, await StatusAsync($"/api/projects/{escaped}/", key));
    }

    private async Task<JsonElement[]> TrendAsync(string key, object series, string? breakdown = null)
    {
        using var answer = await _gateway.QueryAsync(
            new
            {
                kind = "TrendsQuery",
                series = new[] { series },
                dateRange = new { date_from = "-2d" },
                breakdownFilter = new { breakdown },
            },
            key: key);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return [.. JsonDocument.Parse(text).RootElement.GetProperty("results").EnumerateArray()];
    }

    private async Task<JsonElement> GetAsync(string path, string key)
    {
        using var answer = await SendAsync(path, key);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return await answer.Content.ReadFromJsonAsync<JsonElement>();
    }

    private async Task<HttpStatusCode> StatusAsync(string path, string key)
    {
        using var answer = await SendAsync(path, key);
        return answer.StatusCode;
    }

    private async Task<HttpResponseMessage> SendAsync(string path, string key)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, path);
        if (key.Length > 0) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        return await _gateway.Http.SendAsync(request);
    }

    /// <summary>Somebody who is invited to an organization that its owner then leaves to them alone.</summary>
    private async Task AddOtherProjectAsync()
    {
        using var owner = ApiUser.Owner(_gateway);
        string others = (await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = "Others" }))
            .GetProperty("id").GetString()!;
        using var other = await owner.InviteAsync(others, "other@example.com", level: 15);
        string me = (await owner.GetAsync("/api/users/@me/")).GetProperty("uuid").GetString()!;
        await owner.DoAsync(HttpMethod.Delete, $"/api/organizations/{others}/members/{me}/");
        var project = await other.GetAsync("/api/projects/@current/");

        Assert.Equal(OtherProject, project.GetProperty("id").ToString());
        (_otherKey, _otherToken) = (other.Key, project.GetProperty("api_token").GetString()!);
    }
}
