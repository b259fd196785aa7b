using Microsoft.Playwright;

namespace Gateway.Tests.Running;

/// <summary>Debian's browser, which Playwright drives.</summary>
internal static class Chromium
{
    /// <summary>For each step: a browser is many processes, and shares its processors with other tests.</summary>
    public const float PatienceMilliseconds = 120_000;

    public static Task<IBrowser> LaunchAsync(IPlaywright playwright) =>
        playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions
        {
            ExecutablePath = "/usr/bin/chromium",
            Timeout = PatienceMilliseconds,
            Args =
            [
                "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run",
                "--disable-background-networking", "--disable-component-update", "--disable-sync",
            ],
        });
}
