using Gateway.Core.Tokens;

namespace Gateway.Core.Tests.Tokens;

public sealed class CaptureRulesTests
{
    [Theory]
    [InlineData("https://app.example.com", true)]
    [InlineData("HTTPS://App.Example.COM", true)]
    [InlineData(null, true)]
    [InlineData("", true)]
    [InlineData("http://app.example.com", false)]
    [InlineData("https://app.example.com:8443", false)]
    [InlineData("https://app.example.com.evil.org", false)]
    [InlineData("null", false)]
    [InlineData("https://a.shop.test", true)]
    [InlineData("https://a.b.shop.test", true)]
    [InlineData("https://shop.test", false)]
    [InlineData("https://.shop.test", false)]
    [InlineData("https://ashop.test", false)]
    [InlineData("http://a.shop.test", false)]
    [InlineData("https://a.shop.test.evil.org", false)]
    public void An_origin_must_be_one_of_those_named(string? origin, bool isAllowed) =>
        Assert.Equal(isAllowed, new CaptureRules(false, ["https://app.example.com", "https://*.shop.test"]).Allow(origin));

    [Fact]
    public void Without_any_named_all_may() => Assert.True(CaptureRules.None.Allow("https://anywhere.test"));
}
