using Gateway.Console.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>The health page: books, freshness, and what was refused.</summary>
[Collection(ConsoleTests.Name)]
public sealed class HealthTests(ConsoleGateway host)
{
    [Fact]
    public async Task The_books_balance_and_every_plot_has_its_figures()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync([.. Enumerable.Range(0, 42).Select(i => new { @event = "e", distinct_id = $"user {i}" })]);
        using var mistyped = await host.Gateway.PostAsync(
            "/e/", new { api_key = team.Token[..^1] + (team.Token[^1] == 'A' ? 'B' : 'A'), @event = "e", distinct_id = "x" });

        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/health", "Health");
        await visitor.Text("The books balance").WaitForAsync();
        await visitor.Text(
            "42 accepted = 42 shipped + 0 quarantined + 0 erased + 0 waiting + 0 damaged").WaitForAsync();
        await Assertions.Expect(visitor.Region("Events accepted, in a minute")).ToContainTextAsync("Accepted");
        await Assertions.Expect(visitor.Region("Freshness")).ToContainTextAsync("p99");
        await Assertions.Expect(visitor.Region("Waiting in the journal")).ToContainTextAsync("Waiting");
        await Assertions.Expect(visitor.Region("Requests refused, in a minute"))
            .ToContainTextAsync("No request of this project was refused.");
        await Assertions.Expect(visitor.Region("Refused without a project")).ToContainTextAsync("a mistyped token");
        await Assertions.Expect(visitor.Region("Ledger by minute").GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("42");

        await visitor.Page.GetByText("Last day", new() { Exact = true }).ClickAsync();
        await visitor.Region("Events accepted, in 15 minutes").WaitForAsync();
        await Assertions.Expect(visitor.Region("Events accepted, in 15 minutes")).ToContainTextAsync("Accepted");
    }
}
