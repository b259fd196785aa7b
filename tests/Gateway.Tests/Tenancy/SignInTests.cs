using System.Net;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Tenancy;

/// <summary>Signing in and out of a real gateway, as a browser does and as others try to.</summary>
public sealed class SignInTests : IAsyncLifetime
{
    private const string Email = "owner@example.org";
    private const string Password = "a password for tests";

    private static readonly (string, string)[] Settings =
    [
        ("Gateway:Bootstrap:Email", " Owner@Example.org "), ("Gateway:Bootstrap:Password", Password),
    ];

    private GatewayProcess _gateway = null!;

    public async Task InitializeAsync() =>
        _gateway = await GatewayProcess.StartAsync(waitUntilReady: false, settings: Settings);

    public async Task DisposeAsync() => await _gateway.DisposeAsync();

    [Fact]
    public async Task Who_signs_in_is_somebody_until_they_sign_out_and_no_copy_of_the_cookie_outlives_that()
    {
        using var browser = new Browser(_gateway.Address);
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SendAsync("GET", "/api/users/@me/")).Status);

        var (status, user) = await browser.SignInAsync("OWNER@example.org", Password);
        Assert.Equal(HttpStatusCode.OK, status);
        Assert.Equal(Email, user.GetProperty("email").GetString());
        Assert.Equal(15, user.GetProperty("organization").GetProperty("membership_level").GetInt32());
        Assert.Equal(1, user.GetProperty("project").GetProperty("id").GetInt32());
        var (_, me) = await browser.SendAsync("GET", "/api/users/@me/");
        Assert.Equal(user.ToString(), me.ToString());
        Assert.Equal(HttpStatusCode.OK, (await browser.SendAsync("GET", "/api/projects/@current/")).Status);

        string stolen = browser.Session!;
        Assert.Equal(HttpStatusCode.OK, await StatusWithCookieAsync(stolen));
        Assert.Equal(HttpStatusCode.NoContent, (await browser.SendAsync("POST", "/api/logout/")).Status);

        Assert.Null(browser.Session);
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusWithCookieAsync(stolen));
        Assert.Equal(HttpStatusCode.Unauthorized, (await browser.SendAsync("POST", "/api/logout/")).Status);
        Assert.DoesNotContain(Password, _gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Cookies_are_for_this_site_and_for_the_management_API_alone()
    {
        using var browser = new Browser(_gateway.Address);
        using var request = new HttpRequestMessage(HttpMethod.Post, "/api/login/")
        {
            Content = System.Net.Http.Json.JsonContent.Create(new { email = Email, password = Password }),
        };
        using var response = await browser.RawAsync(request);

        var cookies = response.Headers.GetValues("Set-Cookie").ToList();
        string session = Assert.Single(cookies, one => one.StartsWith("gateway_session=", StringComparison.Ordinal));
        Assert.Contains("path=/api;", session, StringComparison.Ordinal);
        Assert.Contains("httponly", session, StringComparison.Ordinal);
        Assert.All(cookies, cookie => Assert.Contains("samesite=strict", cookie, StringComparison.Ordinal));
        Assert.True(response.Headers.CacheControl!.NoStore);
        Assert.Equal("nosniff", Assert.Single(response.Headers.GetValues("X-Content-Type-Options")));
        Assert.False(response.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task A_cookie_alone_changes_nothing()
    {
        using var browser = await SignedInAsync();
        using var other = await SignedInAsync();
        object change = new { first_name = "Mallory" };

        (string Method, string Path)[] writes =
        [
            ("PATCH", "/api/users/@me/"), ("PATCH", "/api/users/@me"), ("POST", "/api/logout/"),
            ("POST", "/api/projects/1/reset_token/"), ("DELETE", "/api/projects/1/"),
            ("POST", "/api/projects/1/query/"), ("POST", "/api/organizations/"), ("PUT", "/api/nothing/"),
        ];
        foreach (var (method, path) in writes)
        {
            var (status, body) = await browser.SendAsync(method, path, change, withToken: false);
            Assert.Equal(HttpStatusCode.Forbidden, status);
            Assert.Equal("csrf_failed", body.GetProperty("code").GetString());
        }

        // A browser knows the cookie's path by its letters, the routes do not.
        using var loud = new HttpRequestMessage(HttpMethod.Delete, "/API/Projects/1");
        loud.Headers.Add("Cookie", $"gateway_session={browser.Session}");
        using var heard = await _gateway.Http.SendAsync(loud);
        Assert.Equal(HttpStatusCode.Forbidden, heard.StatusCode);

        // Another session's token is no better, and a form cannot say JSON.
        using var foreign = new HttpRequestMessage(HttpMethod.Patch, "/api/users/@me/")
        {
            Content = System.Net.Http.Json.JsonContent.Create(change),
        };
        foreign.Headers.Add("X-CSRFToken", other.CsrfToken);
        using var refused = await browser.RawAsync(foreign);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        var (form, _) = await browser.SendAsync("PATCH", "/api/users/@me/", change, contentType: "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, form);
        Assert.Equal("Owner", await FirstNameAsync(browser));

        Assert.Equal(HttpStatusCode.OK, (await browser.SendAsync("PATCH", "/api/users/@me/", change)).Status);
        Assert.Equal("Mallory", await FirstNameAsync(browser));
    }

    [Fact]
    public async Task A_key_needs_no_token_and_wins_over_a_cookie()
    {
        using var browser = await SignedInAsync();
        using var request = new HttpRequestMessage(HttpMethod.Patch, "/api/users/@me/")
        {
            Content = new StringContent("""{"first_name": "By key"}"""),
        };
        request.Headers.Authorization = new("Bearer", GatewayProcess.ApiKey);
        using var response = await browser.RawAsync(request);
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        Assert.False(response.Headers.Contains("Set-Cookie"));

        using var wrong = new HttpRequestMessage(HttpMethod.Get, "/api/users/@me/");
        wrong.Headers.Authorization = new("Bearer", "phx_nobody_made_this_key_0123456789");
        using var refused = await browser.RawAsync(wrong);
        Assert.Equal(HttpStatusCode.Unauthorized, refused.StatusCode);
    }

    [Fact]
    public async Task Capture_never_looks_at_a_cookie()
    {
        using var browser = await SignedInAsync();
        foreach (string path in (string[])["/e/", "/i/v0/e/", "/batch/", "/flags/"])
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("{}") };
            request.Headers.Add("Cookie", $"gateway_session={browser.Session}");
            request.Headers.Add("Origin", "https://elsewhere.example");
            using var response = await _gateway.Http.SendAsync(request);

            using var without = await _gateway.Http.PostAsync(path, new StringContent("{}"));
            Assert.Equal(without.StatusCode, response.StatusCode);
            Assert.NotEqual(HttpStatusCode.Forbidden, response.StatusCode);
            Assert.False(response.Headers.Contains("Set-Cookie"), path);
        }
    }

    [Fact]
    public async Task A_session_outlives_a_restart()
    {
        string data = Directory.CreateTempSubdirectory("gateway-session-").FullName;
        try
        {
            string session, token;
            await using (var first = await GatewayProcess.StartAsync(data, waitUntilReady: false, settings: Settings))
            {
                using var browser = new Browser(first.Address);
                await browser.SignInAsync(Email, Password);
                (session, token) = (browser.Session!, browser.CsrfToken!);
                Assert.DoesNotContain("warn:", first.Output, StringComparison.Ordinal);
            }

            await using var second = await GatewayProcess.StartAsync(data, waitUntilReady: false, settings: Settings);
            using var request = new HttpRequestMessage(HttpMethod.Get, "/api/users/@me/");
            request.Headers.Add("Cookie", $"gateway_session={session}");
            using var response = await second.Http.SendAsync(request);
            Assert.Equal(HttpStatusCode.OK, response.StatusCode);
            Assert.DoesNotContain("signs in as", second.Output, StringComparison.Ordinal);
        }
        finally
        {
            Directory.Delete(data, recursive: true);
        }
    }

    [Fact]
    public async Task Wrong_passwords_are_limited_for_each_address_and_say_nothing_of_who_has_an_account()
    {
        using var browser = new Browser(_gateway.Address);
        var (known, wrong) = await browser.SignInAsync(Email, "not the password");
        var (unknown, nobody) = await browser.SignInAsync("nobody@example.org", "not the password");
        Assert.Equal(HttpStatusCode.Unauthorized, known);
        Assert.Equal(HttpStatusCode.Unauthorized, unknown);
        Assert.Equal(wrong.ToString(), nobody.ToString());

        // Minutes may end in between: in one of them it must come to be refused unread.
        int read = 0;
        HttpStatusCode status;
        while ((status = (await browser.SignInAsync(Email, $"wrong {read}")).Status) == HttpStatusCode.Unauthorized)
            Assert.True(++read < 100, "Whoever guesses is not refused.");
        Assert.Equal(HttpStatusCode.TooManyRequests, status);
        Assert.InRange(read, 9, 99);
    }

    [Fact]
    public async Task A_new_password_ends_the_other_sessions_and_the_old_password()
    {
        using var here = await SignedInAsync();
        using var elsewhere = await SignedInAsync();
        var (refused, error) = await here.SendAsync(
            "PATCH", "/api/users/@me/", new { password = "another password", current_password = "a guess" });
        Assert.Equal(HttpStatusCode.BadRequest, refused);
        Assert.Equal("current_password", error.GetProperty("attr").GetString());
        Assert.Equal(HttpStatusCode.OK, (await elsewhere.SendAsync("GET", "/api/users/@me/")).Status);

        var (changed, _) = await here.SendAsync(
            "PATCH", "/api/users/@me/", new { password = "another password", current_password = Password });

        Assert.Equal(HttpStatusCode.OK, changed);
        Assert.Equal(HttpStatusCode.OK, (await here.SendAsync("GET", "/api/users/@me/")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.SendAsync("GET", "/api/users/@me/")).Status);
        Assert.Equal(HttpStatusCode.Unauthorized, (await elsewhere.SignInAsync(Email, Password)).Status);
        Assert.Equal(HttpStatusCode.OK, (await elsewhere.SignInAsync(Email, "another password")).Status);
    }

    [Fact]
    public async Task An_invited_person_joins_and_an_invite_is_good_once()
    {
        using var owner = await SignedInAsync();
        var (_, invite) = await owner.SendAsync(
            "POST", "/api/organizations/@current/invites/", new { target_email = "Ann@Example.org", level = 8 });
        string link = invite.GetProperty("link").GetString()!;

        using var ann = new Browser(_gateway.Address);
        var (_, seen) = await ann.SendAsync("GET", link);
        Assert.Equal("ann@example.org", seen.GetProperty("email").GetString());
        Assert.Equal("Default Organization", seen.GetProperty("organization_name").GetString());
        Assert.False(seen.TryGetProperty("has_account", out _));
        Assert.Equal(HttpStatusCode.BadRequest, (await ann.SendAsync("POST", link, new { first_name = "A" })).Status);

        var (joined, user) = await ann.SendAsync(
            "POST", link, new { first_name = "Ann", password = "the password of Ann" });
        Assert.Equal(HttpStatusCode.OK, joined);
        Assert.Equal("ann@example.org", user.GetProperty("email").GetString());
        Assert.Equal(8, user.GetProperty("organization").GetProperty("membership_level").GetInt32());
        Assert.Equal("Ann", await FirstNameAsync(ann));
        Assert.Equal(HttpStatusCode.NotFound, (await ann.SendAsync("GET", link)).Status);
        Assert.Equal(HttpStatusCode.NotFound, (await ann.SendAsync("POST", link, new { })).Status);
    }

    [Fact]
    public async Task Nobody_signs_up_where_it_is_closed_and_where_it_is_open_they_own_an_organization()
    {
        object body = new { email = "bob@example.org", first_name = "Bob", password = "the password of Bob" };
        using var closed = new Browser(_gateway.Address);
        Assert.Equal(HttpStatusCode.Forbidden, (await closed.SendAsync("POST", "/api/signup/", body)).Status);

        await using var gateway = await GatewayProcess.StartAsync(
            waitUntilReady: false, settings: [.. Settings, ("Gateway:AllowSignUp", "true")]);
        using var bob = new Browser(gateway.Address);

        // A project comes with it, and none is made before the events store was met.
        var (status, user) = (HttpStatusCode.ServiceUnavailable, default(JsonElement));
        await Eventually.HoldsAsync(
            async () =>
            {
                (status, user) = await bob.SendAsync("POST", "/api/signup/", body);
                if (status != HttpStatusCode.ServiceUnavailable) return true;

                await Task.Delay(500);
                return false;
            },
            TimeSpan.FromSeconds(120), () => "the store was met");

        Assert.Equal(HttpStatusCode.Created, status);
        Assert.Equal(15, user.GetProperty("organization").GetProperty("membership_level").GetInt32());
        Assert.Equal("Default Project", user.GetProperty("project").GetProperty("name").GetString());
        Assert.Single(user.GetProperty("organizations").EnumerateArray());
        Assert.Equal(HttpStatusCode.OK, (await bob.SendAsync("GET", "/api/projects/@current/")).Status);
        var (again, taken) = await bob.SendAsync("POST", "/api/signup/", body);
        Assert.Equal((HttpStatusCode.BadRequest, "email"), (again, taken.GetProperty("attr").GetString()));
    }

    [Fact]
    public async Task A_field_that_is_wrong_is_named()
    {
        using var browser = await SignedInAsync();
        (string Field, object[] Wrong)[] fields =
        [
            ("first_name", [1, true, new[] { "a" }, "", "  ", "a\0b", "a\nb", new string('a', 201)]),
            ("last_name", [1, "a\0b", new string('a', 201)]),
            ("current_organization", [1, "x", "a\0b", new string('a', 100_00), Guid.NewGuid()]),
            ("current_project", ["1", 0, -1, 1.5, 999, true]),
            ("password", [1, "short", "a password \0", new string('a', 129)]),
            ("current_password", [1, "a\u007f", new string('a', 129)]),
        ];
        foreach (var (field, wrongs) in fields)
        {
            foreach (object wrong in wrongs)
            {
                var (status, error) = await browser.SendAsync(
                    "PATCH", "/api/users/@me/", new Dictionary<string, object> { [field] = wrong });
                Assert.Equal((HttpStatusCode.BadRequest, field), (status, error.GetProperty("attr").GetString()));
            }
        }

        foreach (string field in (string[])["email", "password"])
        {
            foreach (object wrong in (object[])[1, "", "a\0b", new string('a', 300)])
            {
                var body = new Dictionary<string, object> { ["email"] = Email, ["password"] = Password };
                body[field] = wrong;
                var (status, error) = await browser.SendAsync("POST", "/api/login/", body);
                if (field == "password" && wrong is "") Assert.Equal(HttpStatusCode.Unauthorized, status);
                else Assert.Equal((HttpStatusCode.BadRequest, field), (status, error.GetProperty("attr").GetString()));
            }
        }
    }

    private async Task<Browser> SignedInAsync()
    {
        var browser = new Browser(_gateway.Address);
        Assert.Equal(HttpStatusCode.OK, (await browser.SignInAsync(Email, Password)).Status);
        return browser;
    }

    private async Task<HttpStatusCode> StatusWithCookieAsync(string session)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, "/api/users/@me/");
        request.Headers.Add("Cookie", $"gateway_session={session}");
        using var response = await _gateway.Http.SendAsync(request);
        return response.StatusCode;
    }

    private static async Task<string?> FirstNameAsync(Browser browser) =>
        (await browser.SendAsync("GET", "/api/users/@me/")).Body.GetProperty("first_name").GetString();
}
