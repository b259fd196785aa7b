using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Gateway.Tests.Running;

/// <summary>Somebody with a personal API key, who asks the management API of a running gateway.</summary>
internal sealed class ApiUser(Uri gateway, string key, string email) : IDisposable
{
    /// <summary>Of everybody who was invited.</summary>
    public const string Password = "a long password of theirs";

    private readonly HttpClient _http = new(new SocketsHttpHandler { UseCookies = false, UseProxy = false })
    {
        BaseAddress = gateway,
        DefaultRequestHeaders = { Authorization = new AuthenticationHeaderValue("Bearer", key) },
    };

    public string Key => key;

    public string Email => email;

    /// <summary>Who the first start made.</summary>
    public static ApiUser Owner(GatewayProcess gateway) => new(gateway.Address, GatewayProcess.ApiKey, "owner@localhost");

    /// <summary>The same person at another gateway of the installation.</summary>
    public ApiUser At(GatewayProcess other) => new(other.Address, key, email);

    /// <summary>Invites somebody new, who accepts, signs up and makes a key.</summary>
    public async Task<ApiUser> InviteAsync(string organization, string invited, int level = 1)
    {
        var invite = await DoAsync(
            HttpMethod.Post, $"/api/organizations/{organization}/invites/", new { target_email = invited, level });

        var cookies = new CookieContainer();
        using var browser = new HttpClient(new SocketsHttpHandler { CookieContainer = cookies }) { BaseAddress = gateway };
        using var accepted = await browser.PostAsJsonAsync(
            invite.GetProperty("link").GetString(),
            new { first_name = invited, password = Password });
        Assert.True(accepted.IsSuccessStatusCode, await accepted.Content.ReadAsStringAsync());

        var csrf = cookies.GetCookies(gateway)["gateway_csrftoken"];
        browser.DefaultRequestHeaders.Add("X-CSRFToken", csrf!.Value);
        using var made = await browser.PostAsJsonAsync(
            "/api/personal_api_keys/", new { label = "test", scopes = (string[])["*"] });
        string text = await made.Content.ReadAsStringAsync();
        Assert.True(made.IsSuccessStatusCode, text);
        return new ApiUser(gateway, JsonDocument.Parse(text).RootElement.GetProperty("value").GetString()!, invited);
    }

    /// <summary>
    /// Asks for something that is to be done; what it answers. Until the store was met once the answer is 503.
    /// </summary>
    public async Task<JsonElement> DoAsync(HttpMethod method, string path, object? body = null)
    {
        var (status, answer) = await AskAsync(method, path, body);
        for (int again = 0; status == HttpStatusCode.ServiceUnavailable && again < 1200; again++)
        {
            await Task.Delay(100);
            (status, answer) = await AskAsync(method, path, body);
        }

        Assert.True((int)status is >= 200 and < 300, $"{method} {path}: {(int)status} {answer}");
        return answer;
    }

    public Task<JsonElement> GetAsync(string path) => DoAsync(HttpMethod.Get, path);

    public async Task<HttpStatusCode> StatusAsync(HttpMethod method, string path, object? body = null) =>
        (await AskAsync(method, path, body)).Status;

    /// <summary>Asks; the answer's body is undefined when there is none.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> AskAsync(
        HttpMethod method, string path, object? body = null)
    {
        using var request = new HttpRequestMessage(method, path);
        if (body is not null) request.Content = JsonContent.Create(body);
        using var response = await _http.SendAsync(request);
        string text = await response.Content.ReadAsStringAsync();
        return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement);
    }

    public void Dispose() => _http.Dispose();
}
