using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Gateway.Core.Tenancy;
using Gateway.Core.Tokens;
using Gateway.Tenancy;
using Microsoft.AspNetCore.Builder;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Tenancy;

public sealed class ProjectEndpointsTests : IAsyncLifetime, IDisposable
{
    private const string Key = "phx_owner_key_0123456789abcdef";
    private const string StrangerKey = "phx_stranger_key_0123456789abcdef";
    private const string MemberKey = "phx_member_key_0123456789abcdef";
    private const string QueryKey = "phx_query_only_key_0123456789abcdef";

    private readonly string _folder = Path.Combine(Path.GetTempPath(), $"gateway-projects-{Guid.NewGuid():N}");
    private ControlPlane _plane = null!;
    private WebApplication _app = null!;
    private HttpClient _client = null!;

    public async Task InitializeAsync()
    {
        var options = new ControlPlaneOptions(
            _folder, new BootstrapOptions { ApiKey = Key, ProjectToken = "imported-token" });
        _plane = await ControlPlane.OpenAsync(options, TimeProvider.System, NullLoggerFactory.Instance, default);
        Sql(
            $"""
            INSERT INTO organizations (uuid, name, created_at)
            VALUES ('00000000-0000-0000-0000-00000000000a', 'Strangers', 0);
            INSERT INTO users (uuid, email, first_name, created_at)
            VALUES ('00000000-0000-0000-0000-0000000000b2', 'stranger@x', 'S', 0),
                   ('00000000-0000-0000-0000-0000000000b3', 'member@x', 'M', 0);
            INSERT INTO memberships (organization_id, user_id, level, joined_at) VALUES (2, 2, 15, 0), (1, 3, 1, 0);
            INSERT INTO projects (uuid, organization_id, name, created_at)
            VALUES ('00000000-0000-0000-0000-000000000002', 2, 'Theirs', 0);
            INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
            VALUES (2, '{TokenFormat.Sha256Of(StrangerKey)}', '', '', '*', 0),
                   (3, '{TokenFormat.Sha256Of(MemberKey)}', '', '', '*', 0),
                   (1, '{TokenFormat.Sha256Of(QueryKey)}', '', '', 'query:read', 0);
            """);

        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.Services.AddSingleton(_plane);
        _app = builder.Build();
        _app.Urls.Add("http://127.0.0.1:0");
        _app.MapTenancy();
        await _app.StartAsync();
        _client = new HttpClient { BaseAddress = new Uri(_app.Urls.Single()) };
    }

    public void Dispose() => _client.Dispose();

    public async Task DisposeAsync()
    {
        await _app.DisposeAsync();
        await _plane.DisposeAsync();
        SqliteConnection.ClearAllPools();
        Directory.Delete(_folder, recursive: true);
    }

    public static TheoryData<string, string, string?, HttpStatusCode> AccessMatrix()
    {
        // Columns: nobody, an unknown key, a project token, a stranger, a member, a key without the scope, the owner.
        string?[] callers =
            [null, "phx_nobody_made_this_0123456789", "imported-token", StrangerKey, MemberKey, QueryKey, Key];
        (string Method, string Path, int[] Expected)[] routes =
        [
            ("GET", "/api/projects/", [401, 401, 401, 200, 200, 403, 200]),
            ("GET", "/api/projects/1/", [401, 401, 401, 404, 200, 403, 200]),
            ("GET", "/api/projects/2", [401, 401, 401, 200, 404, 403, 404]),
            ("GET", "/api/projects/999/", [401, 401, 401, 404, 404, 403, 404]),
            ("GET", "/api/projects/x'y/", [401, 401, 401, 404, 404, 403, 404]),
            ("GET", "/api/projects/@current/", [401, 401, 401, 200, 200, 403, 200]),
            ("POST", "/api/projects/1/reset_token/", [401, 401, 401, 404, 403, 403, 200]),
            ("PATCH", "/api/projects/@current/reset_token", [401, 401, 401, 200, 403, 403, 200]),
        ];

        var matrix = new TheoryData<string, string, string?, HttpStatusCode>();
        foreach (var (method, path, expected) in routes)
        {
            for (int i = 0; i < callers.Length; i++) matrix.Add(method, path, callers[i], (HttpStatusCode)expected[i]);
        }

        return matrix;
    }

