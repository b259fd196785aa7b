using Gateway.Console.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>Whatever somebody calls something, it is shown as that text, and does nothing.</summary>
[Collection(ConsoleTests.Name)]
public sealed class MarkupTests(ConsoleGateway host)
{
    private const string Image = "<img src=x onerror=\"window.taken=1\">";

    /// <summary>A label has forty characters at most.</summary>
    private const string Label = "<img src=x onerror=taken=1>";

    [Fact]
    public async Task Markup_in_names_values_and_labels_is_text_everywhere()
    {
        string script = $"<script>window.taken=1</script>{Image}";
        var team = await host.NewTeamAsync($"Org {Image}", project: $"Project {Image}");
        var properties = new Dictionary<string, object>
        {
            [$"Key {Image}"] = $"Value {script}",
            ["list"] = new[] { script },
            ["$browser"] = $"Browser {Image}",
        };
        await team.SendAsync(
            new { @event = $"Event {Image}", distinct_id = $"Id {Image}", properties },
            new { @event = "", distinct_id = $"Refused {script}" });
        await team.Chief.DoAsync(
            HttpMethod.Post, "/api/personal_api_keys/", new { label = Label, scopes = (string[])["query:read"] });
        await team.NewProjectAsync($"Second {Image}");

        await using var visitor = await host.VisitAsync(team.Chief);
        foreach (var place in Places.Of(team))
        {
            await visitor.OpenAsync(place.Path, place.Heading);
            await AccessibilityTests.SettledAsync(visitor);
            await HarmlessAsync(visitor);
            await visitor.Page.GetByRole(AriaRole.Button, new() { Name = $"Project: Project {Image}. Switch" }).WaitForAsync();
        }

        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button($"Event {Image}").ClickAsync();
        var shown = visitor.Page.GetByLabel("Properties", new() { Exact = true });
        await Assertions.Expect(shown).ToContainTextAsync($"Key {Image}");
        await Assertions.Expect(shown).ToContainTextAsync($"Value {script}");
        await visitor.Button($"Only events with this Key {Image}").ClickAsync();
        await visitor.Button($"Event {Image}").WaitForAsync();
        await visitor.Choice("Event").ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = $"Event {Image}" }).WaitForAsync();
        await HarmlessAsync(visitor);

        await visitor.OpenAsync($"/project/{team.Project}/quarantine", "Quarantine");
        await visitor.Page.GetByText($"Refused {script.Replace("\"", "\\\"")}").WaitForAsync();
        await HarmlessAsync(visitor);

        await visitor.OpenAsync(Places.Of(team)[2].Path, "Explore");
        await Assertions.Expect(visitor.Region("Lines")).ToContainTextAsync($"Browser {Image}");
        await HarmlessAsync(visitor);

        await visitor.OpenAsync("/account/keys", "Personal API keys");
        await visitor.Text(Label).WaitForAsync();
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Switch" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = $"Second {Image}", Exact = true }).WaitForAsync();
        await visitor.Page.GetByText($"Org {Image}").First.WaitForAsync();
        await HarmlessAsync(visitor);
    }

    private static async Task HarmlessAsync(Visitor visitor)
    {
        Assert.False(await visitor.Page.EvaluateAsync<bool>("window.taken === 1"));

        // The policy would keep it from running: what counts is that nothing of it became an element.
        Assert.Equal(0, await visitor.Page.Locator("img[src='x'], script:not([src])").CountAsync());
    }
}
