using Gateway.Hosting;
using Microsoft.Extensions.Configuration;

namespace Gateway.Tests.Hosting;

public sealed class GatewayOptionsTests
{
    [Fact]
    public void Nothing_set_is_a_working_gateway()
    {
        var options = Read([], out var errors);

        Assert.Empty(errors);
        Assert.Equal(Path.GetFullPath("data"), options.Data);
        Assert.Equal(10L << 30, options.Journal.QuotaBytes);
        Assert.Null(options.ClickHouse);
    }

    [Fact]
    public void Projects_take_turns_unless_that_is_switched_off_and_one_body_always_fits_into_a_share()
    {
        var standard = Read([], out _);
        Assert.True(standard.Admission.IsFair);
        Assert.InRange(standard.Admission.Slots, 1, Environment.ProcessorCount);
        Assert.Equal(standard.Admission.MaxWaiting / 2, standard.Admission.MaxWaitingOfOne);
        Assert.Equal(4L * standard.Limits.BodyBytes, standard.ShareBytes);
        Assert.Equal(512L << 20, Read([("Gateway:Limits:InFlightBytes", $"{1L << 30}")], out _).ShareBytes);

        var without = Read([("Gateway:FairShare", "false"), ("Gateway:Limits:CaptureSlots", "3")], out var errors);
        Assert.Empty(errors);
        Assert.Equal((false, 3), (without.Admission.IsFair, without.Admission.Slots));
        Assert.Equal(without.Admission.MaxWaiting, without.Admission.MaxWaitingOfOne);
        Assert.Equal(without.Limits.InFlightBytes, without.ShareBytes);

        Read([("Gateway:FairShare", "perhaps"), ("Gateway:Limits:CaptureSlots", "0")], out var mistakes);
        Assert.Equal(2, mistakes.Count);
    }

    [Fact]
    public void Every_error_is_told_at_once_by_its_key()
    {
        Read(
            [
                ("Gateway:Journal:QuotaBytes", "lots"),
                ("Gateway:Limits:BodyBytes", "-1"),
                ("Gateway:TrustedProxies", "10.0.0.0/8, nowhere"),
                ("Gateway:Jornal:QuotaBytes", "1"),
                ("ConnectionStrings:Redis", "127.0.0.1:6379"),
                ("ConnectionStrings:Postgres", "Host=db;Passwort=never-shown"),
                ("Gateway:AdoptEventsStore", "perhaps"),
            ],
            out var errors);

        Assert.Collection(
            errors.Order(StringComparer.Ordinal),
            error =>
            {
                Assert.StartsWith("ConnectionStrings:Postgres", error, StringComparison.Ordinal);
                Assert.DoesNotContain("never-shown", error, StringComparison.Ordinal);
            },
            error => Assert.StartsWith("ConnectionStrings:Redis", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Gateway:AdoptEventsStore is 'perhaps'", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Gateway:Jornal:QuotaBytes is not a setting", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Gateway:Journal:QuotaBytes is 'lots'", error, StringComparison.Ordinal),
            error => Assert.StartsWith("Gateway:Limits:BodyBytes is '-1'", error, StringComparison.Ordinal),
            error => Assert.Contains("'nowhere'", error, StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("Gateway:Journal:QuotaBytes", "67108864", "Gateway:Journal:SegmentBytes", "268435456", "QuotaBytes")]
    [InlineData("Gateway:Limits:BodyBytes", "104857600", "Gateway:Limits:InFlightBytes", "134217728", "InFlightBytes")]
    [InlineData("ConnectionStrings:ClickHuose", "http://host", "Gateway:Data", "x", "ClickHuose")]
    public void What_cannot_be_together_is_told_at_start(
        string one, string value, string other, string otherValue, string named)
    {
        Read([(one, value), (other, otherValue)], out var errors);

        Assert.Contains(named, Assert.Single(errors), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ConnectionStrings:Redis", "host:6379,password=never-shown,nonsense=1", "ConnectionStrings:Redis")]
    [InlineData("ConnectionStrings:Redis", "password=never-shown", "ConnectionStrings:Redis")]
    [InlineData("Gateway:Fence", "Hope", "Gateway:Fence is 'Hope'")]
    [InlineData("Gateway:Fence", "Redis", "ConnectionStrings:Redis")]
    [InlineData("Gateway:ChangeFence", "perhaps", "Gateway:ChangeFence")]
    public void A_fence_that_cannot_be_is_told_by_its_key_and_without_a_secret(string key, string value, string named)
    {
        Read([(key, value)], out var errors);

        string error = Assert.Single(errors);
        Assert.Contains(named, error, StringComparison.Ordinal);
        Assert.DoesNotContain("never-shown", error, StringComparison.Ordinal);
    }

    [Fact]
    public void Redis_is_named_to_people_without_its_password_and_is_the_fence_unless_the_database_is_to_be()
    {
        (string, string)[] shared =
            [("ConnectionStrings:Postgres", "Host=db;Database=g"), ("ConnectionStrings:Redis", "a:1,b:2,password=never-shown,defaultDatabase=3")];

        var redis = Read(shared, out var errors);
        var database = Read([.. shared, ("Gateway:Fence", "database")], out var more);

        Assert.Empty(errors);
        Assert.Empty(more);
        Assert.Equal("a:1,b:2/3", redis.Redis!.ToString());
        Assert.Equal((true, false), (redis.FencesByRedis, database.FencesByRedis));
    }

    [Fact]
    public void Proxies_are_addresses_or_networks_in_one_text_or_a_list()
    {
        var one = Read([("Gateway:TrustedProxies", "10.0.0.0/8,::1")], out var errors);
        var list = Read([("Gateway:TrustedProxies:0", "10.0.0.0/8"), ("Gateway:TrustedProxies:1", "::1")], out var more);

        Assert.Empty(errors);
        Assert.Empty(more);
        Assert.Equal(["10.0.0.0/8", "::1/128"], one.TrustedProxies.Select(network => network.ToString()));
        Assert.Equal(one.TrustedProxies, list.TrustedProxies);
    }

    private static GatewayOptions Read((string Key, string Value)[] settings, out IReadOnlyList<string> errors) =>
        GatewayOptions.Read(
            new ConfigurationBuilder()
                .AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, (string?)pair.Value)))
                .Build(),
            out errors);
}
