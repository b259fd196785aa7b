using System.Diagnostics;
using Gateway.Console.Tests.Running;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>From a new project to its first event.</summary>
[Collection(ConsoleTests.Name)]
public sealed class FirstRunTests(ConsoleGateway host)
{
    [Fact]
    public async Task A_new_project_waits_for_its_first_event_and_ticks_when_a_page_with_the_snippet_is_opened()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button("Project: Default Project. Switch").ClickAsync();
        await visitor.Button("New project").ClickAsync();
        var dialog = visitor.Dialog("New project");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create project" }).ClickAsync();
        await visitor.Mistake.WaitForAsync();
        await dialog.GetByLabel("Name").FillAsync("Staging");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create project" }).ClickAsync();

        await visitor.Heading("Send events").WaitForAsync();
        await visitor.Text("Waiting for the first event").WaitForAsync();
        await visitor.Button("Project: Staging. Switch").WaitForAsync();

        // What the page says to paste is pasted as it is; only that it must not take this browser for a robot is added.
        string snippet = await visitor.Page.GetByLabel("Browser snippet", new() { Exact = true }).InnerTextAsync();
        using var site = new PageServer(
            "<!doctype html><title>A shop</title><link rel=\"icon\" href=\"data:,\">"
            + snippet.Replace("api_host:", "opt_out_useragent_filter: true, api_host:"));
        var shop = await visitor.Context.NewPageAsync();
        await shop.GotoAsync(site.Address);

        await visitor.Text("Events arrive").WaitForAsync();
        await visitor.Link("See them live").ClickAsync();
        await visitor.Heading("Live events").WaitForAsync();
        await visitor.Button("$pageview").First.WaitForAsync();
        await shop.CloseAsync();
    }

    [Fact]
    public async Task The_Python_snippet_and_the_token_are_the_projects_own()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        await visitor.OpenAsync($"/project/{team.Project}/start", "Send events");
        await visitor.Page.GetByRole(AriaRole.Tab, new() { Name = "Python", Exact = true }).ClickAsync();
        string snippet = await visitor.Page.GetByLabel("Python snippet", new() { Exact = true }).InnerTextAsync();
        string address = host.Address.GetLeftPart(UriPartial.Authority);
        Assert.Contains($"Posthog(\"{team.Token}\", host=\"{address}\")", snippet, StringComparison.Ordinal);

        await visitor.Button("Copy the token").ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Status).GetByText("Copied").WaitForAsync(
            new() { State = WaitForSelectorState.Attached });
        Assert.Equal(team.Token, await visitor.Page.EvaluateAsync<string>("navigator.clipboard.readText()"));
    }

    [Theory]
    [InlineData("curl", "bash", "-c")]
    [InlineData("Node", "node", "--input-type=module", "-e")]
    public async Task A_snippet_does_what_it_says(string name, string program, params string[] arguments)
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/start", "Send events");
        await visitor.Text("Waiting for the first event").WaitForAsync();
        await visitor.Page.GetByRole(AriaRole.Tab, new() { Name = name, Exact = true }).ClickAsync();
        string snippet = await visitor.Page.GetByLabel($"{name} snippet", new() { Exact = true }).InnerTextAsync();

        using var process = Process.Start(new ProcessStartInfo(program, [.. arguments, snippet])
        {
            WorkingDirectory = Build.Repository("tests", "sdks"),
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        await process.WaitForExitAsync();
        Assert.True(process.ExitCode == 0, await process.StandardError.ReadToEndAsync());

        await visitor.Text("Events arrive").WaitForAsync();
        await visitor.Text("hello").WaitForAsync();
    }
}
