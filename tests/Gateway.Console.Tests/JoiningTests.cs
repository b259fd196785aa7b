using Gateway.Console.Tests.Running;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>How somebody comes in: with a password, or with an invite's link.</summary>
[Collection(ConsoleTests.Name)]
public sealed class JoiningTests(ConsoleGateway host)
{
    [Fact]
    public async Task A_link_to_a_page_asks_for_the_password_and_then_shows_that_page()
    {
        var team = await host.NewTeamAsync();
        await using var visitor = await host.VisitAsync();

        await visitor.OpenAsync($"/project/{team.Project}/settings", "Sign in");
        await visitor.Field("E-mail").FillAsync(team.Chief.Email);
        await visitor.Field("Password").FillAsync("not the password");
        await visitor.Button("Sign in").ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Alert).WaitForAsync();

        await visitor.Field("Password").FillAsync(ApiUser.Password);
        await visitor.Button("Sign in").ClickAsync();
        await visitor.Heading("Project settings").WaitForAsync();

        await visitor.Button($"Your menu, {team.Chief.Email}").ClickAsync();
        await visitor.Page.GetByRole(AriaRole.Menuitem, new() { Name = "Sign out" }).ClickAsync();
        await visitor.Heading("Sign in").WaitForAsync();
        await visitor.OpenAsync($"/project/{team.Project}/settings", "Sign in");
    }

    [Fact]
    public async Task An_invite_is_made_passed_on_and_accepted()
    {
        var team = await host.NewTeamAsync("Shop & Sons");
        await using var chief = await host.VisitAsync(team.Chief);
        await chief.OpenAsync($"/organization/{team.Organization}/members", "Members");
        string invited = $"ann{team.Number}@example.com";
        await chief.Field("E-mail").FillAsync(invited);
        await chief.ChooseAsync(chief.Page.GetByRole(AriaRole.Combobox, new() { Name = "Level", Exact = true }), "Admin");
        await chief.Button("Make an invite").ClickAsync();
        string link = (await chief.Page.GetByLabel("Invite link", new() { Exact = true }).InnerTextAsync()).Trim();
        Assert.StartsWith(host.Address.GetLeftPart(UriPartial.Authority) + "/invite/", link, StringComparison.Ordinal);
        await chief.Region("Waiting invites").GetByText(invited).WaitForAsync();

        await using (var ann = await host.VisitAsync())
        {
            await ann.OpenAsync(link, "Join Shop & Sons");
            await ann.Field("First name").FillAsync("Ann");
            await ann.Field("Choose a password").FillAsync("short");
            await ann.Button("Join").ClickAsync();
            await ann.Page.GetByText("8 to").WaitForAsync();
            await ann.Field("Choose a password").FillAsync("correct horse battery");
            await ann.Button("Join").ClickAsync();
            await ann.Heading("Live events").WaitForAsync();

            // The link is used up, for everybody.
            await ann.OpenAsync(link, "This invite is over");
        }

        await chief.Page.ReloadAsync();
        await chief.Region("Members").GetByText(invited).WaitForAsync();
        await Assertions.Expect(chief.Region("Waiting invites")).ToHaveCountAsync(0);
    }

    [Fact]
    public async Task Who_has_an_account_joins_with_it_and_an_invite_can_be_withdrawn()
    {
        var (first, second) = (await host.NewTeamAsync("First"), await host.NewTeamAsync("Second"));
        var guest = await first.InviteAsync("guest");
        var invite = await second.Chief.DoAsync(
            HttpMethod.Post,
            $"/api/organizations/{second.Organization}/invites/",
            new { target_email = guest.Email, level = 1 });
        string link = invite.GetProperty("link").GetString()!.Replace("/api/invites/", "/invite/").TrimEnd('/');

        await using var visitor = await host.VisitAsync();
        await visitor.OpenAsync(link, "Join Second");
        await visitor.Button("I have an account").ClickAsync();
        await visitor.Field("Password").FillAsync(ApiUser.Password);
        await visitor.Button("Sign in").ClickAsync();
        await visitor.Button($"Join as {guest.Email}").ClickAsync();
        await visitor.Heading("Live events").WaitForAsync();

        await using var chief = await host.VisitAsync(second.Chief);
        await second.Chief.DoAsync(
            HttpMethod.Post,
            $"/api/organizations/{second.Organization}/invites/",
            new { target_email = "nobody@example.com", level = 1 });
        await chief.OpenAsync($"/organization/{second.Organization}/members", "Members");
        await chief.Button("Withdraw the invite of nobody@example.com").ClickAsync();
        await chief.Text("The invite was withdrawn.").WaitForAsync();
        await Assertions.Expect(chief.Region("Waiting invites")).ToHaveCountAsync(0);
    }
}
