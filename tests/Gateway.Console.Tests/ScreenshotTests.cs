using Gateway.Console.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Console.Tests;

/// <summary>A picture of each page, light and dark, wide and narrow, in the folder that SCREENSHOTS names.</summary>
[Collection(ConsoleTests.Name)]
public sealed class ScreenshotTests(ConsoleGateway host)
{
    private static readonly string? Folder = Environment.GetEnvironmentVariable("SCREENSHOTS");

    [Fact]
    public async Task Each_page_has_its_picture()
    {
        var team = await Example.TeamAsync(host, "Bookshop");
        var invite = await team.Chief.DoAsync(
            HttpMethod.Post,
            $"/api/organizations/{team.Organization}/invites/",
            new { target_email = "carol@example.com", level = 1 });
        string link = invite.GetProperty("link").GetString()!.Replace("/api/invites/", "/invite/", StringComparison.Ordinal);
        Place[] open =
        [
            new("sign-in", "/sign-in", "Sign in"), new("sign-up", "/sign-up", "Sign up"),
            new("invite", link.TrimEnd('/'), "Join Bookshop"),
        ];
        foreach (var colors in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            foreach (int width in (int[])[1280, 360])
            {
                await using (var stranger = await host.VisitAsync(width: width, colors: colors))
                {
                    foreach (var place in open) await TakeAsync(stranger, place, PathOf(place, colors, width));
                }

                await using var visitor = await host.VisitAsync(team.Chief, width, colors);
                var places = Folder is null ? Places.Of(team).Take(1) : Places.Of(team);
                foreach (var place in places) await TakeAsync(visitor, place, PathOf(place, colors, width));
            }
        }
    }

    /// <summary>The whole page; of the live events, which go on for ever, what is in view.</summary>
    private static async Task TakeAsync(Visitor visitor, Place place, string? path)
    {
        await visitor.OpenAsync(place.Path, place.Heading);
        await AccessibilityTests.SettledAsync(visitor);
        byte[] picture = await visitor.Page.ScreenshotAsync(new() { Path = path, FullPage = place.Name != "live" });
        Assert.True(picture.Length > 5_000);
    }

    private static string? PathOf(Place place, ColorScheme colors, int width) =>
        Folder is null ? null : Path.Combine(Folder, $"{place.Name}-{colors.ToString().ToLowerInvariant()}-{width}.png");
}
