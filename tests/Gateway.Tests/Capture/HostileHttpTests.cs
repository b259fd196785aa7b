using System.Diagnostics;
using System.Net;
using System.Net.Http.Json;
using System.Net.Sockets;
using System.Text;
using System.Text.Json;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>Requests that no honest client sends. None may cost a 5xx, an event, or the next request.</summary>
public sealed class HostileHttpTests(HostileHttpTests.OneGateway shared) : IClassFixture<HostileHttpTests.OneGateway>
{
    private const string Good = """{"api_key":"phc_testtokentesttokentesttokentesttokentest12","event":"e","distinct_id":"d"}""";

    public static TheoryData<string> Corpus() =>
        new(Directory.EnumerateFiles(CorpusFolder, "*.http").Select(path => Path.GetFileName(path)!));

    private static string CorpusFolder => Build.Repository("tests", "Gateway.Core.Tests", "Events", "corpus");

    /// <summary>What was wrong, the status that is right, an empty line, and the request.</summary>
    [Theory]
    [MemberData(nameof(Corpus))]
    public async Task What_was_answered_wrongly_once_is_answered_rightly(string file)
    {
        string[] parts = (await File.ReadAllTextAsync(Path.Combine(CorpusFolder, file))).Split("\n\n", 2);
        string status = parts[0].Split('\n')[1].TrimStart('#', ' ');
        string answer = await RawHttp.SendSlowlyAsync(
            shared.Gateway.Address, [parts[1].ReplaceLineEndings("\r\n")], default, 30);
        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_lengths_are_400()
    {
        string answer = await RawHttp.SendAsync(shared.Gateway.Address,
            "POST /e/ HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("Transfer-Encoding: chunked", "5;\n\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "5;a\rb\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "5;a\nxx\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "5\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "zz\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "-5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "FFFFFFFFFFFFFFFFF\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: chunked", "5\r\nhello, world\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding: gzip", "hello")]
    [InlineData("Transfer-Encoding: chunked, identity", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Transfer-Encoding : chunked", "5\r\nhello\r\n0\r\n\r\n")]
    [InlineData("Content-Length: 1\r\nContent-Length: 2", "a")]
    [InlineData("Content-Length: 1, 1", "a")]
    [InlineData("Content-Length: -1", "")]
    [InlineData("Content-Length: 0x1", "a")]
    [InlineData("Content-Length: 99999999999999999999", "a")]
    [InlineData("Content-Length: 0\r\nHost: y", "")]
    [InlineData("Content-Length: 0\r\n folded: yes", "")]
    [InlineData("Content-Length: 0\r\nX-Name\0: y", "")]
    public async Task Tricks_with_the_framing_are_400_and_what_is_hidden_behind_them_is_no_request(
        string headers, string body)
    {
        string hidden = $"POST /e/ HTTP/1.1\r\nHost: x\r\nContent-Length: {Good.Length}\r\n\r\n{Good}";
        string answer = await RawHttp.SendSlowlyAsync(
            shared.Gateway.Address, [$"POST /e/ HTTP/1.1\r\nHost: x\r\n{headers}\r\n\r\n{body}{hidden}"], default, 30);

        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
        Assert.Equal(0, answer.IndexOf("HTTP/1.1", StringComparison.Ordinal));
        Assert.Equal(0, answer.LastIndexOf("HTTP/1.1", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("/flags/")]
    [InlineData("/decide/")]
    [InlineData("/api/login/")]
    public async Task A_chunk_beyond_all_sizes_is_400_outside_of_capture_too(string path)
    {
        string answer = await RawHttp.SendSlowlyAsync(
            shared.Gateway.Address,
            [$"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n80000000\r\n{{"],
            default, 30);
        Assert.StartsWith("HTTP/1.1 400", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_chunk_may_carry_an_extension_and_trailers_may_follow()
    {
        string answer = await RawHttp.SendAsync(shared.Gateway.Address,
            $"POST /e/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n{Good.Length:x};name=\"a;b\"\r\n{Good}\r\n0\r\nX-Sum: 1\r\n\r\n");
        Assert.StartsWith("HTTP/1.1 200", answer, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("GET /e/?data={0} HTTP/1.1\r\nHost: x\r\n\r\n", 70_000, "414")]
    [InlineData("POST /e/ HTTP/1.1\r\nHost: x\r\nX-Long: {0}\r\n\r\n", 70_000, "431")]
    [InlineData("{0} /e/ HTTP/1.1\r\nHost: x\r\n\r\n", 70_000, "414")]
    [InlineData("POST /e/\0{0} HTTP/1.1\r\nHost: x\r\n\r\n", 1, "400")]
    public async Task A_head_that_is_too_long_or_none_is_refused(string request, int length, string status)
    {
        string text = request.Replace("{0}", new string('A', length), StringComparison.Ordinal);
        string answer = await RawHttp.SendSlowlyAsync(shared.Gateway.Address, [text], default, 30);
        Assert.StartsWith($"HTTP/1.1 {status}", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Two_hundred_headers_are_refused()
    {
        string headers = string.Concat(Enumerable.Range(0, 200).Select(i => $"X-{i}: y\r\n"));
        string answer = await RawHttp.SendSlowlyAsync(
            shared.Gateway.Address, [$"GET /e/ HTTP/1.1\r\nHost: x\r\n{headers}\r\n"], default, 30);
        Assert.StartsWith("HTTP/1.1 431", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_shorter_than_its_length_is_400_and_nothing_of_it_is_kept()
    {
        string id = Guid.CreateVersion7().ToString();
        string body = Good.Replace("\"event\"", $"\"uuid\":\"{id}\",\"event\"", StringComparison.Ordinal);
        string answer = await RawHttp.SendAndFinishAsync(
            shared.Gateway.Address, $"POST /e/ HTTP/1.1\r\nHost: x\r\nContent-Length: {body.Length + 1}\r\n\r\n{body}");

        // There may be nobody left to answer.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 400", StringComparison.Ordinal), answer);
        using var after = await shared.Gateway.PostAsync("/e/", new { api_key = GatewayProcess.ProjectToken, @event = "after-short", distinct_id = "d" });
        await Eventually.HoldsAsync(
            async () => (await shared.Gateway.EventsAsync()).Any(row => row.Event == "after-short"),
            TimeSpan.FromSeconds(120), () => "what came after it is stored");
        Assert.DoesNotContain(await shared.Gateway.EventsAsync(), row => row.Uuid == id);
    }

    [Fact]
    public async Task A_chunked_body_without_an_end_is_413_at_the_limit()
    {
        string chunk = $"10000\r\n{new string('x', 0x10000)}\r\n";
        string answer = await RawHttp.SendSlowlyAsync(
            shared.Gateway.Address,
            Enumerable.Repeat(chunk, 1_000).Prepend("POST /e/ HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n"),
            default, 60);

        // Who goes on sending may miss the answer, but is closed.
        Assert.True(answer.Length == 0 || answer.StartsWith("HTTP/1.1 413", StringComparison.Ordinal), answer);
        await Eventually.HoldsAsync(
            async () => (await shared.Gateway.Http.GetStringAsync("/metrics"))
                .Contains("gateway_capture_bytes_in_flight 0", StringComparison.Ordinal),
            TimeSpan.FromSeconds(120), () => "its bytes are released");
    }

    [Fact]
    public async Task A_single_event_over_its_limit_is_413_and_one_beside_good_ones_is_refused_alone()
    {
        string large = new('x', 1 << 20);
        object[] events =
        [
            new { @event = "small", distinct_id = "d" },
            new { @event = "large", distinct_id = "d", properties = new { large } },
        ];
        using var single = await shared.Gateway.PostAsync("/batch/", new { api_key = GatewayProcess.ProjectToken, batch = events[1..] });
        using var beside = await shared.Gateway.PostAsync("/batch/", new { api_key = GatewayProcess.ProjectToken, batch = events });

        // The SDKs that split a batch on 413 then send what is good of it.
        Assert.Equal(HttpStatusCode.RequestEntityTooLarge, single.StatusCode);
        Assert.Contains("\"event_too_large\"", await single.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal(HttpStatusCode.OK, beside.StatusCode);
        Assert.Contains("\"event_too_large\"", await beside.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("/e/")]
    [InlineData("/flags/")]
    public async Task A_body_that_comes_too_slowly_is_408_and_the_connection_is_closed(string path)
    {
        var clock = Stopwatch.StartNew();
        string head = $"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 1000\r\n\r\n";
        string answer = await RawHttp.SendAsync(shared.Gateway.Address, head + "{", seconds: 40);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("Connection: close", answer, StringComparison.Ordinal);
        Assert.Contains("less than 1024 bytes a second", answer, StringComparison.Ordinal);
        Assert.InRange(clock.Elapsed.TotalSeconds, 4.9, 35);
    }

    [Fact]
    public async Task A_body_that_takes_its_time_but_not_too_long_is_taken()
    {
        byte[] body = Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
        {
            token = GatewayProcess.ProjectToken,
            @event = "patient",
            distinct_id = "d",
            properties = new { text = new string('x', 30_000) },
        }));
        using var client = new TcpClient { NoDelay = true };
        await client.ConnectAsync(shared.Gateway.Address.Host, shared.Gateway.Address.Port);
        var stream = client.GetStream();
        await stream.WriteAsync(Encoding.ASCII.GetBytes(
            $"POST /e/ HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: {body.Length}\r\n\r\n"));

        // Twenty seconds' worth at once, and the rest in pieces until well behind the grace.
        int sent = 20_480;
        await stream.WriteAsync(body.AsMemory(0, sent));
        for (int piece = (body.Length - sent) / 15; sent < body.Length; sent += piece)
        {
            await Task.Delay(400);
            await stream.WriteAsync(body.AsMemory(sent, Math.Min(piece, body.Length - sent)));
        }

        using var reader = new StreamReader(stream);
        Assert.StartsWith("HTTP/1.1 200", await reader.ReadToEndAsync(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_body_that_stalls_after_a_fast_start_is_closed_in_time_too()
    {
        string head = $"POST /e/ HTTP/1.1\r\nHost: x\r\nContent-Length: {10 << 20}\r\n\r\n";
        string answer = await RawHttp.SendAsync(shared.Gateway.Address, head + new string('x', 2 << 20), seconds: 40);
        Assert.StartsWith("HTTP/1.1 408", answer, StringComparison.Ordinal);
        Assert.Contains("body_read_timeout", answer, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_client_that_hangs_up_in_the_middle_of_its_body_costs_nothing()
    {
        using (var client = new TcpClient())
        {
            await client.ConnectAsync(shared.Gateway.Address.Host, shared.Gateway.Address.Port);
            await client.GetStream().WriteAsync("POST /e/ HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{"u8.ToArray());
            client.LingerState = new LingerOption(true, 0);
        }

        await Eventually.HoldsAsync(
            async () => (await shared.Gateway.Http.GetStringAsync("/metrics"))
                .Contains("gateway_capture_bytes_in_flight 0", StringComparison.Ordinal),
            TimeSpan.FromSeconds(120), () => "its bytes are released");
    }

    [Fact]
    public async Task A_body_over_the_limit_is_413_and_names_it()
    {
        // Who sends it all before it listens is heard out for five seconds, which a busy machine may not be done in.
        await Eventually.HoldsAsync(
            async () =>
            {
                using var body = new ByteArrayContent(new byte[(20 << 20) + 1]);
                using var answer = await shared.Gateway.Http.PostAsync("/e/", body);
                Assert.Equal(HttpStatusCode.RequestEntityTooLarge, answer.StatusCode);
                Assert.Contains("20971520", await answer.Content.ReadAsStringAsync(), StringComparison.Ordinal);
                return true;
            },
            TimeSpan.FromSeconds(60), () => "it is answered");
    }

    [Fact]
    public async Task An_event_in_a_long_query_is_taken()
    {
        string data = Convert.ToBase64String(Encoding.UTF8.GetBytes(
            JsonSerializer.Serialize(new
            {
                token = GatewayProcess.ProjectToken,
                @event = "long",
                distinct_id = "d",
                properties = new { text = new string('x', 40_000) },
            })));
        using var answer = await shared.Gateway.Http.GetAsync($"/e/?data={Uri.EscapeDataString(data)}");
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
    }

    [Fact]
    public async Task A_beacon_is_answered_204_and_kept()
    {
        string id = Guid.CreateVersion7().ToString();
        string body = Good.Replace("\"event\"", $"\"uuid\":\"{id}\",\"event\"", StringComparison.Ordinal);
        using var answer = await shared.Gateway.Http.PostAsync(
            "/e/?beacon=1", new StringContent(body, Encoding.UTF8, "text/plain"));
        Assert.Equal(HttpStatusCode.NoContent, answer.StatusCode);
        await Eventually.HoldsAsync(
            async () => (await shared.Gateway.EventsAsync()).Any(row => row.Uuid == id),
            TimeSpan.FromSeconds(120), () => "the event is stored");
    }

    [Theory]
    [InlineData("", "missing_payload")]
    [InlineData("{", "bad_json")]
    [InlineData("[]", "empty_batch")]
    [InlineData("7", "bad_shape")]
    public async Task A_malformed_body_is_400_with_a_code(string body, string code)
    {
        using var answer = await shared.Gateway.Http.PostAsync("/i/v0/e/", new StringContent(body));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
        Assert.Equal("validation_error", error.GetProperty("type").GetString());
        Assert.Equal(code, error.GetProperty("code").GetString());
    }

    [Theory]
    [InlineData("phx_0123456789012345678901234567890123456789012", "personal_key_as_token")]
    [InlineData("nothing-of-ours", "unknown_token")]
    public async Task A_token_that_opens_nothing_is_401_and_is_not_repeated_anywhere(string token, string code)
    {
        using var answer = await shared.Gateway.PostAsync("/batch/", new
        {
            api_key = token,
            batch = new[] { new { @event = "e", distinct_id = "d" } },
        });
        string body = await answer.Content.ReadAsStringAsync();

        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        Assert.Contains($"\"{code}\"", body, StringComparison.Ordinal);
        Assert.DoesNotContain(token, body, StringComparison.Ordinal);
        Assert.DoesNotContain(token, shared.Gateway.Output, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Good_events_beside_bad_ones_are_kept_and_the_answer_names_the_bad()
    {
        string id = Guid.CreateVersion7().ToString();
        using var answer = await shared.Gateway.PostAsync("/batch/", new
        {
            api_key = GatewayProcess.ProjectToken,
            batch = new object[]
            {
                new { @event = "good", distinct_id = "d", uuid = id },
                new { @event = "bad", distinct_id = "d", uuid = "not a uuid" },
                new { @event = "bad" },
            },
        });
        var body = await answer.Content.ReadFromJsonAsync<JsonElement>();

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(2, body.GetProperty("refused_count").GetInt32());
        Assert.Equal([1, 2], body.GetProperty("refused").EnumerateArray().Select(item => item.GetProperty("index").GetInt32()));
        Assert.Equal(
            ["bad_uuid", "missing_distinct_id"],
            body.GetProperty("refused").EnumerateArray().Select(item => item.GetProperty("code").GetString()));
        await Eventually.HoldsAsync(
            async () => (await shared.Gateway.EventsAsync()).Any(row => row.Uuid == id),
            TimeSpan.FromSeconds(120), () => "the good event is stored");
        Assert.DoesNotContain(await shared.Gateway.EventsAsync(), row => row.Event == "bad");
    }

    [Fact]
    public async Task A_preflight_allows_what_the_browser_asks_for()
    {
        using var request = new HttpRequestMessage(HttpMethod.Options, "/e/?ip=0");
        request.Headers.Add("Origin", "https://shop.example");
        request.Headers.Add("Access-Control-Request-Method", "POST");
        request.Headers.Add("Access-Control-Request-Headers", "content-type,x-anything");
        using var answer = await shared.Gateway.Http.SendAsync(request);

        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("https://shop.example", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Origin")));
        Assert.Equal("content-type,x-anything", Assert.Single(answer.Headers.GetValues("Access-Control-Allow-Headers")));
        Assert.Equal("""{"status":"Ok"}""", await answer.Content.ReadAsStringAsync());
    }

    /// <summary>One gateway for all tests of the class.</summary>
    public sealed class OneGateway : IAsyncLifetime
    {
        internal GatewayProcess Gateway { get; private set; } = null!;

        public async Task InitializeAsync() => Gateway = await GatewayProcess.StartAsync();

        // Whatever these tests sent, none of it was a failure of the gateway.
        public async Task DisposeAsync()
        {
            string metrics = await Gateway.Http.GetStringAsync("/metrics");
            Assert.Contains("gateway_capture_requests_total{outcome=\"failed\"} 0\n", metrics, StringComparison.Ordinal);
            bool isClean = !Gateway.Output.Contains("fail:", StringComparison.Ordinal)
                && !Gateway.Output.Contains("crit:", StringComparison.Ordinal);
            Assert.True(isClean, Gateway.Output);
            await Gateway.DisposeAsync();
        }
    }
}
