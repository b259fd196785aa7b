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
        foreach (var colors in (ColorScheme[])[ColorScheme.Light, ColorScheme.Dark])
        {
            foreach (int width in (int[])[1280, 360])
            {
                await using var visitor = await host.VisitAsync(team.Chief, width, colors);
                var places = Folder is null ? Places.Of(team).Take(1) : Places.Of(team);
                foreach (var place in places)
                {
                    await visitor.OpenAsync(place.Path, place.Heading);
                    await AccessibilityTests.SettledAsync(visitor);
                    byte[] picture = await visitor.Page.ScreenshotAsync(new() { Path = PathOf(place, colors, width) });
                    Assert.True(picture.Length > 10_000);
                }
            }
        }
    }

    private static string? PathOf(Place place, ColorScheme colors, int width) =>
        Folder is null ? null : Path.Combine(Folder, $"{place.Name}-{colors.ToString().ToLowerInvariant()}-{width}.png");
}