    [Theory]
    [MemberData(nameof(AccessMatrix))]
    public async Task A_route_answers_each_caller_as_it_should(
        string method, string path, string? key, HttpStatusCode expected)
    {
        var (status, body) = await SendAsync(method, path, key);

        Assert.Equal(expected, status);
        if (status == HttpStatusCode.OK) return;

        Assert.Equal(["type", "code", "detail", "attr"], body.EnumerateObject().Select(property => property.Name));
        Assert.DoesNotContain("Theirs", body.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_project_is_shown_in_PostHogs_shape()
    {
        var (_, project) = await SendAsync("GET", "/api/projects/@current", Key);

        Assert.Equal(1, project.GetProperty("id").GetInt32());
        Assert.Equal("Default Project", project.GetProperty("name").GetString());
        Assert.Equal("imported-token", project.GetProperty("api_token").GetString());
        Assert.Equal("UTC", project.GetProperty("timezone").GetString());
        Assert.False(project.TryGetProperty("epoch", out _));
        Assert.True(project.GetProperty("uuid").TryGetGuid(out _));
        Assert.True(project.GetProperty("organization").TryGetGuid(out _));
    }

    [Fact]
    public async Task The_list_holds_the_callers_projects()
    {
        var (_, list) = await SendAsync("GET", "/api/projects", StrangerKey);

        Assert.Equal(1, list.GetProperty("count").GetInt32());
        Assert.Equal(JsonValueKind.Null, list.GetProperty("next").ValueKind);
        Assert.Equal("Theirs", list.GetProperty("results")[0].GetProperty("name").GetString());
    }

    [Theory]
    [InlineData("PATCH")]
    [InlineData("POST")]
    public async Task A_regenerated_token_is_answered_with_when_and_at_which_epoch(string method)
    {
        var (_, project) = await SendAsync(method, "/api/projects/1/reset_token/", Key);

        string token = project.GetProperty("api_token").GetString()!;
        var lookup = await _plane.Tokens.ResolveAsync(Encoding.ASCII.GetBytes(token), default);
        Assert.Equal(TokenState.Live, lookup.State);
        Assert.Equal(_plane.Fence.Epoch, project.GetProperty("epoch").GetInt64());
        var revokedAt = project.GetProperty("revoked_at").GetDateTimeOffset();
        Assert.Equal(DateTimeOffset.UtcNow, revokedAt, TimeSpan.FromMinutes(1));
    }

    [Fact]
    public async Task A_project_token_used_to_read_is_told_what_it_is_for()
    {
        var (_, error) = await SendAsync("GET", "/api/projects/1/", "imported-token");

        Assert.Equal("authentication_error", error.GetProperty("type").GetString());
        Assert.Contains("only send events", error.GetProperty("detail").GetString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Basic cGh4")]
    [InlineData("Bearer")]
    [InlineData("Bearer ")]
    [InlineData(Key)]
    public async Task Another_scheme_is_nobody(string header)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/projects/1/");
        request.Headers.TryAddWithoutValidation("Authorization", header);
        using var response = await _client.SendAsync(request);

        Assert.Equal(HttpStatusCode.Unauthorized, response.StatusCode);
        Assert.Equal("Bearer", response.Headers.WwwAuthenticate.Single().Scheme);
    }

    [Fact]
    public async Task Accounts_that_cannot_be_read_are_answered_503_with_when_to_come_again()
    {
        Sql("ALTER TABLE personal_api_keys RENAME TO gone");
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/projects/1/");
        request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", Key);
        using var response = await _client.SendAsync(request);

        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), response.Headers.RetryAfter!.Delta);
    }

    private async Task<(HttpStatusCode Status, JsonElement Body)> SendAsync(string method, string path, string? key)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), path);
        if (key is not null) request.Headers.Authorization = new AuthenticationHeaderValue("Bearer", key);
        using var response = await _client.SendAsync(request);
        using var document = JsonDocument.Parse(await response.Content.ReadAsStreamAsync());
        return (response.StatusCode, document.RootElement.Clone());
    }

    private void Sql(string sql)
    {
        using var connection = new SqliteConnection(
            $"Data Source={Path.Combine(_folder, "control.db")};Pooling=False");
        connection.Open();
        using var command = connection.CreateCommand();
        command.CommandText = sql;
        command.ExecuteNonQuery();
    }
}
