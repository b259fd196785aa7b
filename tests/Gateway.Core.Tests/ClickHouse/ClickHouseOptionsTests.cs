using Gateway.Core.ClickHouse;

namespace Gateway.Core.Tests.ClickHouse;

public sealed class ClickHouseOptionsTests
{
    [Theory]
    [InlineData("http://ann:s3cret@ch:9000/events", "http://ch:9000/", "ann", "s3cret", "events")]
    [InlineData("http://ch", "http://ch:8123/", "default", "", "default")]
    [InlineData("https://ch/", "https://ch:8443/", "default", "", "default")]
    [InlineData("http://ann@ch:80/x", "http://ch:80/", "ann", "", "x")]
    [InlineData("https://ann:a%3Ab%40%2F%23@ch:443", "https://ch:443/", "ann", "a:b@/#", "default")]
    [InlineData("http://ann:a:b@[::1]:8123/x%20y", "http://[::1]:8123/", "ann", "a:b", "x y")]
    public void A_URL_says_where_and_who(string url, string endpoint, string user, string password, string database) =>
        Assert.Equal(
            new ClickHouseOptions(new Uri(endpoint), user, password, database), ClickHouseOptions.Parse(url));

    [Theory]
    [InlineData("")]
    [InlineData("s3cret")]
    [InlineData("ftp://ann:s3cret@ch/x")]
    [InlineData("tcp://ann:s3cret@ch:9000")]
    [InlineData("http://ann:s3cret@/x")]
    [InlineData("http://ann:s3cret@ch:99999/x")]
    [InlineData("http://ann:s3/cret@ch/x")]
    [InlineData("http://ann:1/s3cret@ch/x")]
    [InlineData("http://ann:s3#cret@ch/x")]
    [InlineData("http://ann:1?s3cret@ch/x")]
    [InlineData("http://ann:s3cret@ch/x/s3cret")]
    public void A_wrong_URL_is_explained_without_its_password(string url)
    {
        Assert.False(ClickHouseOptions.TryParse(url, out _, out string? error));

        Assert.Contains("http://user:password@host:8123/database", error, StringComparison.Ordinal);
        Assert.DoesNotContain("s3", error, StringComparison.Ordinal);
        Assert.Equal(error, Assert.Throws<FormatException>(() => ClickHouseOptions.Parse(url)).Message);
    }

    [Fact]
    public void Printing_the_options_shows_no_password() =>
        Assert.Equal("http://ch:8123/x as ann", ClickHouseOptions.Parse("http://ann:s3cret@ch/x").ToString());

    [Theory]
    [InlineData("http://localhost", true)]
    [InlineData("http://127.0.0.1:8123", true)]
    [InlineData("http://10.0.0.1", false)]
    public void Only_another_machine_is_worth_compressing_for(string url, bool isLoopback) =>
        Assert.Equal(isLoopback, ClickHouseOptions.Parse(url).IsLoopback);
}
