using System.Net;
using Gateway.Console.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>A project's settings, its token, and what ends it.</summary>
[Collection(ConsoleTests.Name)]
public sealed class SettingsTests(ConsoleGateway host)
{
    [Fact]
    public async Task Settings_are_changed_and_a_mistake_is_told_at_its_field()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/live", "Live events");
        await visitor.Link("Project settings").ClickAsync();
        var general = visitor.Page.GetByRole(AriaRole.Region, new() { Name = "General" });
        await general.GetByLabel("Name").FillAsync("Production");
        var zone = general.GetByRole(AriaRole.Combobox, new() { Name = "Time zone" });
        await zone.ClickAsync();
        await zone.FillAsync("Europe/Berl");
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = "Europe/Berlin" }).ClickAsync();
        await general.GetByRole(AriaRole.Switch, new() { Name = "Anonymize IP addresses" }).ClickAsync(new() { Force = true });
        var origins = general.GetByLabel("Allowed origins");
        await origins.FillAsync("not an origin");
        await origins.PressAsync("Enter");
        await visitor.Button("Save").ClickAsync();
        await visitor.Mistake.WaitForAsync();
        Assert.Equal("Default Project", (await team.ReadProjectAsync()).GetProperty("name").GetString());

        await origins.PressAsync("Backspace");
        await origins.FillAsync("https://www.example.com");
        await origins.PressAsync("Enter");
        await visitor.Button("Save").ClickAsync();
        await visitor.Text("Saved.").WaitForAsync();
        await visitor.Button("Project: Production. Switch").WaitForAsync();

        var project = await team.ReadProjectAsync();
        Assert.Equal("Production", project.GetProperty("name").GetString());
        Assert.Equal("Europe/Berlin", project.GetProperty("timezone").GetString());
        Assert.True(project.GetProperty("anonymize_ips").GetBoolean());
        Assert.Equal("""["https://www.example.com"]""", project.GetProperty("allowed_origins").GetRawText());
    }

    [Fact]
    public async Task A_token_is_regenerated_only_with_the_projects_name_and_is_in_force_at_once()
    {
        var team = await host.NewTeamAsync(project: "The shop");
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Button("Regenerate token").ClickAsync();
        var dialog = visitor.Dialog("Regenerate the project token");
        var confirm = dialog.GetByRole(AriaRole.Button, new() { Name = "Regenerate token" });
        await dialog.GetByText("what they send is lost").WaitForAsync();
        await Assertions.Expect(confirm).ToBeDisabledAsync();
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("the shop");
        await Assertions.Expect(confirm).ToBeDisabledAsync();
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("The shop");
        await confirm.ClickAsync();

        await visitor.Text("The token was regenerated").WaitForAsync();
        await visitor.Page.GetByText("every gateway refuses the old token").WaitForAsync();
        using var old = await host.Gateway.PostAsync("/e/", new { api_key = team.Token, @event = "x", distinct_id = "y" });
        Assert.Equal(HttpStatusCode.Unauthorized, old.StatusCode);

        var shown = visitor.Page.GetByTestId("token");
        await Assertions.Expect(shown).Not.ToHaveTextAsync(team.Token);
        string fresh = await shown.InnerTextAsync();
        Assert.Equal((await team.ReadProjectAsync()).GetProperty("api_token").GetString(), fresh);
        using var taken = await host.Gateway.PostAsync("/e/", new { api_key = fresh, @event = "x", distinct_id = "y" });
        Assert.Equal(HttpStatusCode.OK, taken.StatusCode);

        // And health tells that somebody still comes with the old one.
        await visitor.Link("Health").ClickAsync();
        await visitor.Region("Requests refused, in a minute")
            .GetByText("a token of this project that was revoked").WaitForAsync();
    }

    [Fact]
    public async Task A_project_is_moved_after_it_was_told_who_loses_it()
    {
        var (team, other) = (await host.NewTeamAsync("From here"), await host.NewTeamAsync("To there"));
        var member = await team.InviteAsync("member");
        var (project, _) = await team.NewProjectAsync("Wanderer");
        var invite = await other.Chief.DoAsync(
            HttpMethod.Post,
            $"/api/organizations/{other.Organization}/invites/",
            new { target_email = team.Chief.Email, level = 8 });

        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.GoAsync("/account");
        Assert.Equal(200, await visitor.ForceAsync("POST", invite.GetProperty("link").GetString()!));
        await visitor.OpenAsync($"/project/{project}/settings", "Project settings");
        await visitor.Button("Move project").ClickAsync();
        var dialog = visitor.Dialog("Move the project");
        var field = dialog.GetByRole(AriaRole.Combobox, new() { Name = "To the organization" });
        await field.ClickAsync();
        await Assertions.Expect(visitor.Page.GetByRole(AriaRole.Option)).ToHaveTextAsync(["To there"]);
        await visitor.Page.GetByRole(AriaRole.Option).ClickAsync();
        await dialog.GetByText("1 person would lose access").WaitForAsync();
        await dialog.GetByText(member.Email).WaitForAsync();
        await dialog.GetByText($"{other.Chief.Email}").WaitForAsync();
        await dialog.GetByRole(AriaRole.Textbox).Last.FillAsync("Wanderer");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Move project" }).ClickAsync();

        await visitor.Text("The project was moved.").WaitForAsync();
        var moved = await other.Chief.GetAsync($"/api/projects/{project}/");
        Assert.Equal(other.Organization, moved.GetProperty("organization").GetString());
    }

    [Fact]
    public async Task A_project_is_deleted_and_one_sees_how_its_events_are_erased()
    {
        var team = await host.NewTeamAsync(project: "Doomed");
        await team.SendAsync(new { @event = "one", distinct_id = "me" }, new { @event = "two", distinct_id = "me" });
        await team.NewProjectAsync("Survivor");
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Button("Delete project").ClickAsync();
        var dialog = visitor.Dialog("Delete the project");
        await dialog.GetByRole(AriaRole.Textbox).FillAsync("Doomed");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Delete project" }).ClickAsync();

        await visitor.Heading("Projects").WaitForAsync();
        await visitor.Page.GetByText("2 events erased, until").WaitForAsync();
        Assert.Equal(0, await visitor.Region("Projects").GetByText("Doomed").CountAsync());

        await visitor.GoAsync($"/project/{team.Project}/live");
        await visitor.Text("There is no such project").WaitForAsync();
    }
}
