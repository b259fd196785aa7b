using System.Text.Json;
using Gateway.Hosting;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Routing;
using Microsoft.Data.Sqlite;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;

namespace Gateway.Tests.Tenancy;

public sealed class ApiDocumentTests
{
    [Fact]
    public async Task The_document_tells_of_every_route_of_the_management_API()
    {
        string folder = Directory.CreateTempSubdirectory("gateway-openapi-").FullName;
        var configuration = new ConfigurationBuilder().AddInMemoryCollection(
            [new("Gateway:Data", folder), new("Gateway:Bootstrap:Password", "a password for tests")]).Build();
        var options = GatewayOptions.Read(configuration, out var errors);
        Assert.Empty(errors);

        await using (var gateway = await GatewayServer.OpenAsync(options, NullLoggerFactory.Instance))
        {
            var builder = WebApplication.CreateSlimBuilder();
            builder.Logging.ClearProviders();
            gateway.Register(builder.Services);
            await using var app = builder.Build();
            app.Urls.Add("http://127.0.0.1:0");
            gateway.Map(app);
            await app.StartAsync();
            using var http = new HttpClient();
            string text = await http.GetStringAsync(new Uri(new Uri(app.Urls.First()), "/openapi/v1.json"));
            using var document = JsonDocument.Parse(text);

            var told = document.RootElement.GetProperty("paths").EnumerateObject()
                .SelectMany(path => path.Value.EnumerateObject()
                    .Select(method => $"{method.Name.ToUpperInvariant()} {path.Name.TrimEnd('/')}"));
            var mapped = app.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
                .Where(route => route.RoutePattern.RawText!.StartsWith("/api/", StringComparison.Ordinal))
                .SelectMany(route => route.Metadata.GetMetadata<IHttpMethodMetadata>()!.HttpMethods
                    .Select(method => $"{method} {Plain(route.RoutePattern.RawText!)}"))
                .ToList();
            Assert.Contains("PATCH /api/users/@me", mapped);
            Assert.Equal(mapped.Order(StringComparer.Ordinal), told.Order(StringComparer.Ordinal));

            var me = document.RootElement.GetProperty("paths").GetProperty("/api/users/@me").GetProperty("patch");
            Assert.NotEqual("", me.GetProperty("summary").GetString());
            Assert.True(me.GetProperty("requestBody").GetProperty("content").TryGetProperty("application/json", out _));
            Assert.Contains("\"current_organization\"", text, StringComparison.Ordinal);
            Assert.Contains("\"membership_level\"", text, StringComparison.Ordinal);
            Assert.DoesNotContain("\"membershipLevel\"", text, StringComparison.Ordinal);
            await app.StopAsync();
        }

        SqliteConnection.ClearAllPools();
        Directory.Delete(folder, recursive: true);
    }

    /// <summary>Without constraints of parameters and the last slash.</summary>
    private static string Plain(string pattern) =>
        pattern.Replace(":guid:length(36)}", "}", StringComparison.Ordinal).TrimEnd('/');
}
