using System.Runtime.CompilerServices;
using System.Text.Json;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>
/// Broken and odd requests by the thousand: nothing throws, and what is taken or refused, and every value, is what the
/// reference says. <c>make fuzz</c> tries a million, half of them at a real gateway. Whatever differed once is kept in
/// <c>corpus</c>.
/// </summary>
public sealed class FuzzTests
{
    private const int RequestsPerSeed = 3_000;

    private static readonly CaptureLimits Small = new()
    {
        MaxBodyBytes = 64 << 10,
        MaxEventBytes = 4 << 10,
        MaxEvents = 8,
    };

    public static TheoryData<string> Corpus() =>
        new(Directory.EnumerateFiles(CorpusFolder(), "*.json").Select(path => Path.GetFileName(path)!));

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    public void A_request_is_read_as_the_reference_reads_it(int seed)
    {
        var source = new FuzzSource("phc_a");
        using var parser = new CaptureParser(Small);
        int accepted = 0;
        for (int i = 0; i < RequestsPerSeed; i++)
        {
            long number = (seed * 1_000_000L) + i;
            var request = source.Make(number);
            string? difference = request.Compare(parser, Small);
            Assert.True(difference is null, $"number {number}: {difference}\n{request}");
            if (!parser.Payload.IsEmpty) accepted++;
        }

        // Otherwise it would only test refusals.
        Assert.InRange(accepted, RequestsPerSeed / 5, RequestsPerSeed * 4 / 5);
    }

    [Theory]
    [MemberData(nameof(Corpus))]
    public void What_was_found_once_is_read_as_the_reference_reads_it(string file)
    {
        using var kept = JsonDocument.Parse(File.ReadAllText(Path.Combine(CorpusFolder(), file)));
        var root = kept.RootElement;
        Assert.NotEmpty(root.GetProperty("what").GetString()!);
        var request = new FuzzRequest(
            root.GetProperty("body").GetBytesFromBase64(), Text("query"), Text("content_type"), Text("content_encoding"), Text("engage") == "yes");

        foreach (var limits in (CaptureLimits[])[Small, new CaptureLimits()])
        {
            using var parser = new CaptureParser(limits);
            Assert.Null(request.Compare(parser, limits));
        }

        string Text(string name) => root.TryGetProperty(name, out var value) ? value.GetString()! : "";
    }

    [Fact]
    public void The_same_number_makes_the_same_request_and_another_one_another()
    {
        var one = new FuzzSource("phc_a").Make(42);
        var again = new FuzzSource("phc_a").Make(42);

        Assert.Equal(one.ToString(), again.ToString());
        Assert.NotEqual(one.ToString(), new FuzzSource("phc_a").Make(43).ToString());
    }

    [Fact]
    public void Every_event_of_a_request_is_found_however_it_was_wrapped()
    {
        // The source would be of no use if nearly all that it wraps were refused.
        var source = new FuzzSource("phc_a");
        var wrapped = Enumerable.Range(0, 2_000).Select(number => source.Make(number)).Where(request => request.Body is not [(byte)'{' or (byte)'[', ..]);
        int taken = wrapped.Count(request => request.Read(Small, Captured.Now) is { Reason: RejectionReason.None, Events.Count: > 0 });
        Assert.InRange(taken, 100, 1_500);
    }

    [Fact]
    public void A_question_for_flags_never_throws()
    {
        var source = new FuzzSource("phc_a");
        using var parser = new CaptureParser(Small);
        for (int number = 0; number < RequestsPerSeed; number++)
        {
            var request = source.Make(number);
            parser.ParseToken(request.Body, new RequestFacts
            {
                Query = request.Query,
                ContentType = request.ContentType,
                ContentEncoding = request.ContentEncoding,
            });
        }
    }

    private static string CorpusFolder([CallerFilePath] string here = "") =>
        Path.Combine(Path.GetDirectoryName(here)!, "corpus");
}
