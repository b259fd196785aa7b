using System.IO.Compression;
using System.Text;
using Gateway.Core.Admission;
using Gateway.Core.Events;
using Gateway.Core.Tests.Events;

namespace Gateway.Core.Tests.Admission;

public sealed class TokenHintsTests
{
    private readonly List<string> _live = ["phc_a", "phc_b"];
    private readonly TokenHints _hints;

    public TokenHintsTests() => _hints = new TokenHints(ProjectOf);

    private ulong ProjectOf(ReadOnlySpan<byte> token)
    {
        for (int i = 0; i < _live.Count; i++)
        {
            if (Ascii.Equals(token, _live[i])) return (ulong)i + 1;
        }

        return 0;
    }

    private ulong KeyOf(string token) => TokenHints.OfProject(ProjectOf(Encoding.ASCII.GetBytes(token)));

    /// <summary>What no SDK of the recordings' versions but some old ones do: base64 in a form, or lz-string.</summary>
    private static bool IsWrapped(RecordedRequest request) =>
        !GzipBody.IsGzip(request.Body) && request.Body.AsSpan().IndexOfAny("{["u8) != 0;

    public static TheoryData<string> Sources() =>
        [.. RecordedRequests.All.Where(request => request.IsCapture && !IsWrapped(request)).Select(request => request.Source)];

    [Theory]
    [MemberData(nameof(Sources))]
    public void What_real_SDKs_send_is_known_by_its_token(string source)
    {
        var request = RecordedRequests.All.Single(request => request.Source == source);
        var parsed = Captured.Parse(request.Body, request.Query, request.ContentType, request.ContentEncoding);
        if (parsed.Rejection is not null) return;

        _live.Add(parsed.Token);

        // Only of gzip is the end not looked at, where Python's SDK has its token.
        ulong wanted = GzipBody.IsGzip(request.Body) && !Beginning(request.Body).Contains(parsed.Token)
            ? TokenHints.None
            : KeyOf(parsed.Token);
        Assert.Equal(wanted, _hints.Find(request.Query, request.Body));
    }

    private static string Beginning(byte[] gzip)
    {
        using var inflated = new GZipStream(new MemoryStream(gzip), CompressionMode.Decompress);
        byte[] bytes = new byte[500];
        return Encoding.Latin1.GetString(bytes, 0, inflated.ReadAtLeast(bytes, bytes.Length, throwOnEndOfStream: false));
    }

    [Fact]
    public void There_are_recordings_of_plain_and_of_gzip_bodies()
    {
        Assert.Contains(RecordedRequests.All, request => request.IsCapture && GzipBody.IsGzip(request.Body));
        Assert.Contains(RecordedRequests.All, request => request.IsCapture && request.Body is [(byte)'{', ..]);
    }

    [Theory]
    [InlineData("""{"api_key":"phc_a","batch":[]}""")]
    [InlineData("""{ "api_key" : "phc_a" }""")]
    [InlineData("""{"token":"phc_a"}""")]
    [InlineData("""[{"event":"e","properties":{"token":"phc_a"}}]""")]
    public void A_token_is_found_at_the_beginning_and_at_the_end(string body)
    {
        ulong wanted = KeyOf("phc_a");
        Assert.Equal(wanted, _hints.FindAtOnce(Encoding.UTF8.GetBytes(body)));
        Assert.Equal(wanted, _hints.Find("", Captured.Gzip(body)));

        string late = $$"""{"batch":[{"x":"{{new string('y', 5000)}}"}],"rest":{{body}}}""";
        Assert.Equal(wanted, _hints.FindAtOnce(Encoding.UTF8.GetBytes(late)));
    }

    [Theory]
    [InlineData("")]
    [InlineData("{}")]
    [InlineData("\"api_key\"")]
    [InlineData("{\"api_key\":")]
    [InlineData("{\"api_key\":\"phc_a")]
    [InlineData("{\"api_key\":\"\"}")]
    [InlineData("{\"api_key\":17}")]
    [InlineData("{\"my_api_key\":\"phc_a\"}")]
    [InlineData("{\"my_token\":\"phc_a\"}")]
    [InlineData("{\"api_key\":\"phc_\\u0061\"}")]
    [InlineData("{\"api_key\":\"aaaaaaaaaabbbbbbbbbbccccccccccddddddddddeeeeeeeeeeffffffffff12345\"}")]
    public void What_is_no_token_gives_no_key(string body)
    {
        var credulous = new TokenHints(_ => 1);
        Assert.Equal(TokenHints.None, credulous.Find("", Encoding.UTF8.GetBytes(body)));
        Assert.Equal(TokenHints.None, credulous.Find("", Captured.Gzip(body)));
    }

    [Theory]
    [InlineData("", """{"api_key":"phc_unheard","batch":[]}""")]
    [InlineData("?token=r17", """{"batch":[]}""")]
    [InlineData("?api_key=r17", "")]
    public void A_token_that_is_not_known_to_be_live_gives_no_key(string query, string body)
    {
        Assert.Equal(TokenHints.None, _hints.Find(query, Encoding.UTF8.GetBytes(body)));
        Assert.Equal(TokenHints.None, _hints.Find(query, Captured.Gzip(body)));
    }

