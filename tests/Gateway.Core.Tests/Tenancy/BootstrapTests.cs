using System.Text;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tenancy;

public sealed class BootstrapOnSqliteTests() : BootstrapTests(onPostgres: false);

public sealed class BootstrapOnPostgresTests() : BootstrapTests(onPostgres: true);

public abstract class BootstrapTests(bool onPostgres) : ControlPlaneFixture(onPostgres)
{
    [Fact]
    public async Task The_first_start_makes_a_project_a_token_and_a_key_that_opens_it()
    {
        await using var plane = await OpenAsync(key: null);
        var made = plane.Bootstrapped!;

        var access = await EnterAsync(plane, made.ApiKey, "@current", Scopes.ProjectWrite);
        var lookup = await plane.Tokens.ResolveAsync(Encoding.ASCII.GetBytes(made.ProjectToken!), default);

        Assert.Equal("Default Project", made.ProjectName);
        Assert.Equal(made.ProjectId, access.Value.ProjectId);
        Assert.Equal(made.ProjectToken, access.Value.ApiToken);
        Assert.Equal((MemberLevel.Owner, "UTC"), (access.Value.MemberLevel, access.Value.TimeZone));
        Assert.Equal((TokenState.Live, made.ProjectId), (lookup.State, lookup.Entry!.ProjectId));
    }

    [Fact]
    public async Task A_later_start_makes_nothing_and_given_values_no_longer_count()
    {
        string id;
        await using (var first = await OpenAsync(key: null)) id = first.InstallationId;

        await using var second = await OpenAsync(token: "another", key: "not even a key");

        Assert.Null(second.Bootstrapped);
        Assert.Equal(id, second.InstallationId);
        Assert.True(second.Tokens.TryCheck("another"u8, out var lookup));
        Assert.Equal(TokenState.Unknown, lookup.State);
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM projects"));
        Assert.Equal(1, Sql("SELECT COUNT(*) FROM personal_api_keys"));
    }

    [Fact]
    public async Task Given_values_are_used_and_not_given_back()
    {
        await using var plane = await OpenAsync(token: "from-the-field");

        Assert.Null(plane.Bootstrapped!.ProjectToken);
        Assert.Null(plane.Bootstrapped.ApiKey);
        Assert.True(plane.Tokens.TryCheck("from-the-field"u8, out var lookup));
        Assert.Equal(TokenState.Live, lookup.State);
        Assert.Equal(0, plane.Tokens.DatabaseReads);

        var access = await EnterAsync(plane, GivenKey, "@current", Scopes.QueryRead);
        Assert.Equal("from-the-field", access.Value.ApiToken);
    }

    [Theory]
    [InlineData("", "1 to 64 characters")]
    [InlineData("phx_0123456789012345678901234567890", "begins with phx_")]
    [InlineData("two words", "printable ASCII")]
    [InlineData("snowman-☃", "printable ASCII")]
    [InlineData("phc_0123456789012345678901234567890123456789012345678", "taken for a typo")]
    [InlineData("0123456789012345678901234567890123456789012345678901234567890123x", "1 to 64 characters")]
    public async Task A_token_that_cannot_be_one_is_refused_with_the_reason(string token, string reason)
    {
        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => OpenAsync(token));

        Assert.Contains("Gateway:Bootstrap:ProjectToken", refused.Message, StringComparison.Ordinal);
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        if (token.Length > 0) Assert.DoesNotContain(token, refused.Message, StringComparison.Ordinal);

        // And nothing was made: the next start is still the first.
        await using var plane = await OpenAsync(token: null);
        Assert.NotNull(plane.Bootstrapped);
    }

    [Theory]
    [InlineData("abc_0123456789012345678901234567890", "must begin with phx_")]
    [InlineData("phx_short", "20 to 124 characters")]
    [InlineData("phx_0123456789 0123456789", "letters, digits")]
    [InlineData("phx_0123456789012345678901234567890123456789012345678", "taken for a typo")]
    public async Task A_key_that_cannot_be_one_is_refused_with_the_reason(string key, string reason)
    {
        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => OpenAsync(key: key));

        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(key, refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task All_that_is_wrong_is_said_at_once()
    {
        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => OpenAsync(token: "", key: ""));

        Assert.Equal(2, refused.Message.Split(Environment.NewLine).Length);
    }

    [Theory]
    [InlineData("UPDATE installation SET authority = 'redis'", "redis")]
    [InlineData("INSERT INTO schema_migrations VALUES (999, 'later', 0)", "later version")]
    public async Task A_database_that_this_gateway_may_not_use_is_refused(string sql, string reason)
    {
        await using (await OpenAsync())
        {
        }

        Sql(sql);

        var refused = await Assert.ThrowsAsync<ControlPlaneException>(() => OpenAsync());
        Assert.Contains(reason, refused.Message, StringComparison.Ordinal);
    }
}
