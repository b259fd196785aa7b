using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>
/// Broken and odd requests by the thousand, from fixed seeds: nothing throws, and what is taken or refused, and every
/// value, is what the reference says.
/// </summary>
public sealed class FuzzTests
{
    private const int MutationsPerSeed = 3_000;
    private const int GeneratedPerSeed = 2_500;

    private static readonly byte[][] Bodies = [.. RecordedRequests.All
        .Where(request => request is { IsCapture: true, Decoded: not null })
        .Select(request => Encoding.UTF8.GetBytes(request.Decoded!))];

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_mutated_recording_is_read_as_the_reference_reads_it(int seed)
    {
        var random = new Random(seed);
        using var parser = new CaptureParser(new CaptureLimits());
        for (int i = 0; i < MutationsPerSeed; i++)
        {
            byte[] body = JsonMutator.Mutate(random, Bodies[random.Next(Bodies.Length)]);
            AssertLikeReference(parser, body, random.Next(4) == 0);
        }
    }

    [Theory]
    [InlineData(11)]
    [InlineData(12)]
    [InlineData(13)]
    [InlineData(14)]
    public void A_generated_body_is_read_as_the_reference_reads_it(int seed)
    {
        var generator = new JsonGenerator(new Random(seed));
        using var parser = new CaptureParser(new CaptureLimits());
        int accepted = 0;
        for (int i = 0; i < GeneratedPerSeed; i++)
        {
            if (AssertLikeReference(parser, Encoding.UTF8.GetBytes(generator.Body()), i % 3 == 0)) accepted++;
        }

        // Otherwise the generator would only test refusals.
        Assert.InRange(accepted, GeneratedPerSeed / 10, GeneratedPerSeed * 9 / 10);
    }

    [Theory]
    [InlineData(21)]
    [InlineData(22)]
    public void Damaged_wrappings_never_throw(int seed)
    {
        var random = new Random(seed);
        using var parser = new CaptureParser(new CaptureLimits { MaxBodyBytes = 1024 * 1024 });
        var wrapped = RecordedRequests.All.Where(request => request.Body.Length > 0).ToArray();
        string[] queries = ["", "compression=gzip-js", "compression=lz64", "compression=base64", "data=%7B", "_=1795293600000"];
        string[] types = ["", "application/json", "application/x-www-form-urlencoded", "text/plain"];

        for (int i = 0; i < MutationsPerSeed; i++)
        {
            byte[] body = JsonMutator.Mutate(random, wrapped[random.Next(wrapped.Length)].Body);
            if (random.Next(4) == 0) body = Captured.Gzip(body);
            var facts = new RequestFacts
            {
                Query = queries[random.Next(queries.Length)],
                ContentType = types[random.Next(types.Length)],
                ContentEncoding = random.Next(2) == 0 ? "gzip" : "",
            };

            var rejection = parser.Parse(body, facts, Captured.Now);
            Captured.Read(parser, rejection);
            parser.ParseToken(body, facts);
        }
    }

    private static bool AssertLikeReference(CaptureParser parser, byte[] json, bool isEngage)
    {
        var reference = new ReferenceCapture(new CaptureLimits(), isEngage, Captured.Now);
        reference.Parse(json);
        var facts = new RequestFacts { IsEngage = isEngage };
        var actual = Captured.Read(parser, parser.Parse(json, facts, Captured.Now));
        string body = Encoding.UTF8.GetString(json);

        // What does not start like JSON is taken for a wrapping; what has a second batch is not read to its end.
        bool endsEarly = reference.Reason == RejectionReason.BadJson && actual.Rejection is not null;
        if (!endsEarly) Assert.True(reference.Reason == actual.Reason, $"{reference.Reason} {actual.Reason} {body}");
        if (actual.Rejection is not null) return false;

        Assert.Equal(reference.Token, actual.Token);
        Assert.Equal(reference.IsHistorical, actual.IsHistorical);
        Assert.Equal(reference.Events.Count, actual.Events.Count);
        foreach (var (expected, kept) in reference.Events.Zip(actual.Events))
        {
            var comparable = kept.HasOwnUuid ? kept with { Uuid = Guid.Empty } : kept;
            Assert.True(expected == comparable, $"{expected}\n{comparable}\n{body}");
        }

        Assert.Equal(reference.Refusals, actual.Refusals.Select(refusal => (refusal.Reason, refusal.Index, refusal.Raw)));
        return true;
    }
}
