using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>Text that means something elsewhere: taken as data, and given back as it was sent, on every way out.</summary>
public sealed class HostileTextTests(HostileHttpTests.OneGateway shared) : IClassFixture<HostileHttpTests.OneGateway>
{
    private static readonly string[] PlaceholderIds =
    [
        "null", "undefined", "[object Object]", "NaN", "0", "true", "false", "none", "anonymous", "guest", "id", "distinct_id",
        "00000000-0000-0000-0000-000000000000", "' OR 1=1 --", "=cmd|' /C calc'!A0", "{project_id:UInt64}", "a\r\nb", "\u202ea",
    ];

    [Fact]
    public async Task An_id_that_looks_like_a_mistake_or_an_attack_is_stored_as_it_is()
    {
        await PostAsync(PlaceholderIds.Select(id => new { @event = "placeholder", distinct_id = id }));

        await WaitAsync("placeholder", PlaceholderIds.Length);
        var stored = (await shared.Gateway.EventsAsync()).Where(row => row.Event == "placeholder");
        Assert.Equal(PlaceholderIds.Order(StringComparer.Ordinal), stored.Select(row => row.DistinctId).Order(StringComparer.Ordinal));
    }

    [Fact]
    public async Task Another_projects_number_inside_the_properties_is_just_data()
    {
        using var owner = ApiUser.Owner(shared.Gateway);
        var organization = await owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name = "Other" });
        var other = await owner.DoAsync(
            HttpMethod.Post, $"/api/organizations/{organization.GetProperty("id").GetString()}/projects/", new { name = "other" });
        long id = other.GetProperty("id").GetInt64();
        await PostAsync(
        [
            new { @event = "foreign", distinct_id = "d", project_id = id, team_id = id, properties = new { project_id = id, team_id = id } },
        ]);

        await WaitAsync("foreign", 1);
        var row = Assert.Single(await shared.Gateway.EventsAsync(), row => row.Event == "foreign");
        Assert.Equal(id, row.Properties.GetProperty("project_id").GetInt64());
        Assert.Empty(await shared.Gateway.EventsAsync(id.ToString()));
    }

    [Fact]
    public async Task A_nul_inside_the_properties_comes_out_of_every_query_as_it_went_in()
    {
        const string Name = "with-nul", Value = "q\0r";
        await PostAsync(
        [
            new
            {
                @event = Name,
                distinct_id = "d",
                properties = new Dictionary<string, string> { ["$browser"] = Value, ["plan"] = Value, ["a\0b"] = Value },
            },
        ]);
        await WaitAsync(Name, 1);

        var row = Assert.Single(await shared.Gateway.EventsAsync(), row => row.Event == Name);
        Assert.All(
            (string[])["$browser", "plan", "a\0b"], key => Assert.Equal(Value, row.Properties.GetProperty(key).GetString()));
        foreach (string key in (string[])["$browser", "plan"])
        {
            var found = await AnswerAsync(new
            {
                kind = "EventsQuery",
                select = (string[])[$"properties.{key}"],
                properties = new[] { new { key, value = Value, @operator = "exact", type = "event" } },
            });
            Assert.Equal(Value, Assert.Single(found.GetProperty("results").EnumerateArray())[0].GetString());

            var trend = await AnswerAsync(new
            {
                kind = "TrendsQuery",
                series = new[] { new { @event = Name } },
                breakdownFilter = new { breakdown = key, breakdown_type = "event" },
            });
            Assert.Equal(Value, Assert.Single(trend.GetProperty("results").EnumerateArray()).GetProperty("label").GetString());
        }

        using var list = new HttpRequestMessage(HttpMethod.Get, $"/api/projects/@current/events/?event={Name}");
        list.Headers.Authorization = new("Bearer", GatewayProcess.ApiKey);
        using var listed = await shared.Gateway.Http.SendAsync(list);
        var shown = (await listed.Content.ReadFromJsonAsync<JsonElement>()).GetProperty("results");
        Assert.Equal(Value, Assert.Single(shown.EnumerateArray()).GetProperty("properties").GetProperty("plan").GetString());
    }

    [Fact]
    public async Task No_line_of_the_log_can_be_forged()
    {
        const string Forged = "\r\nforged: yes";
        string encoded = Uri.EscapeDataString(Forged);
        foreach (string path in (string[])[$"/e/{encoded}", $"/e/?data={encoded}", $"/array/{encoded}/config", $"/api/projects/{encoded}/events/"])
        {
            using var answer = await shared.Gateway.Http.GetAsync(path);
            Assert.InRange((int)answer.StatusCode, 400, 499);
        }

        await PostAsync([new { @event = Forged, distinct_id = Forged, properties = new { forged = Forged } }]);
        using var login = await shared.Gateway.Http.PostAsJsonAsync("/api/login/", new { email = $"a{Forged}@b.c", password = Forged });
        Assert.InRange((int)login.StatusCode, 400, 499);
        using var owner = ApiUser.Owner(shared.Gateway);
        Assert.Equal(HttpStatusCode.BadRequest, await owner.StatusAsync(HttpMethod.Post, "/api/organizations/", new { name = Forged }));
        await RawHttp.SendAsync(shared.Gateway.Address, "GET /e/ HTTP/1.1\r\nHost: x\r\nX-Name: a\rforged: yes\r\n\r\n");

        Assert.DoesNotContain(
            shared.Gateway.Output.Split('\n'), line => line.TrimStart().StartsWith("forged", StringComparison.Ordinal));
    }

    private Task WaitAsync(string name, int count) => Eventually.HoldsAsync(
        async () => (await shared.Gateway.EventsAsync()).Count(row => row.Event == name) >= count,
        TimeSpan.FromSeconds(120), () => $"{count} '{name}' are stored");

    private async Task<JsonElement> AnswerAsync(object query)
    {
        using var answer = await shared.Gateway.QueryAsync(query);
        string text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task PostAsync(IEnumerable<object> batch)
    {
        using var answer = await shared.Gateway.PostAsync("/batch/", new { api_key = GatewayProcess.ProjectToken, batch });
        Assert.Equal("""{"status":"Ok"}""", await answer.Content.ReadAsStringAsync());
    }
}
