using System.Globalization;
using System.Text;
using System.Text.Json;
using Gateway.Core.ClickHouse;
using Gateway.Core.Query;
using Gateway.Core.Shipping;
using Gateway.Query;
using Gateway.Tests.Engine;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Gateway.Tests.Query;

/// <summary>
/// The query endpoints over the real engine. Each test takes projects of its own, and every project is given a
/// neighbour whose rows look the same but hold <see cref="Canary"/>.
/// </summary>
public sealed class QueryFixture : IAsyncLifetime, IDisposable
{
    public const string Canary = "canary-of-somebody-else";

    /// <summary>A Wednesday.</summary>
    public static readonly DateTimeOffset Now = new(2026, 4, 1, 12, 0, 0, TimeSpan.Zero);

    private readonly Dictionary<ulong, string> _zones = [];
    private readonly EngineFixture _engine = new();
    private ClickHouseClient _client = null!;
    private WebApplication _app = null!;
    private HttpClient _http = null!;

    public Uri Address => _http.BaseAddress!;

    public async Task InitializeAsync()
    {
        await _engine.InitializeAsync();
        _client = new ClickHouseClient(_engine.Target);
        await new EventsTable(_client).EnsureAsync(CancellationToken.None);
        _app = await StartAsync(_client, Authorize);
        _http = new HttpClient { BaseAddress = new Uri(_app.Urls.First()) };
    }

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _engine.DisposeAsync();
    }

    public void Dispose()
    {
        _http.Dispose();
        _client.Dispose();
    }

    internal static async Task<WebApplication> StartAsync(ClickHouseClient client, AuthorizeQuery authorize)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseUrls("http://127.0.0.1:0");
        builder.WebHost.ConfigureKestrel(kestrel => kestrel.Limits.MaxRequestLineSize = 64 * 1024);
        var app = builder.Build();
        app.MapQuery(authorize, client, new FixedTime(Now));
        await app.StartAsync();
        return app;
    }

    /// <summary>Stores the events for a new project, and the same with a canary for its neighbour.</summary>
    public async Task<ulong> ProjectAsync(string timeZone, params TestEvent[] events)
    {
        ulong project = (ulong)Random.Shared.NextInt64(1, 1L << 50) * 2;
        lock (_zones) _zones[project] = timeZone;

        var canaries = events.Select(row => row with { DistinctId = Canary, Properties = WithCanary(row.Properties) });
        string rows = string.Concat(
            events.Select(row => row.ToJson(project)).Concat(canaries.Select(row => row.ToJson(project + 1))));
        await InsertAsync(rows);
        return project;
    }

    public Task InsertAsync(string rows) => rows.Length == 0 ? Task.CompletedTask : _client.InsertAsync(
        "INSERT INTO events FORMAT JSONEachRow",
        new System.Buffers.ReadOnlySequence<byte>(Encoding.UTF8.GetBytes(rows)),
        [KeyValuePair.Create("async_insert", "0"), KeyValuePair.Create("date_time_input_format", "best_effort")]);

    public async Task<JsonElement> QueryAsync(ulong project, object query)
    {
        var (status, body) = await PostAsync(project, JsonSerializer.Serialize(new { query }));
        Assert.True(status == 200, body);
        Assert.DoesNotContain(Canary, body, StringComparison.Ordinal);
        return JsonSerializer.Deserialize<JsonElement>(body);
    }

    public async Task<JsonElement> RefusedAsync(ulong project, object query)
    {
        var (status, body) = await PostAsync(project, JsonSerializer.Serialize(new { query }));
        Assert.True(status == 400, $"{status} {body}");
        return JsonSerializer.Deserialize<JsonElement>(body);
    }

    public async Task<(int Status, string Body)> PostAsync(ulong project, string body, string? route = null)
    {
        using HttpRequestMessage request = new(HttpMethod.Post, $"/api/projects/{route ?? project.ToString()}/query/")
        {
            Content = new StringContent(body, Encoding.UTF8, "application/json"),
        };
        return await SendAsync(request, project);
    }

    public async Task<(int Status, string Body)> GetAsync(ulong project, string url)
    {
        using HttpRequestMessage request = new(HttpMethod.Get, url);
        return await SendAsync(request, project);
    }

    private async Task<(int Status, string Body)> SendAsync(HttpRequestMessage request, ulong key)
    {
        request.Headers.Authorization = new("Bearer", "phx_" + key.ToString(CultureInfo.InvariantCulture));
        using var response = await _http.SendAsync(request);
        return ((int)response.StatusCode, await response.Content.ReadAsStringAsync());
    }

    /// <summary>Stands in for the control plane: the key phx_7 reads project 7.</summary>
    private ValueTask<QueryAccess> Authorize(HttpContext context, string idOrCurrent, string scope)
    {
        Assert.Equal("query:read", scope);
        string key = context.Request.Headers.Authorization.ToString();
        if (!key.StartsWith("Bearer phx_", StringComparison.Ordinal))
            return new(new QueryAccess(null, ApiError.Unauthenticated("No key.")));

        string id = key["Bearer phx_".Length..];
        if (idOrCurrent != id && idOrCurrent != "@current") return new(new QueryAccess(null, ApiError.NotFound()));

        ulong project = ulong.Parse(id, CultureInfo.InvariantCulture);
        lock (_zones) return new(new QueryAccess(new AuthorizedProject(project, _zones[project]), null));
    }

    private static string WithCanary(string properties) =>
        properties.Insert(properties.Length - 1, $"{(properties == "{}" ? "" : ",")}\"canary\":\"{Canary}\"");
}

/// <summary>One engine for all tests of queries: projects keep them apart, as they keep users apart.</summary>
[CollectionDefinition(Name)]
public sealed class QueryCollection : ICollectionFixture<QueryFixture>
{
    public const string Name = "query";
}

/// <summary>A clock that stands still.</summary>
internal sealed class FixedTime(DateTimeOffset now) : TimeProvider
{
    public override DateTimeOffset GetUtcNow() => now;
}
