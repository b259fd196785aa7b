using System.Text.Json;
using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests.Running;

/// <summary>
/// A gateway that was started from scratch, and a browser. Each test has an organization of its own in it, with people
/// of its own, and sees nothing of the others.
/// </summary>
public sealed class ConsoleGateway : IAsyncLifetime
{
    private const string FirstPassword = "a password for tests";

    private IPlaywright _playwright = null!;
    private IBrowser _browser = null!;
    private ApiUser _owner = null!;
    private int _teams;

    internal GatewayProcess Gateway { get; private set; } = null!;

    internal Uri Address => Gateway.Address;

    public async Task InitializeAsync()
    {
        var starting = GatewayProcess.StartAsync(settings: ("Gateway:Bootstrap:Password", FirstPassword));
        _playwright = await Playwright.CreateAsync();
        _browser = await Chromium.LaunchAsync(_playwright);
        Gateway = await starting;
        _owner = ApiUser.Owner(Gateway);
    }

    public async Task DisposeAsync()
    {
        _owner?.Dispose();
        if (_browser is not null) await _browser.DisposeAsync();
        _playwright?.Dispose();
        if (Gateway is not null) await Gateway.DisposeAsync();
    }

    /// <summary>An organization with one project and one owner.</summary>
    internal async Task<Team> NewTeamAsync(string name = "Shop", string project = "Default Project")
    {
        int number = Interlocked.Increment(ref _teams);
        var organization = await _owner.DoAsync(HttpMethod.Post, "/api/organizations/", new { name });
        string id = organization.GetProperty("id").GetString()!;
        var chief = await _owner.InviteAsync(id, $"chief{number}@example.com", level: 15);
        await _owner.DoAsync(HttpMethod.Delete, $"/api/organizations/{id}/members/{await OwnIdAsync()}/");

        var projects = await chief.GetAsync($"/api/organizations/{id}/projects/");
        var first = projects.GetProperty("results")[0];
        long projectId = first.GetProperty("id").GetInt64();
        if (project != first.GetProperty("name").GetString())
            await chief.DoAsync(HttpMethod.Patch, $"/api/projects/{projectId}/", new { name = project });

        return new Team(this, number, id, projectId, first.GetProperty("api_token").GetString()!, chief);
    }

    /// <summary>Somebody at a browser of their own, signed in or not.</summary>
    internal async Task<Visitor> VisitAsync(ApiUser? user = null, int width = 1280, ColorScheme colors = ColorScheme.Light)
    {
        var context = await _browser.NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = Address.ToString(),
            ViewportSize = new ViewportSize { Width = width, Height = 800 },
            ColorScheme = colors,
            ReducedMotion = ReducedMotion.Reduce,
            Locale = "en-US",
            TimezoneId = "UTC",
        });
        if (user is not null)
        {
            var answer = await context.APIRequest.PostAsync("/api/login/", new APIRequestContextOptions
            {
                DataObject = new { email = user.Email, password = ApiUser.Password },
            });
            Assert.True(answer.Ok, await answer.TextAsync());
        }

        return await Visitor.ComeAsync(context);
    }

    private async Task<string> OwnIdAsync() =>
        (await _owner.GetAsync("/api/users/@me/")).GetProperty("id").GetString()!;
}

/// <summary>All tests of the console share one gateway and one browser, and take turns: there are few processors.</summary>
[CollectionDefinition(Name)]
public sealed class ConsoleTests : ICollectionFixture<ConsoleGateway>
{
    public const string Name = "The console";
}

/// <param name="Host">Where it is.</param>
/// <param name="Number">Makes its people's addresses its own.</param>
/// <param name="Organization">Its id.</param>
/// <param name="Project">The id of its first project.</param>
/// <param name="Token">That project's.</param>
/// <param name="Chief">Its owner.</param>
internal sealed record Team(
    ConsoleGateway Host, int Number, string Organization, long Project, string Token, ApiUser Chief)
{
    public Task<ApiUser> InviteAsync(string name, int level = 1) =>
        Chief.InviteAsync(Organization, $"{name}{Number}@example.com", level);

    public async Task<(long Id, string Token)> NewProjectAsync(string name)
    {
        var made = await Chief.DoAsync(HttpMethod.Post, $"/api/organizations/{Organization}/projects/", new { name });
        return (made.GetProperty("id").GetInt64(), made.GetProperty("api_token").GetString()!);
    }

    /// <summary>Sends events and waits until they can be queried.</summary>
    public async Task SendAsync(params object[] events)
    {
        using var sent = await Host.Gateway.PostAsync("/batch/", new { api_key = Token, batch = events });
        Assert.True(sent.IsSuccessStatusCode, await sent.Content.ReadAsStringAsync());
        await StoredAsync();
    }

    /// <summary>Waits until nothing that was accepted is on its way.</summary>
    public Task StoredAsync() => Eventually.HoldsAsync(
        async () =>
        {
            var totals = (await Chief.GetAsync($"/api/projects/{Project}/ledger/")).GetProperty("totals");
            return totals.GetProperty("accepted").GetInt64() > 0 && totals.GetProperty("waiting").GetInt64() == 0;
        },
        TimeSpan.FromSeconds(60),
        () => "all that was accepted is stored");

    public Task<JsonElement> ReadProjectAsync() => Chief.GetAsync($"/api/projects/{Project}/");
}
