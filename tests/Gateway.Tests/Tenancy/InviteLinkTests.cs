using System.Net;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Tenancy;

/// <summary>What an invite's link tells and to whom, and what a cookie stands for whose session has ended.</summary>
public sealed class InviteLinkTests : IAsyncLifetime
{
    private const string Owner = "owner@example.org";
    private const string Password = "a password for tests";

    private static readonly object Ann = new { first_name = "Ann", password = "the password of Ann" };

    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync() => _gateway = await GatewayProcess.StartAsync(
        waitUntilReady: false,
        settings: [("Gateway:Bootstrap:Email", Owner), ("Gateway:Bootstrap:Password", Password)]);

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task Only_who_is_signed_in_with_an_address_is_told_that_it_has_an_account()
    {
        using var owner = await SignedInAsync();
        using var ann = new Browser(_gateway.Address);
        string first = await InviteAsync(owner, "@current");
        Assert.Equal(HttpStatusCode.OK, (await ann.SendAsync("POST", first, Ann)).Status);
        string link = await InviteAsync(owner, await OtherOrganizationAsync(owner));

        using var nobody = new Browser(_gateway.Address);
        foreach (var browser in (Browser[])[nobody, owner])
        {
            var (_, seen) = await browser.SendAsync("GET", link);
            Assert.Equal("ann@example.org", seen.GetProperty("email").GetString());
            Assert.False(seen.TryGetProperty("has_account", out _));

            // Nor does a body that nobody could sign up with find it out.
            var (status, error) = await browser.SendAsync("POST", link, new { first_name = "Ann" });
            Assert.Equal((HttpStatusCode.BadRequest, "password"), (status, error.GetProperty("attr").GetString()));
        }

        var (_, own) = await ann.SendAsync("GET", link);
        Assert.True(own.GetProperty("has_account").GetBoolean());
        Assert.Equal(HttpStatusCode.OK, (await ann.SendAsync("POST", link)).Status);
    }

    [Fact]
    public async Task Asking_who_has_an_account_by_accepting_for_them_counts_as_a_guess()
    {
        using var owner = await SignedInAsync();
        using var ann = new Browser(_gateway.Address);
        await ann.SendAsync("POST", await InviteAsync(owner, "@current"), Ann);
        string link = await InviteAsync(owner, await OtherOrganizationAsync(owner));

        // At most one minute ends in between.
        using var nobody = new Browser(_gateway.Address);
        var codes = new List<string?>();
        for (int i = 0; i < 70; i++)
        {
            var (_, error) = await nobody.SendAsync("POST", link, Ann);
            codes.Add(error.GetProperty("code").GetString());
        }

        Assert.Equal("sign_in_required", codes[0]);
        Assert.InRange(codes.Count(code => code == "sign_in_required"), 1, 60);
    }

    [Fact]
    public async Task A_cookie_whose_session_has_ended_is_taken_away_and_is_in_nobodys_way()
    {
        using var owner = await SignedInAsync();
        string link = await InviteAsync(owner, "@current");
        using var stale = new Browser(_gateway.Address);
        stale.Cookies.Add(new Uri(_gateway.Address, "/api/"), new Cookie("gateway_session", owner.Session));

        // A session that lives is guarded by its token here too.
        Assert.Equal("csrf_failed", await CodeAsync(stale.SendAsync("POST", link, Ann)));
        Assert.Equal("csrf_failed", await CodeAsync(stale.SendAsync("POST", "/api/signup/", Ann)));
        Assert.Equal(HttpStatusCode.NoContent, (await owner.SendAsync("POST", "/api/logout/")).Status);

        Assert.Equal("sign_up_closed", await CodeAsync(stale.SendAsync("POST", "/api/signup/", Ann)));
        Assert.Equal("csrf_failed", await CodeAsync(stale.SendAsync("POST", "/api/organizations/", Ann)));
        using var other = new Browser(_gateway.Address);
        other.Cookies.Add(new Uri(_gateway.Address, "/api/"), new Cookie("gateway_session", stale.Session));
        var (joined, user) = await stale.SendAsync("POST", link, Ann);
        Assert.Equal((HttpStatusCode.OK, "Ann"), (joined, user.GetProperty("first_name").GetString()));

        Assert.Equal(HttpStatusCode.Unauthorized, (await other.SendAsync("GET", "/api/users/@me/")).Status);
        Assert.Null(other.Session);
    }

    private async Task<Browser> SignedInAsync()
    {
        var browser = new Browser(_gateway.Address);
        Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync(Owner, Password)).Status);
        return browser;
    }

    /// <summary>A project comes with it, and none is made before the events store was met: until then it is 503.</summary>
    private static async Task<string> OtherOrganizationAsync(Browser owner)
    {
        JsonElement made = default;
        await Eventually.HoldsAsync(
            async () =>
            {
                (var status, made) = await owner.SendAsync("POST", "/api/organizations/", new { name = "Other" });
                return status == HttpStatusCode.Created;
            },
            TimeSpan.FromSeconds(120), () => "an organization is made");
        return made.GetProperty("id").GetString()!;
    }

    private static async Task<string> InviteAsync(Browser owner, string organization)
    {
        var (_, invite) = await owner.SendAsync(
            "POST", $"/api/organizations/{organization}/invites/", new { target_email = "ann@example.org" });
        return invite.GetProperty("link").GetString()!;
    }

    private static async Task<string?> CodeAsync(Task<(HttpStatusCode Status, JsonElement Body)> answer) =>
        (await answer).Body.TryGetProperty("code", out var code) ? code.GetString() : null;
}
