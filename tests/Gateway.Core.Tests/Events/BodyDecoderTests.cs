using System.IO.Compression;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>Every wrapping of the JSON, right and damaged.</summary>
public sealed class BodyDecoderTests
{
    private const string Form = "application/x-www-form-urlencoded";

    private static readonly string Json = Captured.Batch(",\"properties\":{\"text\":\"é😀 a+b ~~??\"}");

    public static TheoryData<string, string, string, string> Wrappings()
    {
        string base64 = Captured.Base64(Json);
        string gzip = Convert.ToBase64String(Captured.Gzip(Json));
        string inner = Convert.ToBase64String(Captured.Gzip(base64));
        return new()
        {
            { "plain", Json, "", "" },
            { "with a BOM", "\ufeff" + Json, "", "" },
            { "JSON called a form", Json, "", Form },
            { "base64", base64, "", "" },
            { "base64 and a line's end", base64 + "\r\n", "", "" },
            { "base64 without padding", base64.TrimEnd('='), "compression=base64", "" },
            { "base64 for URLs", base64.Replace('+', '-').Replace('/', '_'), "", "" },
            { "base64 twice", Captured.Base64(base64), "", "" },
            { "base64 of gzip", gzip, "compression=gzip-js", "" },
            { "base64 of gzip of base64", inner, "", "" },
            { "form", "data=" + Uri.EscapeDataString(Json), "", Form },
            { "form with plus for space", "ip=1&data=" + Uri.EscapeDataString(Json).Replace("%20", "+"), "", Form + "; charset=UTF-8" },
            { "form with base64", "data=" + Uri.EscapeDataString(base64), "compression=base64", Form },
            { "form with raw base64", "data=" + base64 + "&compression=base64", "", Form },
            { "form whose plus became space", "data=" + base64.Replace('+', ' '), "", Form },
            { "form not called so", "data=" + Uri.EscapeDataString(base64), "", "text/plain" },
            { "query", "", "data=" + Uri.EscapeDataString(Json), "" },
            { "query with base64", "", "?ip=0&data=" + Uri.EscapeDataString(base64) + "&verbose=0", "" },
            { "query before body", "junk", "data=" + Uri.EscapeDataString(base64), "" },
            { "query with gzip", "", "data=" + Uri.EscapeDataString(gzip), "" },
        };
    }

    [Theory]
    [MemberData(nameof(Wrappings))]
    public void Every_wrapping_is_undone(string name, string body, string query, string contentType)
    {
        var captured = Captured.Parse(body, query, contentType);

        Assert.True(captured.Rejection is null, $"{name}: {captured.Rejection}");
        Assert.Equal("{\"text\":\"é😀 a+b ~~??\"}", captured.Event.Properties);
    }

    [Theory]
    [InlineData("", "", "")]
    [InlineData("compression=gzip-js", "text/plain", "")]
    [InlineData("", Form, "gzip")]
    [InlineData("compression=base64", "application/json", "br")]
    public void Gzip_is_told_by_its_magic_whatever_the_labels(string query, string contentType, string contentEncoding) =>
        Assert.Null(Captured.Parse(Captured.Gzip(Json), query, contentType, contentEncoding).Rejection);

    [Theory]
    [InlineData("hello", Form, "", RejectionReason.BadEncoding)]
    [InlineData("hello, world", Form, "", RejectionReason.BadForm)]
    [InlineData("data=", Form, "", RejectionReason.MissingPayload)]
    [InlineData("ip=1", Form, "", RejectionReason.MissingPayload)]
    [InlineData("", Form, "", RejectionReason.MissingPayload)]
    [InlineData("!!!!", "", "", RejectionReason.BadJson)]
    [InlineData("!!!!", "", "compression=gzip", RejectionReason.BadCompression)]
    [InlineData("data=%7Bnot json", Form, "", RejectionReason.BadJson)]
    [InlineData("", "", "data=%", RejectionReason.BadJson)]
    public void What_cannot_be_unwrapped_is_refused(string body, string contentType, string query, RejectionReason reason) =>
        Assert.Equal(reason, Captured.Parse(body, query, contentType).Reason);

    [Fact]
    public void A_gzip_body_cut_anywhere_is_refused()
    {
        byte[] body = Captured.Gzip(Json);
        for (int length = 2; length < body.Length; length++)
            Assert.Equal(RejectionReason.BadCompression, Captured.Parse(body[..length]).Reason);
    }

    [Fact]
    public void A_gzip_body_with_junk_behind_it_is_refused()
    {
        byte[] body = Captured.Gzip(Json);
        for (int junk = 0; junk < 256; junk++)
        {
            Assert.Equal(RejectionReason.BadCompression, Captured.Parse([.. body, (byte)junk]).Reason);
            Assert.Equal(RejectionReason.BadCompression, Captured.Parse([.. body, (byte)junk, 0x8b, 8, 0]).Reason);
        }

        Assert.Equal(RejectionReason.BadCompression, Captured.Parse([.. body, .. body[^8..]]).Reason);
    }

    [Fact]
    public void A_flipped_bit_of_a_gzip_body_never_gives_other_events()
    {
        byte[] body = Captured.Gzip(Json);
        string expected = Captured.Parse(body).Event.Properties;
        for (int bit = 0; bit < body.Length * 8; bit++)
        {
            byte[] damaged = [.. body];
            damaged[bit / 8] ^= (byte)(1 << (bit % 8));
            var captured = Captured.Parse(damaged);
            if (captured.Rejection is null) Assert.Equal(expected, captured.Event.Properties);
        }
    }

