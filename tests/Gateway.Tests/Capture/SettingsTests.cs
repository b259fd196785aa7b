using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>A project's settings hold at capture from the return of the call that changed them.</summary>
public sealed class SettingsTests
{
    private const string Address = "203.0.113.77";

    [Fact]
    public async Task Of_a_project_that_anonymizes_no_address_is_kept_anywhere()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        await PostAsync(gateway, "before", origin: null);
        await ChangeAsync(gateway, new { anonymize_ips = true });
        for (int i = 0; i < 20; i++) await PostAsync(gateway, "during", origin: null);
        await ChangeAsync(gateway, new { anonymize_ips = false });
        await PostAsync(gateway, "after", origin: null);

        var stored = await gateway.WaitForEventsAsync(22);
        Assert.All(stored, row => Assert.Equal(
            row.Event == "during" ? null : Address, row.Properties.GetProperty("$ip").GetString()));

        // Nor in the journal, where the two others' still are.
        int found = Directory.EnumerateFiles(Path.Combine(gateway.Data, "journal"))
            .Where(file => !file.EndsWith(".lock", StringComparison.Ordinal))
            .Sum(file => Count(File.OpenRead(file), Address));
        Assert.InRange(found, 2, 4);
    }

    [Fact]
    public async Task A_page_of_a_foreign_origin_is_refused_from_the_return_on()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        for (int i = 0; i < 10; i++)
        {
            await ChangeAsync(gateway, new { allowed_origins = new[] { "https://app.example.com" } });
            Assert.Equal(HttpStatusCode.Forbidden, await PostAsync(gateway, "foreign", "https://evil.test"));
            Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "ours", "https://app.example.com"));
            Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "server", origin: null));

            await ChangeAsync(gateway, new { allowed_origins = Array.Empty<string>() });
            Assert.Equal(HttpStatusCode.OK, await PostAsync(gateway, "any", "https://evil.test"));
        }

        var stored = await gateway.WaitForEventsAsync(30);
        Assert.DoesNotContain(stored, row => row.Event == "foreign");
    }

    [Fact]
    public async Task An_image_of_a_foreign_page_is_refused_though_it_names_no_origin()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        await ChangeAsync(gateway, new { allowed_origins = new[] { "https://app.example.com" } });

        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(gateway, "Referer", "https://evil.test/page"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(gateway, "Referer", "about:client"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(gateway, "Sec-Fetch-Site", "cross-site"));
        Assert.Equal(HttpStatusCode.Forbidden, await GetAsync(gateway, "Origin", "null"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(gateway, "Referer", "https://app.example.com/page?x=1"));
        Assert.Equal(HttpStatusCode.OK, await GetAsync(gateway, "User-Agent", "posthog-node/1"));
    }

    private static async Task<HttpStatusCode> GetAsync(GatewayProcess gateway, string header, string value)
    {
        string data = Uri.EscapeDataString(Convert.ToBase64String(Encoding.UTF8.GetBytes(
            $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}""")));
        using var request = new HttpRequestMessage(HttpMethod.Get, $"/e/?data={data}");
        request.Headers.TryAddWithoutValidation(header, value);
        using var answer = await gateway.Http.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task<HttpStatusCode> PostAsync(GatewayProcess gateway, string name, string? origin)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/e/")
        {
            Content = JsonContent.Create(new Dictionary<string, object>
            {
                ["api_key"] = GatewayProcess.ProjectToken,
                ["event"] = name,
                ["distinct_id"] = "d",
                ["properties"] = new Dictionary<string, string> { ["$ip"] = Address },
            }),
        };
        if (origin is not null) request.Headers.Add("Origin", origin);
        using var answer = await gateway.Http.SendAsync(request);
        return answer.StatusCode;
    }

    private static async Task ChangeAsync(GatewayProcess gateway, object settings)
    {
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/api/projects/@current/")
        {
            Content = JsonContent.Create(settings),
        };
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", GatewayProcess.ApiKey);
        using var answer = await gateway.Http.SendAsync(request);
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private static int Count(FileStream file, string text)
    {
        using var _ = file;
        using var bytes = new MemoryStream();
        file.CopyTo(bytes);
        var rest = bytes.ToArray().AsSpan();
        byte[] wanted = Encoding.ASCII.GetBytes(text);
        int count = 0;
        for (int at; (at = rest.IndexOf(wanted)) >= 0; rest = rest[(at + 1)..]) count++;
        return count;
    }
}
