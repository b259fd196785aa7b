using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>The hot path allocates next to nothing: a stream or two to inflate with, and nothing for an event.</summary>
public sealed class ParseAllocationTests
{
    private const int Requests = 200;

    [Fact]
    public void A_single_plain_event_allocates_nothing() => Assert.Equal(0, AllocatedBytes(Body(1)));

    [Fact]
    public void A_plain_batch_allocates_nothing() => Assert.Equal(0, AllocatedBytes(Body(100)));

    [Fact]
    public void A_gzip_batch_allocates_at_most_4_bytes_an_event() =>
        Assert.InRange(AllocatedBytes(Captured.Gzip(Body(100))), 0, 400);

    [Fact]
    public void Escapes_refusals_and_repairs_allocate_nothing_either()
    {
        string events = string.Join(',', Enumerable.Repeat(
            "{\"event\":\"\\u0065\",\"distinct_id\":\"\\ud83c\",\"\\u0078\":1},{\"event\":\"no id\"}", 20));
        byte[] body = Encoding.UTF8.GetBytes($"{{\"api_key\":\"phc_a\",\"batch\":[{events}]}}");

        Assert.Equal(0, AllocatedBytes(body));
    }

    private static long AllocatedBytes(byte[] body)
    {
        using var parser = new CaptureParser(new CaptureLimits());
        for (int i = 0; i < 3; i++) Parse(parser, body);

        long before = GC.GetAllocatedBytesForCurrentThread();
        for (int i = 0; i < Requests; i++) Parse(parser, body);
        return (GC.GetAllocatedBytesForCurrentThread() - before) / Requests;
    }

    private static void Parse(CaptureParser parser, byte[] body)
    {
        if (parser.Parse(body, default, Captured.Now) is not null) Assert.Fail("The body is good.");
    }

    private static byte[] Body(int events) => Encoding.UTF8.GetBytes(
        $$"""{"api_key":"phc_a","batch":[{{string.Join(',', Enumerable.Range(0, events).Select(Event))}}],"sent_at":"2026-11-21T19:39:44.858Z"}""");

    private static string Event(int index) =>
        $$$"""{"event":"e{{{index}}}","properties":{"distinct_id":"d{{{index}}}","$os":"Linux","n":[{{{index}}}]},"timestamp":"2026-11-21T20:39:44.858Z"}""";
}