    [Theory]
    [InlineData("""{"my_api_key":"r17","api_key":"phc_a"}""")]
    [InlineData("""{"my_token":"r17","token":"phc_a"}""")]
    public void Text_that_only_looks_like_a_tokens_key_hides_no_token(string body)
    {
        Assert.Equal(KeyOf("phc_a"), _hints.Find("?token=r17", Encoding.UTF8.GetBytes(body)));
        Assert.Equal(KeyOf("phc_a"), _hints.Find("?token=r17", Captured.Gzip(body)));
    }

    [Fact]
    public void The_body_goes_before_the_query()
    {
        byte[] body = """{"api_key":"phc_b"}"""u8.ToArray();
        Assert.Equal(KeyOf("phc_b"), _hints.Find("?v=1&api_key=phc_a", body));
        Assert.Equal(KeyOf("phc_b"), _hints.Find("?token=phc_a", Captured.Gzip("""{"api_key":"phc_b"}""")));
        Assert.Equal(KeyOf("phc_a"), _hints.Find("token=phc_a", "{}"u8.ToArray()));
        Assert.Equal(KeyOf("phc_a"), _hints.Find("?v=1&api_key=phc_a", Captured.Gzip("{}")));
    }

    [Fact]
    public void Gzip_that_is_cut_or_damaged_anywhere_does_no_harm()
    {
        byte[] body = Captured.Gzip("""{"api_key":"phc_a","batch":[]}""");
        for (int length = 0; length <= body.Length; length++)
        {
            byte[] damaged = body[..length];
            _hints.Find("", damaged);
            TokenHints.CostOf(damaged, 1000);
            if (length > 2) damaged[^1] ^= 0xff;
            _hints.Find("", damaged);
        }
    }

    [Theory]
    [InlineData("""{"api_key":"phc_a","batch":[]}""", "phc_a")]
    [InlineData("  { \"token\" : \"phc_a\", \"x\": 1}", "phc_a")]
    [InlineData("""{"batch":[],"api_key":"phc_a"}""", "")]
    [InlineData("""[{"api_key":"phc_a"}]""", "")]
    [InlineData("""{"api_key":["phc_a"]}""", "")]
    [InlineData("""{"my_api_key":"phc_a"}""", "")]
    [InlineData("""data={"api_key":"phc_a"}""", "")]
    [InlineData("", "")]
    public void Only_a_first_key_is_certain(string body, string token)
    {
        Span<byte> room = stackalloc byte[TokenHints.MaxTokenBytes];
        int length = TokenHints.FindCertain(Encoding.UTF8.GetBytes(body), room);
        Assert.Equal(token, Encoding.UTF8.GetString(room[..length]));

        length = TokenHints.FindCertain(Captured.Gzip(body), room);
        Assert.Equal(token, Encoding.UTF8.GetString(room[..length]));
    }

    [Theory]
    [InlineData("""{"api_key":"phc_a","api_key":"phc_b","event":"e","distinct_id":"d"}""")]
    [InlineData("""{"api_key":"phc_a","token":"phc_b","batch":[{"event":"e","distinct_id":"d"}]}""")]
    [InlineData("""{"token":"phc_a","event":"e","distinct_id":"d","properties":{"token":"phc_b"}}""")]
    [InlineData("""{"api_key":"phc_a","event":"e","distinct_id":"d","$token":"phc_b"}""")]
    [InlineData("""{"api_key":"phc_a","batch":[{"event":"e","distinct_id":"d","api_key":"phc_b"}]}""")]
    public void A_request_is_its_first_keys_or_is_refused(string body)
    {
        var parsed = Captured.Parse(body);
        Assert.True(parsed.Rejection is not null || parsed.Token == "phc_a", parsed.Token);
    }

    [Fact]
    public void Gzip_costs_what_it_says_it_inflates_to_within_limits()
    {
        byte[] body = Captured.Gzip(new string('x', 50_000));
        Assert.Equal(50_000, TokenHints.CostOf(body, 1 << 20));
        Assert.Equal(10_000, TokenHints.CostOf(body, 10_000));
        Assert.Equal(7, TokenHints.CostOf("{\"a\":1}"u8, 1 << 20));

        // A sender who says less than it sent is not believed that.
        byte[] forged = [.. body[..^4], 0, 0, 0, 0];
        Assert.Equal(forged.Length, TokenHints.CostOf(forged, 1 << 20));
    }

    [Fact]
    public void To_look_at_a_plain_body_allocates_nothing()
    {
        byte[] body = Encoding.UTF8.GetBytes($$"""{"batch":["{{new string('x', 5000)}}"],"api_key":"phc_a"}""");
        Look(10);

        long before = GC.GetAllocatedBytesForCurrentThread();
        Look(1000);
        Assert.Equal(0, GC.GetAllocatedBytesForCurrentThread() - before);

        void Look(int times)
        {
            for (int i = 0; i < times; i++)
            {
                if (_hints.FindAtOnce(body) == TokenHints.None) Assert.Fail("It is there.");
            }
        }
    }
}
