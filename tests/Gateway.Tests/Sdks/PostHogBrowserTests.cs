using Gateway.Tests.Running;
using Microsoft.Playwright;

namespace Gateway.Tests.Sdks;

/// <summary>The unmodified posthog-js in a real browser, on a page of another origin, with the gateway as its host.</summary>
public sealed class PostHogBrowserTests
{
    [Theory]
    [InlineData("array.js", false)]
    [InlineData("array.full.js", true)]
    public async Task A_browser_session_is_stored_once_and_the_console_stays_clean(string script, bool plain)
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var site = new PageServer(Page(gateway.Address, script, plain));
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await Chromium.LaunchAsync(playwright);

        var page = await browser.NewPageAsync();
        page.SetDefaultTimeout(Chromium.PatienceMilliseconds);
        page.SetDefaultNavigationTimeout(Chromium.PatienceMilliseconds);
        var complaints = new List<string>();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") complaints.Add($"{message.Type}: {message.Text}");
        };
        page.PageError += (_, error) => complaints.Add(error);
        page.Response += (_, answer) =>
        {
            if (answer.Status >= 400 && !answer.Url.EndsWith("favicon.ico", StringComparison.Ordinal))
                complaints.Add($"{answer.Status} {answer.Url}");
        };

        await page.GotoAsync(site.Address);

        // Clicks are captured from the moment at which the remote configuration allows it.
        await page.WaitForFunctionAsync(
            "window.posthog && window.posthog.__loaded && window.posthog.autocapture?.isEnabled === true");
        await page.EvaluateAsync(
            "posthog.capture('custom event', { number: 7, text: 'Grüße 🎉', list: [1, 'two', null], nested: { a: true } })");
        await page.ClickAsync("#buy");
        await page.EvaluateAsync("posthog.identify('browser-user', { email: 'browser-user@example.com' })");

        // The SDK compresses in the background before it sends: what it has at that moment is lost to a page that is left.
        await gateway.WaitForEventsAsync(4);
        await page.ReloadAsync();
        await page.WaitForFunctionAsync("window.posthog && window.posthog.__loaded");
        await page.EvaluateAsync("posthog.capture('after the reload')");
        await gateway.WaitForEventsAsync(7);
        await page.GotoAsync("about:blank");

        // Two page views, two page leaves, the click, two events of our own, the identify.
        var stored = await gateway.WaitForEventsAsync(8);
        Assert.Equal(
            [
                "$autocapture", "$identify", "$pageleave", "$pageleave", "$pageview", "$pageview",
                "after the reload", "custom event",
            ],
            stored.Select(row => row.Event).Order(StringComparer.Ordinal));
        Assert.Equal("browser-user", stored.Single(row => row.Event == "$identify").DistinctId);

        var custom = Assert.Single(stored, row => row.Event == "custom event").Properties;
        Assert.Equal(7, custom.GetProperty("number").GetInt32());
        Assert.Equal("Grüße 🎉", custom.GetProperty("text").GetString());
        Assert.Equal("""[1,"two",null]""", custom.GetProperty("list").GetRawText());
        Assert.True(custom.GetProperty("nested").GetProperty("a").GetBoolean());
        Assert.Equal("127.0.0.1", custom.GetProperty("$ip").GetString());

        var click = Assert.Single(stored, row => row.Event == "$autocapture").Properties;
        Assert.Contains("buy", click.GetProperty("$elements_chain").GetString(), StringComparison.Ordinal);
        Assert.Empty(complaints);
    }

    private static string Page(Uri gateway, string script, bool plain)
    {
        string host = gateway.GetLeftPart(UriPartial.Authority);
        return $$"""
            <!doctype html><meta charset="utf-8"><title>Shop</title><link rel="icon" href="data:,">
            <button id="buy" class="primary">Buy now</button>
            <script>
              window.posthog = [];
              posthog._i = [["{{GatewayProcess.ProjectToken}}", {
                api_host: "{{host}}", opt_out_useragent_filter: true, disable_compression: {{(plain ? "true" : "false")}},
              }, "posthog"]];
              posthog.__SV = 1;
            </script>
            <script async src="{{host}}/static/{{script}}"></script>
            """;
    }
}
