using Gateway.Console.Tests.Running;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>A page that stays open while things change around it.</summary>
[Collection(ConsoleTests.Name)]
public sealed class SessionTests(ConsoleGateway host)
{
    [Fact]
    public async Task When_the_session_ends_elsewhere_the_page_asks_for_the_password_and_shows_the_next_user_their_own()
    {
        var team = await host.NewTeamAsync();
        var member = await team.InviteAsync("member");
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Button("Regenerate token").WaitForAsync();
        int asked = 0;
        visitor.Page.Request += (_, request) =>
        {
            if (request.Url.EndsWith("/users/@me/", StringComparison.Ordinal)) asked++;
        };

        Assert.Equal(204, await visitor.ForceAsync("POST", "/api/logout/"));
        await visitor.Link("Health").ClickAsync();
        await visitor.Heading("Sign in").WaitForAsync();
        Assert.InRange(asked, 1, 10);

        // The same page, somebody who may less: nothing of what the other one saw is left.
        await visitor.Field("E-mail").FillAsync(member.Email);
        await visitor.Field("Password").FillAsync(ApiUser.Password);
        await visitor.Button("Sign in").ClickAsync();
        await visitor.Heading("Health").WaitForAsync();
        var released = new TaskCompletionSource();
        await visitor.Page.RouteAsync($"**/api/projects/{team.Project}/", async route =>
        {
            await released.Task;
            await route.ContinueAsync();
        });
        await visitor.Link("Project settings").ClickAsync();
        await visitor.Heading("Project settings").WaitForAsync();
        await visitor.Page.GetByRole(AriaRole.Status, new() { Name = "Loading" }).First.WaitForAsync();
        Assert.Equal(0, await visitor.Button("Regenerate token").CountAsync());
        released.SetResult();
        await visitor.Page.GetByText("You can read these settings").WaitForAsync();
        Assert.Equal(0, await visitor.Button("Regenerate token").CountAsync());
        Assert.Equal(0, await visitor.Link("Audit log").CountAsync());
    }

    [Fact]
    public async Task While_the_gateway_is_away_a_page_says_so_and_goes_on_when_it_is_back()
    {
        var team = await host.NewTeamAsync();
        await team.SendAsync(new { @event = "one", distinct_id = "me" });
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Button("one").WaitForAsync();

        await visitor.Page.RouteAsync("**/api/**", route => route.AbortAsync());
        await visitor.Page.GetByText("New events cannot be asked for just now").WaitForAsync();
        await visitor.Link("Explore").ClickAsync();
        await visitor.Text("This could not be loaded").WaitForAsync();
        await visitor.Page.GetByText("The gateway cannot be reached.").WaitForAsync();

        await visitor.Page.UnrouteAsync("**/api/**");
        await visitor.Button("Try again").ClickAsync();
        await visitor.Region("Lines").GetByText("All events").WaitForAsync();
    }

    [Fact]
    public async Task A_change_that_is_not_in_force_yet_is_told_as_recorded_and_not_sent_again()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Field("Name").FillAsync("Renamed");

        // What a gateway answers whose Redis cannot be told: the change is made, and said to be on its way.
        int sent = 0;
        await visitor.Page.RouteAsync($"**/api/projects/{team.Project}/", async route =>
        {
            if (route.Request.Method != "PATCH")
            {
                await route.ContinueAsync();
                return;
            }

            sent++;
            var made = await route.FetchAsync();
            string recorded = await made.TextAsync();
            await route.FulfillAsync(new()
            {
                Status = 503,
                ContentType = "application/json",
                Body = $$"""
                    {"type":"server_error","code":"not_in_force","detail":"It comes into force by itself.",
                     "attr":null,"epoch":7,"recorded":{{recorded}}}
                    """,
            });
        });
        visitor.MayFail = true;
        await visitor.Button("Save").ClickAsync();
        await visitor.Text("Recorded, but not in force yet").WaitForAsync();
        await visitor.Button("Project: Renamed. Switch").WaitForAsync();
        Assert.Equal(1, sent);
    }
}
