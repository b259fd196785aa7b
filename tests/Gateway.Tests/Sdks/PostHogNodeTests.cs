using Gateway.Tests.Running;

namespace Gateway.Tests.Sdks;

/// <summary>The unmodified posthog-node against a real gateway.</summary>
public sealed class PostHogNodeTests
{
    [Fact]
    public async Task Everything_that_posthog_node_sends_is_stored_once_with_its_properties()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        string output = await NodeScript.RunAsync(
            "posthog-node.mjs", gateway.Address.GetLeftPart(UriPartial.Authority), GatewayProcess.ProjectToken);
        Assert.Equal("""{"errors":[]}""", output.Trim().Split('\n')[^1]);

        var stored = await gateway.WaitForEventsAsync(1004);
        Assert.Equal(1004, stored.Count);
        Assert.Equal(1004, stored.Select(row => row.Uuid).Distinct().Count());

        var numbered = stored.Where(row => row.Event == "node event").OrderBy(Number).ToList();
        Assert.Equal(Enumerable.Range(0, 1000), numbered.Select(Number));
        Assert.All(numbered, row => Assert.Equal($"Grüße {Number(row)} 🎉", Text(row, "text")));
        Assert.All(numbered, row => Assert.Equal($"user-{Number(row) % 10}", row.DistinctId));
        Assert.All(stored, row => Assert.Equal("posthog-node", Text(row, "$lib")));

        var identify = Assert.Single(stored, row => row.Event == "$identify");
        Assert.Equal("user-1@example.com", identify.Properties.GetProperty("$set").GetProperty("email").GetString());
        var group = Assert.Single(stored, row => row.Event == "$groupidentify");
        Assert.Equal("acme", Text(group, "$group_key"));
        Assert.Single(stored, row => row.Event == "in a group");
        Assert.StartsWith("2021-03-04T05:06:07", Assert.Single(stored, row => row.Event == "long ago").Timestamp, StringComparison.Ordinal);
    }

    private static int Number(StoredEvent row) => row.Properties.GetProperty("i").GetInt32();

    private static string? Text(StoredEvent row, string property) =>
        row.Properties.TryGetProperty(property, out var value) ? value.GetString() : null;
}
