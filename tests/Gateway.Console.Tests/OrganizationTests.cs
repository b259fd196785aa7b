using System.Net;
using Gateway.Console.Tests.Running;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>An organization's people, projects, keys and log.</summary>
[Collection(ConsoleTests.Name)]
public sealed class OrganizationTests(ConsoleGateway host)
{
    [Fact]
    public async Task Members_are_raised_and_removed()
    {
        var team = await host.NewTeamAsync();
        var (ann, bob) = (await team.InviteAsync("ann"), await team.InviteAsync("bob"));
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/organization/{team.Organization}/members", "Members");
        await visitor.ChooseAsync(Level(visitor, ann), "Admin");
        await Assertions.Expect(Level(visitor, ann)).ToHaveValueAsync("Admin");
        await visitor.Button($"Remove {bob.Email}").ClickAsync();
        await visitor.Dialog("Remove the member").GetByRole(AriaRole.Button, new() { Name = "Remove" }).ClickAsync();
        await Assertions.Expect(visitor.Text("2 members")).ToBeVisibleAsync();

        var members = (await team.Chief.GetAsync($"/api/organizations/{team.Organization}/members/")).GetProperty("results");
        Assert.Equal(
            new Dictionary<string, int> { [team.Chief.Email] = 15, [ann.Email] = 8 },
            members.EnumerateArray().ToDictionary(
                member => member.GetProperty("user").GetProperty("email").GetString()!,
                member => member.GetProperty("level").GetInt32()));

        // The last owner stays: the gateway says why.
        await visitor.Button("Leave the organization").ClickAsync();
        var dialog = visitor.Dialog("Leave the organization");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Leave" }).ClickAsync();
        await dialog.GetByText("at least one owner").WaitForAsync();
    }

