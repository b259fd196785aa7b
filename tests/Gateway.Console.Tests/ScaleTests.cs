using System.Globalization;
using Gateway.Console.Tests.Running;
using Microsoft.Data.Sqlite;
using Microsoft.Playwright;
using Xunit.Abstractions;

namespace Gateway.Console.Tests;

/// <summary>Many events, projects and people: lists show what is in view, and the page answers all the time.</summary>
[Collection(ConsoleTests.Name)]
public sealed class ScaleTests(ConsoleGateway host, ITestOutputHelper output)
{
    private const int Events = 100_000;
    private const int Batch = 2_000;
    private const int Projects = 500;
    private const int Members = 200;

    /// <summary>The longest that a page may be busy at once, in milliseconds: longer, and it seems frozen.</summary>
    private const double LongestBusy = 400;

    [Fact]
    public async Task A_hundred_thousand_events_five_hundred_projects_and_two_hundred_members_freeze_nothing()
    {
        var team = await host.NewTeamAsync("Large");
        for (int i = 1; i < Projects; i++)
            await team.NewProjectAsync($"Project {i.ToString("000", CultureInfo.InvariantCulture)}");
        await AddMembersAsync(team);
        for (int sent = 0; sent < Events; sent += Batch) await PostAsync(team, sent);
        await team.StoredAsync();

        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.Page.AddInitScriptAsync(
            """
            window.busy = [];
            new PerformanceObserver((list) => list.getEntries().forEach(({ duration }) => window.busy.push(duration)))
              .observe({ type: "longtask", buffered: true });
            """);

        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Text("200 events so far, times in UTC").WaitForAsync();
        for (int page = 0; page < 15; page++)
        {
            await visitor.Page.EvaluateAsync("window.scrollTo(0, document.body.scrollHeight)");
            string more = string.Create(CultureInfo.InvariantCulture, $"{(page + 2) * 200:N0} events so far, times in UTC");
            await visitor.Text(more).WaitForAsync(new() { State = WaitForSelectorState.Attached });
        }

        await FewAsync(visitor, "Events");
        await visitor.Page.EvaluateAsync("window.scrollTo(0, 0)");
        await QuietAsync(visitor, "live events");

        var switcher = visitor.Button("Project: Default Project. Switch");
        await switcher.ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = "Project 001" }).WaitForAsync();
        await visitor.Page.GetByText("more: type a part of the name").WaitForAsync();
        await visitor.Page.GetByLabel("Search projects and organizations").FillAsync("project 499");
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = "Project 499" }).ClickAsync();
        await visitor.Button("Project: Project 499. Switch").WaitForAsync();
        await QuietAsync(visitor, "the switcher");

        await visitor.OpenAsync($"/organization/{team.Organization}/projects", "Projects");
        await visitor.Text("500 projects").WaitForAsync();
        await FewAsync(visitor, "Projects");
        await visitor.Page.EvaluateAsync("window.scrollTo(0, document.body.scrollHeight)");
        await visitor.Link("Project 499").WaitForAsync();
        await visitor.Field("Search projects").FillAsync("project 25");
        await visitor.Text("10 projects").WaitForAsync();
        await QuietAsync(visitor, "projects");

        await visitor.OpenAsync($"/organization/{team.Organization}/members", "Members");
        await visitor.Text("200 members").WaitForAsync();
        await FewAsync(visitor, "Members");
        await visitor.Field("Search members").FillAsync("person 150");
        await visitor.Text("1 member").WaitForAsync();
        await QuietAsync(visitor, "members");

        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Region("Who may enter").GetByRole(AriaRole.Table).WaitForAsync();
        await FewAsync(visitor, "Who may enter");
        await QuietAsync(visitor, "settings");

        await visitor.OpenAsync($"/organization/{team.Organization}/audit-log", "Audit log");
        await visitor.Region("Audit log").GetByText("project.created").First.WaitForAsync();
        await visitor.Page.EvaluateAsync("window.scrollTo(0, document.body.scrollHeight)");
        await QuietAsync(visitor, "the audit log");

        await visitor.OpenAsync(Places.Of(team)[2].Path, "Explore");
        await Assertions.Expect(visitor.Region("Lines")).ToContainTextAsync("50,000");
        await QuietAsync(visitor, "explore");
        await visitor.OpenAsync($"/project/{team.Project}/health", "Health");
        await visitor.Text("The books balance").WaitForAsync();
        await QuietAsync(visitor, "health");
    }

    /// <summary>Only some rows are in the document, though the table says how many it has.</summary>
    private static async Task FewAsync(Visitor visitor, string table)
    {
        var region = visitor.Region(table);
        int rows = await region.GetByRole(AriaRole.Row).CountAsync();
        int all = int.Parse((await region.Locator("table").GetAttributeAsync("aria-rowcount"))!, CultureInfo.InvariantCulture);
        Assert.InRange(rows, 5, 100);
        Assert.True(all > 150, $"{table}: {all}");
    }

    private async Task QuietAsync(Visitor visitor, string where)
    {
        await visitor.Page.EvaluateAsync(
            "() => new Promise((seen) => requestAnimationFrame(() => requestAnimationFrame(() => setTimeout(seen, 50))))");
        double[] busy = await visitor.Page.EvaluateAsync<double[]>("window.busy.splice(0)");
        double longest = busy.DefaultIfEmpty().Max();
        output.WriteLine($"{where}: busy for {longest:0} ms at most");
        Assert.True(longest <= LongestBusy, $"{where}: the page was busy for {longest:0} ms at once.");
    }

    private async Task PostAsync(Team team, int first)
    {
        using var answer = await host.Gateway.PostAsync("/batch/", new
        {
            api_key = team.Token,
            batch = Enumerable.Range(first, Batch).Select(i => new
            {
                @event = "e" + (i % 10).ToString(CultureInfo.InvariantCulture),
                distinct_id = "person " + (i % 1000).ToString(CultureInfo.InvariantCulture),
                properties = new Dictionary<string, object> { ["$browser"] = i % 2 == 0 ? "Chrome" : "Firefox", ["n"] = i },
            }),
        });
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    /// <summary>Straight into the database: each by an invite and a password would take minutes.</summary>
    private async Task AddMembersAsync(Team team)
    {
        string file = Path.Combine(host.Gateway.Data, "control.db");
        await using var connection = new SqliteConnection($"Data Source={file};Default Timeout=30;Pooling=False");
        await connection.OpenAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        for (int i = 1; i < Members; i++)
        {
            await using var command = connection.CreateCommand();
            command.CommandText =
                """
                INSERT INTO users (uuid, email, first_name, last_name, created_at)
                VALUES ($uuid, $email, $name, '', 0);
                INSERT INTO memberships (organization_id, user_id, level, joined_at)
                SELECT o.id, u.id, 1, 0 FROM organizations o, users u WHERE o.uuid = $organization AND u.uuid = $uuid
                """;
            string number = i.ToString("000", CultureInfo.InvariantCulture);
            command.Parameters.AddWithValue("$uuid", Guid.NewGuid().ToString());
            command.Parameters.AddWithValue("$email", $"person{number}@large.example.com");
            command.Parameters.AddWithValue("$name", $"Person {number}");
            command.Parameters.AddWithValue("$organization", team.Organization);
            await command.ExecuteNonQueryAsync();
        }

        await transaction.CommitAsync();
    }
}
