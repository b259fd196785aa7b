using System.Globalization;
using System.Net;
using System.Net.Http.Json;
using System.Text.RegularExpressions;
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
        await PlotAsync(visitor, "Events accepted, in a minute", "Accepted: at most 42, lately");
        await PlotAsync(visitor, "Freshness", "Median: at most \\d.*p99: at most \\d");
        await PlotAsync(visitor, "Waiting in the journal", "Waiting: at most \\d+, lately 0");
        await Assertions.Expect(visitor.Region("Requests refused, in a minute"))
            .ToContainTextAsync("No request of this project was refused.");
        await Assertions.Expect(visitor.Region("Refused without a project")).ToContainTextAsync("a mistyped token");
        await Assertions.Expect(visitor.Region("Ledger by minute").GetByRole(AriaRole.Row).Nth(1)).ToContainTextAsync("42");

        await visitor.Page.GetByText("Last day", new() { Exact = true }).ClickAsync();
        await visitor.Region("Events accepted, in 15 minutes").WaitForAsync();
        await PlotAsync(visitor, "Events accepted, in 15 minutes", "Accepted: at most 42, lately");
    }

    [Fact]
    public async Task What_was_refused_is_told_by_reason()
    {
        var team = await host.NewTeamAsync();
        await team.Chief.DoAsync(
            HttpMethod.Patch,
            $"/api/projects/{team.Project}/",
            new { allowed_origins = (string[])["https://shop.example.com"] });
        for (int i = 0; i < 3; i++) await SendAsync("https://elsewhere.example.com", HttpStatusCode.Forbidden);
        await team.Chief.DoAsync(
            HttpMethod.Patch,
            $"/api/projects/{team.Project}/",
            new { events_per_second = 1, timezone = "Asia/Tokyo" });
        while (await SendAsync("https://shop.example.com") == HttpStatusCode.OK)
        {
        }

        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/health", "Health");
        await PlotAsync(
            visitor,
            "Requests refused, in a minute",
            "from a page that is not allowed: at most 3.*more than the project may send: at most 1");

        // By the project's clock, which is nine hours ahead here.
        string minute = DateTimeOffset.UtcNow.AddHours(9).ToString("yyyy-MM-dd HH", CultureInfo.InvariantCulture);
        await Assertions.Expect(visitor.Region("Ledger by minute").GetByRole(AriaRole.Row).Nth(1))
            .ToContainTextAsync(minute[..10]);

        async Task<HttpStatusCode> SendAsync(string origin, HttpStatusCode? expected = null)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, "/e/");
            request.Headers.Add("Origin", origin);
            request.Content = JsonContent.Create(new { api_key = team.Token, @event = "e", distinct_id = "x" });
            using var answer = await host.Gateway.Http.SendAsync(request);
            if (expected is not null) Assert.Equal(expected, answer.StatusCode);
            return answer.StatusCode;
        }
    }

    /// <summary>A plot says in words what it shows.</summary>
    private static Task PlotAsync(Visitor visitor, string title, string figures) =>
        visitor.Region(title).GetByRole(AriaRole.Img, new() { NameRegex = new Regex(figures) }).WaitForAsync();
}