    [Fact]
    public async Task Who_may_enter_a_project_is_said_in_its_settings()
    {
        var team = await host.NewTeamAsync();
        var ann = await team.InviteAsync("ann");
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/organization/{team.Organization}/projects", "Projects");
        await visitor.Link("All members").ClickAsync();
        await visitor.Heading("Project settings").WaitForAsync();

        await visitor.Page.GetByRole(AriaRole.Switch, new() { Name = "All members of the organization" })
            .ClickAsync(new() { Force = true });
        await Eventually.HoldsAsync(
            async () => await ann.StatusAsync(HttpMethod.Get, $"/api/projects/{team.Project}/") == HttpStatusCode.NotFound,
            TimeSpan.FromSeconds(30),
            () => "the member is shut out");

        await visitor.ChooseAsync(
            visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = $"Access of {ann.Email}" }), "Admin");
        await Eventually.HoldsAsync(
            async () => await ann.StatusAsync(HttpMethod.Get, $"/api/projects/{team.Project}/") == HttpStatusCode.OK,
            TimeSpan.FromSeconds(30),
            () => "the member is let in by name");
    }

    [Fact]
    public async Task A_personal_API_key_is_shown_once_and_works()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync("/account/keys", "Personal API keys");
        await visitor.Button("New key").ClickAsync();
        var dialog = visitor.Dialog("New personal API key");
        await dialog.GetByLabel("Label").FillAsync("Nightly report");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create key" }).ClickAsync();
        string value = (await visitor.Page.GetByLabel("API key", new() { Exact = true }).InnerTextAsync()).Trim();
        Assert.StartsWith("phx_", value, StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(value, team));

        await visitor.Page.ReloadAsync();
        var entry = visitor.Page.GetByRole(AriaRole.Listitem).Filter(new() { HasText = "Nightly report" });
        await entry.WaitForAsync();
        Assert.DoesNotContain(value, await visitor.Page.ContentAsync(), StringComparison.Ordinal);

        await entry.GetByRole(AriaRole.Button, new() { Name = "Roll" }).ClickAsync();
        await visitor.Dialog("Roll the key").GetByRole(AriaRole.Button, new() { Name = "Roll key" }).ClickAsync();
        string rolled = (await visitor.Page.GetByLabel("API key", new() { Exact = true }).InnerTextAsync()).Trim();
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(value, team));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync(rolled, team));
        await Assertions.Expect(visitor.Dialog("Roll the key")).ToHaveCountAsync(0);

        await entry.GetByRole(AriaRole.Button, new() { Name = "Delete" }).ClickAsync();
        await visitor.Dialog("Delete the key").GetByRole(AriaRole.Button, new() { Name = "Delete key" }).ClickAsync();
        await Assertions.Expect(entry).ToHaveCountAsync(0);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(rolled, team));
    }

    [Fact]
    public async Task The_audit_log_tells_what_was_done_and_its_chain_is_checked()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync($"/organization/{team.Organization}/general", "Organization");
        await visitor.Text("unlimited").WaitForAsync();
        await visitor.Field("Name").FillAsync("Shop Inc.");
        await visitor.Button("Save").ClickAsync();
        await visitor.Text("Saved.").WaitForAsync();

        await visitor.Link("Audit log").ClickAsync();
        var log = visitor.Region("Audit log");
        await log.GetByText("organization.renamed").Or(log.GetByText("organization.changed")).First.WaitForAsync();
        await visitor.Button("Check the chain").ClickAsync();
        await visitor.Text("The chain is whole").WaitForAsync();

        // An end that was noted down, and is not the log's.
        await visitor.Text("Check against an end that was noted down before").ClickAsync();
        await visitor.Field("Rows").FillAsync("1");
        await visitor.Field("Hash").FillAsync(new string('0', 64));
        await visitor.Button("Check the chain").ClickAsync();
        await visitor.Page.GetByText("The chain is broken at row").WaitForAsync();
    }

    [Fact]
    public async Task An_organization_is_made_and_deleted_with_its_name()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync("/account", "Account");
        await visitor.Button($"Your menu, {team.Chief.Email}").ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = "New organization" }).ClickAsync();
        var dialog = visitor.Dialog("New organization");
        await dialog.GetByLabel("Name").FillAsync("Second thoughts");
        await dialog.GetByRole(AriaRole.Button, new() { Name = "Create organization" }).ClickAsync();
        await visitor.Heading("Projects").WaitForAsync();

        await visitor.Link("Organization").ClickAsync();
        await visitor.Button("Delete organization").ClickAsync();
        var confirm = visitor.Dialog("Delete the organization");
        await Assertions.Expect(
            confirm.GetByRole(AriaRole.Button, new() { Name = "Delete organization" })).ToBeDisabledAsync();
        await confirm.GetByRole(AriaRole.Textbox).FillAsync("Second thoughts");
        await confirm.GetByRole(AriaRole.Button, new() { Name = "Delete organization" }).ClickAsync();
        await visitor.Heading("Live events").WaitForAsync();
        var left = (await team.Chief.GetAsync("/api/organizations/")).GetProperty("results");
        Assert.Equal(
            team.Organization, Assert.Single(left.EnumerateArray().ToArray()).GetProperty("id").GetString());
    }

    [Fact]
    public async Task A_password_is_changed_with_the_one_before()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync(team.Chief);
        await visitor.OpenAsync("/account", "Account");
        await visitor.Field("Current password").FillAsync("wrong password");
        await visitor.Field("New password").FillAsync("another long password");
        await visitor.Button("Change password").ClickAsync();
        await visitor.Mistake.WaitForAsync();
        await visitor.Field("Current password").FillAsync(ApiUser.Password);
        await visitor.Button("Change password").ClickAsync();
        await visitor.Page.GetByText("The password was changed").WaitForAsync();
    }

    private static ILocator Level(Visitor visitor, ApiUser user) =>
        visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = $"Level of {user.Email}" });

    private async Task<HttpStatusCode> StatusAsync(string key, Team team)
    {
        using var answer = await host.Gateway.QueryAsync(new { kind = "EventsQuery" }, $"{team.Project}", key);
        return answer.StatusCode;
    }
}
