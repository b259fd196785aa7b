using Gateway.Core.Tenancy;

namespace Gateway.Core.Tests.Tenancy;

public sealed class EmailAddressTests
{
    [Theory]
    [InlineData("ann@example.org", "ann@example.org")]
    [InlineData("  Ann.B+tag@Example.ORG ", "ann.b+tag@example.org")]
    [InlineData("owner@localhost", "owner@localhost")]
    [InlineData("jürgen@müller.example", "jürgen@müller.example")]
    public void An_address_is_kept_in_lower_case_without_blanks(string text, string expected)
    {
        Assert.True(EmailAddress.TryNormalize(text, out string? address));
        Assert.Equal(expected, address);
    }

    [Theory]
    [InlineData("")]
    [InlineData("ann")]
    [InlineData("@example.org")]
    [InlineData("ann@")]
    [InlineData("ann@b@example.org")]
    [InlineData("ann b@example.org")]
    [InlineData("Ann <ann@example.org>")]
    [InlineData("ann@example.org,bob@example.org")]
    [InlineData("ann@exa\u0000mple.org")]
    [InlineData("ann@exa\u200Bmple.org")]
    [InlineData("a\r\nBcc: x@example.org")]
    public void What_is_no_address_is_told(string text) => Assert.False(EmailAddress.TryNormalize(text, out _));

    [Fact]
    public void An_address_has_at_most_254_characters()
    {
        Assert.True(EmailAddress.TryNormalize("a@" + new string('b', 252), out _));
        Assert.False(EmailAddress.TryNormalize("a@" + new string('b', 253), out _));
        Assert.False(EmailAddress.TryNormalize(new string('a', 65) + "@b", out _));
    }
}
