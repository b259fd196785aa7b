using System.IO.Compression;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Bench;

/// <summary>
/// Requests as a browser's SDK sends them, about 435 bytes an event. Ids are drawn at random, always the same ones:
/// what repeats from event to event is what repeats in service, or gzip would look better than it is.
/// </summary>
internal static class SampleEvents
{
    public const long Now = 1_795_293_600_000_000;

    public static byte[] Body(int events)
    {
        var random = new Random(events);
        return Request(string.Join(',', Enumerable.Range(0, events).Select(_ => Event(random))));
    }

    /// <summary>One event, its properties nested as deep as a body may be.</summary>
    public static byte[] DeepBody()
    {
        // The body, the batch, the event and its properties are levels too.
        int levels = new CaptureLimits().MaxDepth - 4;
        string nested = string.Concat(Enumerable.Repeat("""{"in":""", levels)) + "1" + new string('}', levels);
        return Request($$"""{"event":"deep","properties":{"tree":{{nested}},"distinct_id":"user_1"} }""");
    }

    /// <summary>One event with this many properties.</summary>
    public static byte[] WideBody(int properties)
    {
        var names = Enumerable.Range(0, properties).Select(i => $"""
            "property_{i}":"value {i * 7919}"
            """);
        return Request($$"""{"event":"wide","properties":{ {{string.Join(',', names)}},"distinct_id":"user_1"} }""");
    }

    public static byte[] Gzip(byte[] body)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.Optimal)) gzip.Write(body);
        return output.ToArray();
    }

    /// <summary>What capture makes of <see cref="Body"/> for the journal.</summary>
    public static byte[] Payload(int events)
    {
        using var parser = new CaptureParser(new CaptureLimits());
        var rejection = parser.Parse(Body(events), new RequestFacts { ClientIp = "203.0.113.7"u8 }, Now);
        Require(rejection is null && parser.AcceptedCount == events);
        return parser.Payload.ToArray();
    }

    /// <summary>For every benchmark's check of what it timed.</summary>
    public static void Require(bool isRight)
    {
        if (!isRight) throw new InvalidOperationException("The benchmark timed a wrong answer.");
    }

    private static byte[] Request(string events) => Encoding.UTF8.GetBytes(
        $$"""
        {"api_key":"phc_testtokentesttokentesttokentesttokentest12","batch":[{{events}}],
        "sent_at":"2026-11-21T20:39:44.858Z"}
        """.ReplaceLineEndings(""));

    private static string Event(Random random)
    {
        int product = random.Next(500);
        return $$"""
            {"uuid":"{{Uuid(random)}}","event":"order placed",
            "properties":{"distinct_id":"user_{{random.Next(10_000)}}",
            "$current_url":"https://shop.example/products/{{product}}","$host":"shop.example",
            "$pathname":"/products/{{product}}","$browser":"Chrome","$os":"Linux","$lib":"web",
            "$session_id":"{{Uuid(random)}}","plan":"pro","amount":{{random.Next(10_000) / 100}}.50,
            "items":[{"sku":"a{{random.Next(900)}}","n":2}]},"timestamp":"2026-11-21T20:39:{{random.Next(60):00}}.858Z"}
            """.ReplaceLineEndings("");
    }

    /// <summary>Version 7, of the same minute.</summary>
    private static Guid Uuid(Random random)
    {
        Span<byte> bytes = stackalloc byte[16];
        random.NextBytes(bytes);
        (bytes[0], bytes[1], bytes[2], bytes[3]) = (0x01, 0xa1, 0xff, 0xcb);
        bytes[6] = (byte)(0x70 | (bytes[6] & 0xf));
        bytes[8] = (byte)(0x80 | (bytes[8] & 0x3f));
        return new Guid(bytes, bigEndian: true);
    }
}
