using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;

namespace Gateway.Tests.Tenancy;

/// <summary>What a browser does with cookies, and a console of ours with the anti-forgery token.</summary>
internal sealed class Browser : IDisposable
{
    private readonly HttpClient _http;
    private readonly Uri _address;

    public Browser(Uri address)
    {
        _address = address;
        _http = new HttpClient(new SocketsHttpHandler { CookieContainer = Cookies, UseProxy = false })
        {
            BaseAddress = address,
        };
    }

    public CookieContainer Cookies { get; } = new();

    public string? CsrfToken => Cookies.GetCookies(_address)["gateway_csrftoken"]?.Value;

    /// <summary>The session's cookie as a thief would copy it.</summary>
    public string? Session => Cookies.GetCookies(new Uri(_address, "/api/"))["gateway_session"]?.Value;

    public void Dispose() => _http.Dispose();

    public Task<(HttpStatusCode Status, JsonElement Body)> SignInAsync(string email, string password) =>
        SendAsync("POST", "/api/login/", new { email, password });

    /// <summary>A request of the console: with the token, when there is one.</summary>
    public async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(
        string method, string path, object? body = null, bool withToken = true, string? contentType = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (body is not null) request.Content = JsonContent.Create(body);
        if (contentType is not null)
            request.Content = new StringContent(JsonSerializer.Serialize(body), Encoding.UTF8, contentType);
        if (withToken && CsrfToken is { } token) request.Headers.Add("X-CSRFToken", token);
        return await AnswerAsync(await _http.SendAsync(request));
    }

    public async Task<HttpResponseMessage> RawAsync(HttpRequestMessage request) => await _http.SendAsync(request);

    public static async Task<(HttpStatusCode Status, JsonElement Body)> AnswerAsync(HttpResponseMessage response)
    {
        using (response)
        {
            string text = await response.Content.ReadAsStringAsync();
            return (response.StatusCode, text.Length == 0 ? default : JsonDocument.Parse(text).RootElement.Clone());
        }
    }
}
