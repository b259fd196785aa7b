using System.Net;
using Gateway.Core.Tests.Tenancy;
using Gateway.Tests.Engine;
using Gateway.Tests.Running;
using Gateway.Tests.Tenancy;

namespace Gateway.Tests.Promises;

/// <summary>Signing in at one of two gateways on one PostgreSQL is signing in at both, and so is signing out.</summary>
[Collection(EngineCollection.Name)]
public sealed class SharedSessionsTests(EngineFixture engine)
{
    private const string Email = "owner@example.org";
    private const string Password = "a password for tests";

    [Fact]
    public async Task A_session_made_at_one_gateway_holds_at_the_other_and_ends_at_both()
    {
        string store = new UriBuilder(engine.ConnectionString) { Path = $"/signed_{Guid.NewGuid():N}" }.Uri.AbsoluteUri;
        (string, string)[] shared =
        [
            ("ConnectionStrings:Postgres", PostgresServer.Shared.NewDatabase()),
            ("ConnectionStrings:ClickHouse", store),
            ("Gateway:Bootstrap:Email", Email),
            ("Gateway:Bootstrap:Password", Password),
        ];
        await using var one = await GatewayProcess.StartAsync(waitUntilReady: false, settings: shared);
        await using var other = await GatewayProcess.StartAsync(waitUntilReady: false, settings: shared);

        foreach (var (here, there) in ((GatewayProcess, GatewayProcess)[])[(one, other), (other, one)])
        {
            using var browser = new Browser(here.Address);
            Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync(Email, Password)).Status);
            string session = browser.Session!;

            // A load balancer sends the same browser to the other: its cookies, and its token for writing, are good.
            using var sent = new Browser(there.Address);
            foreach (Cookie cookie in browser.Cookies.GetAllCookies())
                sent.Cookies.Add(new Uri(there.Address, "/api/"), new Cookie(cookie.Name, cookie.Value, cookie.Path));
            var (written, _) = await sent.SendAsync("PATCH", "/api/users/@me/", new { first_name = "Moved" });
            Assert.Equal(HttpStatusCode.OK, written);
            Assert.Equal(HttpStatusCode.OK, await StatusAsync(here, session));
            Assert.Equal(HttpStatusCode.NoContent, (await sent.SendAsync("POST", "/api/logout/")).Status);

            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(here, session));
            Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync(there, session));
        }
    }

    private static async Task<HttpStatusCode> StatusAsync(GatewayProcess gateway, string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/users/@me/");
        request.Headers.Add("Cookie", $"gateway_session={session}");
        using var response = await gateway.Http.SendAsync(request);
        return response.StatusCode;
    }
}
