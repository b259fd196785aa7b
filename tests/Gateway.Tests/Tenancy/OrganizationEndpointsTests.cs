using System.Net;
using System.Text.Json;

namespace Gateway.Tests.Tenancy;

/// <summary>What an organization's admins are shown of what happened and of what was deleted.</summary>
public sealed class OrganizationEndpointsTests(HostedGateway gateway) : IClassFixture<HostedGateway>
{
    [Theory]
    [InlineData("no JSON")]
    [InlineData("")]
    [InlineData("{\"half\": ")]
    [InlineData("{\"a\": \"\\ud800\"}")]
    [InlineData("a \"quoted\" \\ word")]
    public async Task A_row_of_the_audit_log_that_was_spoilt_is_shown_as_it_stands(string detail)
    {
        var world = await AccessWorld.BuildAsync(gateway, "*");
        string organization = world.Fill("{organization}");
        string path = $"/api/organizations/{organization}/audit_log/";
        await gateway.SqlAsync(
            $"""
            UPDATE audit_log SET detail = '{detail}' WHERE number = 1 AND organization_id =
                (SELECT id FROM organizations WHERE uuid = '{organization}')
            """);

        var log = await ReadAsync(world, path);
        var first = log.GetProperty("results").EnumerateArray().Last();
        Assert.Equal((1, detail), (first.GetProperty("number").GetInt32(), first.GetProperty("detail").GetString()));
        Assert.False((await ReadAsync(world, $"{path}check/")).GetProperty("intact").GetBoolean());
    }

    [Fact]
    public async Task A_deleted_project_tells_how_many_gateways_are_waited_for_and_nothing_of_the_machines()
    {
        var world = await AccessWorld.BuildAsync(gateway, "*");
        await gateway.SqlAsync(
            """
            INSERT INTO gateways (id, host, started_at, seen_at, clean_epoch)
            VALUES ('journal-of-another', 'machine-of-another', 0, 4102444800000000, 0)
            """);
        string path = world.Fill("/api/organizations/{organization}/deleted_projects/");
        string third = (await ReadAsync(
            world, world.Fill("/api/organizations/{organization}/projects/"), "POST", """{"name": "Third"}"""))
            .GetProperty("id").ToString();
        foreach (string project in (string[])[third, world.Fill("{id}")])
        {
            var gone = await gateway.SendAsync("DELETE", $"/api/projects/{project}/", world.KeyOf("owner"));
            Assert.Equal(HttpStatusCode.NoContent, gone.Status);
        }

        var page = await ReadAsync(world, $"{path}?limit=1");
        Assert.Equal(2, page.GetProperty("count").GetInt32());
        Assert.NotNull(page.GetProperty("next").GetString());
        var newest = Assert.Single(page.GetProperty("results").EnumerateArray());
        Assert.Equal(world.Fill("{id}"), newest.GetProperty("id").ToString());
        Assert.Equal("waiting", newest.GetProperty("state").GetString());
        Assert.InRange(newest.GetProperty("waits_for_gateways").GetInt32(), 1, 2);
        Assert.DoesNotContain("of-another", page.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain(Environment.MachineName, page.ToString(), StringComparison.Ordinal);

        var rest = await ReadAsync(world, page.GetProperty("next").GetString()!);
        Assert.Equal(third, Assert.Single(rest.GetProperty("results").EnumerateArray()).GetProperty("id").ToString());
    }

    private async Task<JsonElement> ReadAsync(
        AccessWorld world, string path, string method = "GET", string? body = null)
    {
        var answer = await gateway.SendAsync(method, path, world.KeyOf("owner"), body);
        Assert.True(answer.IsSuccess, answer.ToString());
        return JsonElement.Parse(answer.Body);
    }
}
