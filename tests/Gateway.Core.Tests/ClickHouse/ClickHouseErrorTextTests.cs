using System.Text;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Tests.ClickHouse;

public sealed class ClickHouseErrorTextTests
{
    private const string Tag = "dngjzjnxkvlwkeua";
    private const string Text = "Code: 395. DB::Exception: boom. (FUNCTION_THROW_IF_VALUE_IS_NON_ZERO)";

    [Theory]
    [InlineData("Code: 62. DB::Exception: Syntax error", 62)]
    [InlineData("Code: 62, e.displayText() = DB::Exception: Syntax error", 62)]
    [InlineData("Poco::Exception. Code: 1000, e.code() = 1", 1000)]
    [InlineData("Code: ", 0)]
    [InlineData("502 Bad Gateway", 0)]
    [InlineData("", 0)]
    public void The_code_is_read_from_the_text(string text, int code) =>
        Assert.Equal(code, ClickHouseErrorText.Code(Encoding.UTF8.GetBytes(text)));

    [Theory]
    [InlineData("{\"n\":1}\n\r\n__exception__\r\n" + Tag + "\r\n" + Text + "\r\n70 " + Tag + "\r\n__exception__\r\n")]
    [InlineData("\r\n__exception__\r\n" + Tag + "\r\n" + Text)]
    [InlineData(Text + "\r\n70 " + Tag + "\r\n__exception__\r\n")]
    public void A_tagged_error_is_found_even_when_one_of_its_ends_is_missing(string tail) =>
        Assert.Equal(Text, Found(tail, Tag).Trim());

    [Theory]
    [InlineData("{\"n\":1}\n\r\n__exception__\r\n" + Text)]
    [InlineData("{\"n\":1}\n" + Text)]
    [InlineData(Text)]
    public void An_error_of_an_older_server_is_found(string tail) => Assert.Equal(Text, Found(tail, ""));

    [Theory]
    [InlineData("{\"s\":\"" + Text + "\"}\n", "")]
    [InlineData("{\"s\":\"__exception__ " + Text + "\"}\n", "")]
    [InlineData("{\"n\":1}\n\r\n__exception__\r\n" + Text, Tag)]
    [InlineData("", "")]
    [InlineData("", Tag)]
    public void A_row_that_imitates_an_error_is_a_row(string tail, string tag) => Assert.Empty(Found(tail, tag));

    [Theory]
    [InlineData("RowBinary")]
    [InlineData("Native")]
    public void Without_a_tag_binary_rows_are_not_searched_for_they_may_hold_anything(string format)
    {
        Assert.Empty(Found("\n" + Text, "", format));
        Assert.Empty(Found("\r\n__exception__\r\n" + Text, "", format));
        Assert.Equal(Text, Found("\r\n__exception__\r\n" + Tag + "\r\n" + Text, Tag, format).Trim());
    }

    private static string Found(string tail, string tag, string format = "JSONEachRow") => Encoding.UTF8.GetString(
        ClickHouseErrorText.FindInTail(Encoding.UTF8.GetBytes(tail), Encoding.UTF8.GetBytes(tag), format));
}
