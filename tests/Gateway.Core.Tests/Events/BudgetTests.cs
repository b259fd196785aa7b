using System.IO.Compression;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Events;

/// <summary>What a request costs in memory is charged as it grows, not when it is too late.</summary>
public sealed class BudgetTests
{
    private static readonly string Event =
        """{"api_key":"token","event":"e","distinct_id":"d","properties":{"text":"_"}}"""
            .Replace("\"_\"", $"\"{new string('x', 900_000)}\"", StringComparison.Ordinal);

    [Fact]
    public void A_body_that_inflates_past_the_budget_is_refused_before_it_is_held()
    {
        long held = 0;
        using var parser = new CaptureParser(new CaptureLimits(), TryCharge);

        var rejection = parser.Parse(Gzip(Event), default, nowMicros: 0);

        Assert.Equal(RejectionReason.Overloaded, rejection?.Reason);
        Assert.True(parser.Payload.IsEmpty);
        Assert.InRange(held, 0, 300_000);

        bool TryCharge(long bytes)
        {
            if (held + bytes > 300_000) return false;

            held += bytes;
            return true;
        }
    }

    [Fact]
    public void A_body_in_lz_strings_code_is_charged_for_what_it_unfolds_to()
    {
        // Each code repeats all of the one before and a unit more: 12 kB stand for 20 million units.
        byte[] bomb = LzBomb(6_000);
        long held = 0;
        using var parser = new CaptureParser(new CaptureLimits { MaxInflateRatio = int.MaxValue }, TryCharge);
        var facts = new RequestFacts { Query = "compression=lz64" };

        Assert.InRange(bomb.Length, 1_000, 20_000);
        Assert.Equal(RejectionReason.Overloaded, parser.Parse(bomb, facts, nowMicros: 0)?.Reason);
        Assert.InRange(held, 1_000, 300_000);

        bool TryCharge(long bytes)
        {
            if (held + bytes > 300_000) return false;

            held += bytes;
            return true;
        }
    }

    [Fact]
    public void A_usual_body_is_charged_nothing_also_after_a_large_one()
    {
        long held = 0;
        using var parser = new CaptureParser(new CaptureLimits(), bytes => (held += bytes) > 0);
        Assert.Null(parser.Parse(Gzip(Event), default, nowMicros: 0));
        Assert.True(held > 900_000);
        parser.Reset();
        held = 0;

        byte[] small = """{"api_key":"token","event":"e","distinct_id":"d"}"""u8.ToArray();
        Assert.Null(parser.Parse(small, default, nowMicros: 0));
        Assert.Equal(0, held);
    }

    [Fact]
    public void A_bomb_is_refused_before_it_is_inflated()
    {
        long held = 0;
        byte[] bomb = Captured.Gzip(new byte[100 << 20], CompressionLevel.Optimal);
        using var parser = new CaptureParser(new CaptureLimits(), bytes => (held += bytes) > 0);

        Assert.Equal(RejectionReason.BodyTooLarge, parser.Parse(bomb, default, nowMicros: 0)?.Reason);
        Assert.InRange(held, 0, 64 << 20);
    }

    /// <summary>An array's start, then ever longer stretches of the same unit, in compressToBase64's alphabet.</summary>
    private static byte[] LzBomb(int entries)
    {
        var bits = new List<int>();
        Add(0, 2);
        Add('[', 8);
        for (int i = 0, width = 3, untilWider = 4; i < entries; i++)
        {
            // The entry that is about to be made: what was written last and its first unit once more.
            Add(4 + i, width);
            if (--untilWider == 0) (untilWider, width) = (1 << width, width + 1);
        }

        while (bits.Count % 6 != 0) bits.Add(0);
        const string Alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        return [.. bits.Chunk(6).Select(six => (byte)Alphabet[six.Aggregate((value, bit) => (2 * value) + bit)])];

        void Add(int value, int count)
        {
            for (int bit = 0; bit < count; bit++) bits.Add((value >> bit) & 1);
        }
    }

    private static byte[] Gzip(string text)
    {
        using var output = new MemoryStream();
        using (var gzip = new GZipStream(output, CompressionLevel.NoCompression)) gzip.Write(Encoding.UTF8.GetBytes(text));
        return output.ToArray();
    }
}
