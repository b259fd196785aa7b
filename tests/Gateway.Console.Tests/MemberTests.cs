using Gateway.Console.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>What a member may not do is not offered, and refused when it is asked for all the same.</summary>
[Collection(ConsoleTests.Name)]
public sealed class MemberTests(ConsoleGateway host)
{
    [Fact]
    public async Task A_member_is_offered_nothing_that_would_be_refused_and_forcing_it_is_refused()
    {
        var team = await host.NewTeamAsync();
        var member = await team.InviteAsync("member");
        await team.SendAsync(new { @event = "good", distinct_id = "me" }, new { @event = "", distinct_id = "bad" });
        var before = await team.ReadProjectAsync();
        string project = $"/api/projects/{team.Project}/";
        string organization = $"/api/organizations/{team.Organization}/";

        await using var visitor = await host.VisitAsync(member);
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Project settings");
        await visitor.Page.GetByText("You can read these settings").WaitForAsync();
        await visitor.Region("Who may enter").GetByText(member.Email).WaitForAsync();
        await NoneAsync(visitor, "Save", "Regenerate token", "Move project", "Delete project");
        await Assertions.Expect(visitor.Field("Name")).ToBeDisabledAsync();
        await Assertions.Expect(
            visitor.Page.GetByRole(AriaRole.Switch, new() { Name = "All members of the organization" })).ToBeDisabledAsync();
        Assert.Equal(0, await visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = "Access of" }).CountAsync());
        Assert.Equal(403, await visitor.ForceAsync("PATCH", project, new { name = "Taken over" }));
        Assert.Equal(403, await visitor.ForceAsync("POST", $"{project}reset_token/"));
        Assert.Equal(403, await visitor.ForceAsync("DELETE", project));
        Assert.Equal(403, await visitor.ForceAsync(
            "POST", $"{project}change_organization/", new { organization_id = team.Organization }));

        await visitor.OpenAsync($"/project/{team.Project}/quarantine", "Quarantine");
        await visitor.Text("The event has no name.").WaitForAsync();
        await visitor.Page.GetByText("an admin of the project can send them again").WaitForAsync();
        await visitor.Page.WaitForLoadStateAsync(LoadState.NetworkIdle);
        await NoneAsync(visitor, "Send again", "Send all again", "Mend", "Delete", "Delete all");
        Assert.Equal(403, await visitor.ForceAsync("DELETE", $"{project}quarantine/"));
        Assert.Equal(403, await visitor.ForceAsync("POST", $"{project}quarantine/replay/"));

        await visitor.OpenAsync($"/organization/{team.Organization}/members", "Members");
        await visitor.Text("2 members").WaitForAsync();
        await NoneAsync(visitor, "Make an invite", $"Remove {team.Chief.Email}");
        Assert.Equal(0, await visitor.Page.GetByRole(AriaRole.Combobox, new() { Name = "Level of" }).CountAsync());
        Assert.Equal(0, await visitor.Link("Audit log").CountAsync());
        Assert.Equal(403, await visitor.ForceAsync(
            "POST", $"{organization}invites/", new { target_email = "friend@example.com", level = 1 }));
        Assert.Equal(403, await visitor.ForceAsync("GET", $"{organization}audit_log/"));

        await visitor.OpenAsync($"/organization/{team.Organization}/projects", "Projects");
        await visitor.Text("1 project").WaitForAsync();
        await NoneAsync(visitor, "New project");
        Assert.Equal(403, await visitor.ForceAsync("POST", $"{organization}projects/", new { name = "Mine" }));
        await visitor.Button("Project: Default Project. Switch").ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Option, new() { Name = "Default Project" }).WaitForAsync();
        await NoneAsync(visitor, "New project");

        await visitor.GoAsync($"/organization/{team.Organization}/audit-log");
        await visitor.Text("The audit log is read by the organization's admins and owners.").WaitForAsync();
        await visitor.OpenAsync($"/organization/{team.Organization}/general", "Organization");
        await visitor.Text("Plan").WaitForAsync();
        await NoneAsync(visitor, "Save", "Delete organization");
        Assert.Equal(403, await visitor.ForceAsync("PATCH", organization, new { name = "Mine" }));
        Assert.Equal(403, await visitor.ForceAsync("DELETE", organization));

        Assert.Equal(before.GetRawText(), (await team.ReadProjectAsync()).GetRawText());
    }

    [Fact]
    public async Task Nobody_sees_a_project_of_others_at_its_address()
    {
        var (team, other) = (await host.NewTeamAsync(), await host.NewTeamAsync(project: "Secret plans"));
        await other.SendAsync(new { @event = "secret", distinct_id = "me" });
        await using var visitor = await host.VisitAsync(team.Chief);
        foreach (string page in (string[])["live", "quarantine", "explore", "health", "start", "settings"])
        {
            await visitor.GoAsync($"/project/{other.Project}/{page}");
            await visitor.Text("There is no such project").WaitForAsync();
        }

        await visitor.GoAsync($"/organization/{other.Organization}/members");
        await visitor.Text("There is no such organization").WaitForAsync();
        Assert.Equal(404, await visitor.ForceAsync("GET", $"/api/projects/{other.Project}/"));
        Assert.DoesNotContain("Secret plans", await visitor.Page.ContentAsync(), StringComparison.Ordinal);
    }

    private static async Task NoneAsync(Visitor visitor, params string[] buttons)
    {
        foreach (string button in buttons) Assert.Equal(0, await visitor.Button(button).CountAsync());
    }
}