    [Fact]
    public void Gzip_inside_gzip_is_refused() =>
        Assert.Equal(RejectionReason.BadCompression, Captured.Parse(Captured.Gzip(Captured.Gzip(Json))).Reason);

    [Fact]
    public void Gzip_inside_gzip_is_refused_through_layers_of_base64_too()
    {
        byte[] bomb = Captured.Gzip(new byte[1 << 20], CompressionLevel.Optimal);
        string inner = Convert.ToBase64String(Captured.Gzip(Convert.ToBase64String(bomb)));

        Assert.Equal(RejectionReason.BadCompression, Captured.Parse(Captured.Gzip(Convert.ToBase64String(bomb))).Reason);
        Assert.Equal(RejectionReason.BadCompression, Captured.Parse(inner).Reason);
        Assert.Equal(RejectionReason.BadJson, Captured.Parse(Captured.Base64(Captured.Base64(Captured.Base64(Json)))).Reason);
    }

    [Fact]
    public void A_byte_order_mark_is_taken_off_once()
    {
        Assert.Null(Captured.Parse(Captured.Gzip("\ufeff" + Json)).Rejection);
        Assert.Null(Captured.Parse(Captured.Base64("\ufeff" + Json)).Rejection);
        Assert.Equal(RejectionReason.BadJson, Captured.Parse("\ufeff\ufeff" + Json).Reason);
        Assert.Equal(RejectionReason.BadJson, Captured.Parse(Json + "\ufeff").Reason);
    }

    [Fact]
    public void More_than_the_ratio_is_refused_once_it_is_more_than_a_little()
    {
        byte[] small = Captured.Gzip(Captured.Batch($",\"x\":\"{new string('a', 900_000)}\""));
        byte[] large = Captured.Gzip(Captured.Batch($",\"x\":\"{new string('a', 900_000)}\",\"y\":\"{new string('b', 5_000_000)}\""));
        var limits = new CaptureLimits { MaxInflateRatio = 20, MaxEventBytes = 10_000_000 };

        Assert.Equal(RejectionReason.None, Captured.Parse(small, limits: limits).Reason);
        Assert.Equal(RejectionReason.BodyTooLarge, Captured.Parse(large, limits: limits).Reason);
    }

    [Fact]
    public void The_body_limit_holds_as_sent_and_as_inflated()
    {
        string json = Captured.Batch($",\"x\":\"{new string('a', 3000)}\"");
        var exact = new CaptureLimits { MaxBodyBytes = json.Length };
        var tight = new CaptureLimits { MaxBodyBytes = json.Length - 1 };

        Assert.Equal(RejectionReason.None, Captured.Parse(json, limits: exact).Reason);
        Assert.Equal(RejectionReason.None, Captured.Parse(Captured.Gzip(json), limits: exact).Reason);
        Assert.Equal(RejectionReason.BodyTooLarge, Captured.Parse(json, limits: tight).Reason);
        Assert.Equal(RejectionReason.BodyTooLarge, Captured.Parse(Captured.Gzip(json), limits: tight).Reason);
    }

    /// <summary>Made by lz-string 1.5.0's compressToBase64.</summary>
    [Theory]
    [InlineData("")]
    [InlineData("data=")]
    public void Lz_string_is_decoded_when_the_request_says_so(string prefix)
    {
        const string Text =
            "N4IghgDglg+g1gUwJ4gFwggCwMYwC4IDOeeA9ogHYHFmXUnkJVEN0sCMATCADQgIA3JnjQgANgC9eIACZRiUCtjwwoM0er4QATqQgJteKETSgCADxHoAl4F4NwAB7" +
            "AAjAAjbK/duP3r78/+fAL9AkOCwoIjQyPCoj2kAEjEoF1EAdwQUgF9MoA==";

        var captured = Captured.Parse(prefix + Text, "compression=lz64", prefix.Length > 0 ? Form : "");
        Assert.Equal("lz", captured.Event.Name);
        Assert.Equal(
            $$"""{"text":"é😀 {{string.Concat(Enumerable.Repeat("abc", 40))}}","$lib":"web"}""", captured.Event.Properties);
        Assert.NotNull(Captured.Parse(Text).Rejection);
        for (int length = 1; length < Text.Length - 4; length++)
            Assert.NotNull(Captured.Parse(Text[..length], "compression=lz64").Rejection);
    }

    [Theory]
    [InlineData("\\ud83c", "\\ufffd")]
    [InlineData("\\uDC00\\uD83D", "\\ufffd\\ufffd")]
    [InlineData("\\ud83d\\ude00", "\\ud83d\\ude00")]
    [InlineData("\\ud83d\\ud83d\\ude00", "\\ufffd\\ud83d\\ude00")]
    [InlineData("\\\\ud83c", "\\\\ud83c")]
    [InlineData("\\\\\\ud83c", "\\\\\\ufffd")]
    [InlineData("\\u00e9\\ud83", "\\u00e9\\ud83")]
    [InlineData("\\ud83c\\", "\\ufffd\\")]
    [InlineData("\\ud83c\\u0041", "\\ufffd\\u0041")]
    public void Only_a_lone_surrogate_is_replaced(string text, string expected)
    {
        byte[] bytes = Encoding.ASCII.GetBytes(text);
        LoneSurrogates.Replace(bytes);
        Assert.Equal(expected, Encoding.ASCII.GetString(bytes));
    }
}
