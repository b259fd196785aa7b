using Gateway.Core.Tenancy;

namespace Gateway.Core.Tests.Tenancy;

public sealed class ProjectSettingsTests
{
    [Theory]
    [InlineData("UTC")]
    [InlineData("Europe/Berlin")]
    [InlineData("America/Argentina/Buenos_Aires")]
    [InlineData("America/Port-au-Prince")]
    [InlineData("Etc/GMT+5")]
    [InlineData("Etc/UTC")]
    [InlineData("GMT")]
    [InlineData("US/Eastern")]
    public void A_time_zone_of_the_world_is_one(string name) =>
        Assert.Null(new ProjectSettings { TimeZone = name }.Check());

    [Theory]
    [InlineData("")]
    [InlineData("Nowhere/City")]
    [InlineData("localtime")]
    [InlineData("posixrules")]
    [InlineData("Factory")]
    [InlineData("posix/Europe/Berlin")]
    [InlineData("right/Europe/Berlin")]
    [InlineData("/etc/localtime")]
    [InlineData("/usr/share/zoneinfo/Europe/Berlin")]
    [InlineData("Europe//Berlin")]
    [InlineData("Europe/Berlin/")]
    [InlineData("europe/berlin")]
    public void What_only_this_machine_calls_a_time_zone_is_none(string name) =>
        Assert.Equal("timezone", new ProjectSettings { TimeZone = name }.Check()?.Attr);

    [Theory]
    [InlineData("https://app.example.com")]
    [InlineData("https://*.example.com:8443")]
    [InlineData("http://localhost:3000")]
    [InlineData("https://xn--bcher-kva.example")]
    public void What_a_browser_sends_is_an_origin(string origin) =>
        Assert.Null(new ProjectSettings { AllowedOrigins = [origin] }.Check());

    [Theory]
    [InlineData("https://app.example.com/")]
    [InlineData("https://app.example.com:443")]
    [InlineData("app.example.com")]
    [InlineData("ftp://example.com")]
    public void What_no_browser_sends_is_none(string origin) =>
        Assert.Equal("allowed_origins", new ProjectSettings { AllowedOrigins = [origin] }.Check()?.Attr);

    [Theory]
    [InlineData("https://bücher.example")]
    [InlineData("https://*.bücher.example")]
    [InlineData("https://例え.jp")]
    public void A_host_that_browsers_send_in_punycode_is_asked_for_in_punycode(string origin)
    {
        var refusal = new ProjectSettings { AllowedOrigins = ["https://fine.example", origin] }.Check();

        Assert.Equal("allowed_origins", refusal?.Attr);
        Assert.Contains("punycode", refusal!.Detail, StringComparison.Ordinal);
    }
}
