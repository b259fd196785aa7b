using System.Diagnostics;
using System.Text.Json;
using Gateway.Console.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>Trends: what is asked, how it is shown, and the same from a terminal.</summary>
[Collection(ConsoleTests.Name)]
public sealed class ExploreTests(ConsoleGateway host)
{
    [Fact]
    public async Task Counts_are_broken_down_and_shown_as_lines_bars_numbers_and_a_table()
    {
        var team = await TeamWithEventsAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/explore", "Explore");
        var lines = visitor.Region("Lines");
        await lines.GetByText("All events").WaitForAsync();
        await Assertions.Expect(lines.GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("5");
        await visitor.Page.GetByRole(AriaRole.Img, new() { Name = "1 line over 8 intervals: All events, 5 in all" })
            .WaitForAsync();

        await Visitor.TypeAsync(visitor.Choice("Break down by property"), "plan");
        await Assertions.Expect(lines.GetByRole(AriaRole.Row)).ToHaveCountAsync(4);
        await Assertions.Expect(lines).ToContainTextAsync("free");
        await Assertions.Expect(lines).ToContainTextAsync("(not set)");

        await ShowAsAsync(visitor, "Bar");
        await visitor.Page.GetByRole(AriaRole.Img, new() { Name = "3 lines over 8 intervals" }).WaitForAsync();
        await lines.GetByRole(AriaRole.Checkbox, new() { Name = "Show free" }).UncheckAsync();

        await ShowAsAsync(visitor, "Number");
        await visitor.Page.Locator(".big-number").First.WaitForAsync();
        Assert.Equal(["3", "1", "1"], await visitor.Page.Locator(".big-number").AllInnerTextsAsync());

        await ShowAsAsync(visitor, "Table");
        await Assertions.Expect(visitor.Region("Counts").GetByRole(AriaRole.Row)).ToHaveCountAsync(9);
        await Assertions.Expect(visitor.Region("Counts").GetByRole(AriaRole.Row).Last).ToContainTextAsync("3");
    }

    [Fact]
    public async Task Series_of_total_and_unique_stand_side_by_side_and_the_address_keeps_the_question()
    {
        var team = await TeamWithEventsAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/explore", "Explore");
        var first = visitor.Page.GetByRole(AriaRole.Group, new() { Name = "Series 1" });
        await Visitor.TypeAsync(first.GetByRole(AriaRole.Combobox, new() { Name = "Event" }), "view");
        await visitor.Button("Add series").ClickAsync();
        var second = visitor.Page.GetByRole(AriaRole.Group, new() { Name = "Series 2" });
        await Visitor.TypeAsync(second.GetByRole(AriaRole.Combobox, new() { Name = "Event" }), "view");
        await visitor.ChooseAsync(second.GetByRole(AriaRole.Combobox, new() { Name = "Count" }), "Unique ids");

        var rows = visitor.Region("Lines").GetByRole(AriaRole.Row);
        await Assertions.Expect(rows).ToHaveCountAsync(3);
        await Assertions.Expect(rows.Nth(1).GetByRole(AriaRole.Cell).Last).ToHaveTextAsync("4");
        await Assertions.Expect(rows.Nth(2).GetByRole(AriaRole.Cell).Last).ToHaveTextAsync("2");

        await visitor.ChooseAsync(visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = "Interval" }), "Hour");
        await visitor.ChooseAsync(visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = "Range" }), "Last 24 hours");
        await visitor.Page.GetByRole(AriaRole.Img, new() { Name = "2 lines over 25 intervals" }).WaitForAsync();

        await visitor.Page.ReloadAsync();
        await visitor.Page.GetByRole(AriaRole.Img, new() { Name = "2 lines over 25 intervals" }).WaitForAsync();
        await Assertions.Expect(rows.Nth(2).GetByRole(AriaRole.Cell).Last).ToHaveTextAsync("2");

        // From one day to another; then a filter that nothing passes.
        await visitor.ChooseAsync(visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = "Range" }), "From … to …");
        await visitor.Field("From").FillAsync("2026-01-01");
        await visitor.Field("To").FillAsync("2026-01-02");
        await visitor.Text("Nothing was counted").WaitForAsync();
    }

    [Fact]
    public async Task The_question_can_be_copied_as_a_curl_line_that_gives_the_same_numbers()
    {
        var team = await TeamWithEventsAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.Context.GrantPermissionsAsync(["clipboard-read", "clipboard-write"]);
        string question = Uri.EscapeDataString(
            """{"series":[{"event":"it's \"that\" one","math":"total"}],"interval":"day","from":"-7d","display":"number"}""");
        await visitor.OpenAsync($"/project/{team.Project}/explore?q={question}", "Explore");
        await Assertions.Expect(visitor.Page.Locator(".big-number")).ToHaveTextAsync("1");
        await visitor.Button("Copy as curl").ClickAsync();
        await visitor.Button("Copied").WaitForAsync();
        string line = await visitor.Page.EvaluateAsync<string>("navigator.clipboard.readText()");
        Assert.DoesNotContain("phx_", line, StringComparison.Ordinal);

        var start = new ProcessStartInfo("bash", ["-c", line]) { RedirectStandardOutput = true };
        start.Environment["API_KEY"] = team.Chief.Key;
        using var process = Process.Start(start)!;
        var answer = JsonDocument.Parse(await process.StandardOutput.ReadToEndAsync()).RootElement;
        Assert.Equal(1, answer.GetProperty("results")[0].GetProperty("count").GetInt32());
    }

    private static Task ShowAsAsync(Visitor visitor, string display) =>
        visitor.Page.GetByRole(AriaRole.Radiogroup, new() { Name = "Show as" }).GetByText(display).ClickAsync();

    private async Task<Team> TeamWithEventsAsync()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync(
            new { @event = "view", distinct_id = "ann", properties = new { plan = "free" } },
            new { @event = "view", distinct_id = "ann", properties = new { plan = "free" } },
            new { @event = "view", distinct_id = "bob", properties = new { plan = "free" } },
            new { @event = "view", distinct_id = "bob", properties = new { plan = "paid" } },
            new { @event = "it's \"that\" one", distinct_id = "bob" });
        return team;
    }
}
