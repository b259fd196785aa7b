using System.Data.Common;
using System.Net;
using System.Net.Http.Headers;
using System.Security.Claims;
using System.Text;
using Gateway.Core.Tenancy;
using Gateway.Core.Tests.Tenancy;
using Gateway.Hosting;
using Gateway.Tenancy;
using Microsoft.AspNetCore.Authentication;
using Microsoft.AspNetCore.Authentication.Cookies;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Gateway.Tests.Tenancy;

/// <summary>
/// The whole route table of a real gateway in this process, on SQLite. Its ClickHouse is never there: whoever may ask
/// it something is answered 503.
/// </summary>
public class HostedGateway : IAsyncLifetime, IDisposable
{
    private const string SignIn = CookieAuthenticationDefaults.AuthenticationScheme;

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-routes-{Guid.NewGuid():N}");
    private GatewayServer _server = null!;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    /// <summary>Every route of the gateway.</summary>
    public IEnumerable<RouteEndpoint> Endpoints =>
        ((IEndpointRouteBuilder)_app).DataSources.SelectMany(source => source.Endpoints).OfType<RouteEndpoint>();

    /// <summary>Settings beside the standard ones, such as those that say which database it is; none: SQLite.</summary>
    protected virtual IEnumerable<KeyValuePair<string, string?>> Settings() => [];

    protected virtual DbConnection Connect() =>
        new SqliteConnection($"Data Source={Path.Combine(_folder, "control.db")};Foreign Keys=True;Pooling=False");

    public async Task InitializeAsync()
    {
        var settings = new ConfigurationBuilder().AddInMemoryCollection(
        [
            new("Gateway:Data", _folder),
            new("Gateway:Bootstrap:Password", "a password for tests"),
            new("ConnectionStrings:ClickHouse", "http://127.0.0.1:1"),
            .. Settings(),
        ]).Build();
        var options = GatewayOptions.Read(settings, out var errors);
        Assert.Empty(errors);

        var builder = WebApplication.CreateSlimBuilder();
        WebHostSetup.Configure(builder, options);
        builder.Logging.ClearProviders();
        _server = await GatewayServer.OpenAsync(options, NullLoggerFactory.Instance);
        _server.Register(builder.Services);
        _app = builder.Build();
        _app.Urls.Clear();
        _app.Urls.Add("http://127.0.0.1:0");
        _server.Map(_app);

        // No store will ever say which projects it knows: it knows none.
        var plane = _app.Services.GetRequiredService<ControlPlane>();
        await plane.EventsStore.KeepProjectIdsAboveAsync(0, default);
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    public void Dispose()
    {
        _client.Dispose();
        GC.SuppressFinalize(this);
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _server.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    /// <summary>One request with a JSON body, or none; the key is null for nobody.</summary>
    public async Task<Answer> SendAsync(string method, string path, string? key, string? body = null)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await _client.SendAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>The same with a session's cookie, and the anti-forgery token that its console has.</summary>
    public async Task<Answer> SendAsSessionAsync(string method, string path, string session, string? body)
    {
        var identity = new ClaimsIdentity([new Claim(ClaimTypes.NameIdentifier, session)], SignIn);
        var options = _app.Services.GetRequiredService<IOptionsMonitor<CookieAuthenticationOptions>>().Get(SignIn);
        string cookie = options.TicketDataFormat.Protect(
            new AuthenticationTicket(new ClaimsPrincipal(identity), SignIn));
        using var browser = new Browser(_client.BaseAddress!);
        browser.Cookies.Add(new Uri(_client.BaseAddress!, "/api/"), new Cookie(SessionCookie.Name, cookie));
        await browser.SendAsync("GET", "/api/users/@me/");
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        request.Headers.Add(SessionCookie.CsrfHeader, browser.CsrfToken);
        if (body is not null) request.Content = new StringContent(body, Encoding.UTF8, "application/json");
        using var response = await browser.RawAsync(request);
        return new Answer(response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Straight into the database: people, whom no route makes without an invite and a password.</summary>
    public async Task SqlAsync(string sql)
    {
        await using var connection = Connect();
        await connection.OpenAsync();
        await using var command = connection.CreateCommand();
        command.CommandText = sql;
        await command.ExecuteNonQueryAsync();
    }
}

/// <summary>The same on PostgreSQL.</summary>
public sealed class HostedGatewayOnPostgres : HostedGateway
{
    private readonly string _database = PostgresServer.Shared.NewDatabase();

    protected override IEnumerable<KeyValuePair<string, string?>> Settings() =>
        [new("ConnectionStrings:Postgres", _database)];

    protected override DbConnection Connect() => new NpgsqlConnection(_database);
}

/// <summary>The same on SQLite, where everybody may make themselves an account.</summary>
public sealed class HostedGatewayOpenToAll : HostedGateway
{
    protected override IEnumerable<KeyValuePair<string, string?>> Settings() => [new("Gateway:AllowSignUp", "true")];
}

/// <summary>What came back.</summary>
public readonly record struct Answer(HttpStatusCode Status, string Body)
{
    public bool IsSuccess => (int)Status is >= 200 and < 300;
}
