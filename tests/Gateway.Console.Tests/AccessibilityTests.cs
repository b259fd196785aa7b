using System.Text.Json;
using Gateway.Console.Tests.Running;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>Each page for everybody: by eye in both colours and on a small screen, by ear, and by keyboard.</summary>
[Collection(ConsoleTests.Name)]
public sealed class AccessibilityTests(ConsoleGateway host)
{
    private static readonly string Axe =
        File.ReadAllText(Build.Repository("tests", "sdks", "node_modules", "axe-core", "axe.min.js"));

    [Theory]
    [InlineData(1280, ColorScheme.Light)]
    [InlineData(360, ColorScheme.Dark)]
    public async Task Axe_finds_nothing_serious_and_nothing_runs_over_the_edge(int width, ColorScheme colors)
    {
        var team = await Example.TeamAsync(host);
        var found = new List<string>();
        await using (var stranger = await host.VisitAsync(width: width, colors: colors))
        {
            await stranger.OpenAsync("/sign-in", "Sign in");
            found.AddRange(await ExamineAsync(stranger, "sign-in"));
            await stranger.OpenAsync("/sign-up", "Sign up");
            found.AddRange(await ExamineAsync(stranger, "sign-up"));
            await stranger.OpenAsync("/invite/none", "This invite is over");
            found.AddRange(await ExamineAsync(stranger, "invite"));
        }

        await using var visitor = await host.VisitAsync(team.Chief, width, colors);
        foreach (var place in Places.Of(team))
        {
            await visitor.OpenAsync(place.Path, place.Heading);
            await SettledAsync(visitor);
            found.AddRange(await ExamineAsync(visitor, place.Name));
        }

        // What opens over a page is one too.
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Button("Regenerate token").ClickAsync();
        await visitor.Dialog("Regenerate the project token").WaitForAsync();
        found.AddRange(await ExamineAsync(visitor, "regenerate"));
        await visitor.Page.Keyboard.PressAsync("Escape");
        await visitor.Page.GetByRole(AriaRole.Button, new() { Name = "Switch" }).ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = "Default Project" }).WaitForAsync();
        found.AddRange(await ExamineAsync(visitor, "switcher"));
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button("purchase").First.ClickAsync();
        await visitor.Page.GetByLabel("Properties", new() { Exact = true }).WaitForAsync();
        found.AddRange(await ExamineAsync(visitor, "event"));

        Assert.True(found.Count == 0, string.Join('\n', found));
    }

    [Fact]
    public async Task Everything_can_be_reached_by_keyboard()
    {
        var team = await Example.TeamAsync(host);
        var (other, _) = await team.NewProjectAsync("Staging");
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        var keys = visitor.Page.Keyboard;

        // Past what is the same on every page.
        await keys.PressAsync("Tab");
        await Assertions.Expect(visitor.Link("Skip to the page")).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Main)).ToBeFocusedAsync();

        // A row opens and closes.
        var row = visitor.Button("purchase").First;
        await row.FocusAsync();
        await keys.PressAsync("Enter");
        await Assertions.Expect(row).ToHaveAttributeAsync("aria-expanded", "true");
        await keys.PressAsync("Enter");
        await Assertions.Expect(row).ToHaveAttributeAsync("aria-expanded", "false");

        // The switcher: leave it, then search in it and choose.
        var switcher = visitor.Button("Project: Default Project. Switch");
        await switcher.FocusAsync();
        await keys.PressAsync("Enter");
        var search = visitor.Page.GetByLabel("Search projects and organizations");
        await Assertions.Expect(search).ToBeFocusedAsync();
        await keys.PressAsync("Escape");
        await Assertions.Expect(switcher).ToBeFocusedAsync();
        await keys.PressAsync("Enter");
        await Assertions.Expect(search).ToBeFocusedAsync();
        await keys.TypeAsync("stag");
        await keys.PressAsync("ArrowDown");
        await keys.PressAsync("Enter");
        await visitor.Page.WaitForURLAsync($"**/project/{other}/live");

        // A dialog takes the focus, keeps it, and gives it back.
        await visitor.OpenAsync($"/project/{other}/settings", "Project settings");
        var open = visitor.Button("Regenerate token");
        await open.FocusAsync();
        await keys.PressAsync("Enter");
        var dialog = visitor.Dialog("Regenerate the project token");
        await Assertions.Expect(dialog.GetByRole(AriaRole.Textbox)).ToBeFocusedAsync();
        for (int i = 0; i < 6; i++)
        {
            await keys.PressAsync("Tab");
            Assert.True(await dialog.EvaluateAsync<bool>("dialog => dialog.contains(document.activeElement)"));
        }

        await keys.PressAsync("Escape");
        await Assertions.Expect(open).ToBeFocusedAsync();
    }

    [Fact]
    public async Task On_a_small_screen_the_menu_opens_and_closes_when_one_has_chosen()
    {
        var team = await Example.TeamAsync(host);
        await using var visitor = await host.VisitAsync(team.Chief, width: 360, colors: ColorScheme.Dark);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button("Open the menu").ClickAsync();
        await visitor.Dialog("Menu").GetByRole(AriaRole.Link, new() { Name = "Project settings" }).ClickAsync();
        await visitor.Heading("Project settings").WaitForAsync();
        await Assertions.Expect(visitor.Dialog("Menu")).ToHaveCountAsync(0);
        Assert.Equal("Project settings · Default Project · Gateway", await visitor.Page.TitleAsync());
    }

    internal static async Task SettledAsync(Visitor visitor)
    {
        await visitor.Page.WaitForLoadStateAsync(LoadState.Load);
        await Assertions.Expect(visitor.Page.Locator(".mantine-Loader-root")).ToHaveCountAsync(0);
    }

    private static async Task<List<string>> ExamineAsync(Visitor visitor, string name)
    {
        await visitor.Page.EvaluateAsync(Axe);
        var result = await visitor.Page.EvaluateAsync<JsonElement>(
            """
            async () => {
              const { violations } = await axe.run(document, { resultTypes: ["violations"] });
              return violations
                .filter(({ impact }) => impact === "serious" || impact === "critical")
                .flatMap(({ id, nodes }) => nodes.map(({ html, any }) => `${id}: ${html.slice(0, 160)} ${any[0]?.message ?? ""}`));
            }
            """);
        var found = result.EnumerateArray().Select(text => $"{name}: {text.GetString()}").ToList();
        int over = await visitor.Page.EvaluateAsync<int>(
            "document.documentElement.scrollWidth - document.documentElement.clientWidth");
        if (over > 0) found.Add($"{name}: {over} pixels run over the edge");
        return found;
    }
}
