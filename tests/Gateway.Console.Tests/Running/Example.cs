using System.Globalization;

namespace Gateway.Console.Tests.Running;

/// <summary>A shop that sends events since a week, some of them wrong.</summary>
internal static class Example
{
    private static readonly string[] Browsers = ["Chrome", "Chrome", "Chrome", "Firefox", "Firefox", "Safari"];
    private static readonly string[] Events = ["$pageview", "$pageview", "$pageview", "add to cart", "purchase"];

    public static async Task<Team> TeamAsync(ConsoleGateway host, string name = "Shop")
    {
        var team = await host.NewTeamAsync(name);
        var random = new Random(1);
        var now = DateTimeOffset.UtcNow;
        var events = Enumerable.Range(0, 600).Select(i => new
        {
            @event = Events[i % Events.Length],
            distinct_id = string.Create(CultureInfo.InvariantCulture, $"visitor-{random.Next(90)}"),
            timestamp = now.AddMinutes(-i * 16 - random.Next(15)),
            properties = new Dictionary<string, object>
            {
                ["$browser"] = Browsers[random.Next(Browsers.Length)],
                ["$current_url"] = "https://shop.example.com/books/" + random.Next(40).ToString(CultureInfo.InvariantCulture),
                ["price"] = Math.Round(random.NextDouble() * 40, 2),
                ["order"] = new { lines = 1 + random.Next(4), gift = i % 9 == 0 },
            },
        });
        await team.SendAsync([.. events.Reverse()]);
        await team.SendAsync(
            new { @event = "purchase", distinct_id = "visitor-7", properties = new { price = 12.5 } },
            new { @event = "", distinct_id = "visitor-8" });
        await team.InviteAsync("ann", level: 8);
        await team.InviteAsync("bob");
        return team;
    }
}
