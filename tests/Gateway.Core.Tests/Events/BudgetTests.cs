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
        var budget = new Budget(300_000);
        using var parser = new CaptureParser(new CaptureLimits(), budget.TryCharge);

        var rejection = parser.Parse(Gzip(Event), default, nowMicros: 0);

        Assert.Equal(RejectionReason.Overloaded, rejection?.Reason);
        Assert.True(parser.Payload.IsEmpty);
        Assert.True(budget.IsMet);
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public void What_was_unwrapped_is_given_back_once_it_is_parsed()
    {
        var budget = new Budget(long.MaxValue);
        using var parser = new CaptureParser(new CaptureLimits(), budget.TryCharge);

        Assert.Null(parser.Parse(Gzip(Event), default, nowMicros: 0));

        // The text and the row that was made of it, and then the row alone, which waits for the disk.
        Assert.True(budget.Most >= 2 * 900_000);
        Assert.InRange(budget.Held, parser.Payload.Length, budget.Most - 900_000);

        parser.Reset();
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public void A_body_in_lz_strings_code_is_charged_for_what_it_unfolds_to()
    {
        // Each code repeats all of the one before and a unit more: 12 kB stand for 20 million units.
        byte[] bomb = LzBomb(6_000);
        var budget = new Budget(300_000);
        using var parser = new CaptureParser(new CaptureLimits { MaxInflateRatio = int.MaxValue }, budget.TryCharge);
        var facts = new RequestFacts { Query = "compression=lz64" };

        Assert.InRange(bomb.Length, 1_000, 20_000);
        Assert.Equal(RejectionReason.Overloaded, parser.Parse(bomb, facts, nowMicros: 0)?.Reason);
        Assert.True(budget.IsMet);
        Assert.InRange(budget.Most, 1_000, 300_000);
        Assert.Equal(0, budget.Held);
    }

    [Fact]
    public void A_usual_body_is_charged_nothing_also_after_a_large_one()
    {
        var budget = new Budget(long.MaxValue);
        using var parser = new CaptureParser(new CaptureLimits(), budget.TryCharge);
        Assert.Null(parser.Parse(Gzip(Event), default, nowMicros: 0));
        Assert.True(budget.Most > 900_000);
        parser.Reset();
        budget.Most = 0;

        byte[] small = """{"api_key":"token","event":"e","distinct_id":"d"}"""u8.ToArray();
        Assert.Null(parser.Parse(small, default, nowMicros: 0));
        Assert.Equal(0, budget.Most);
    }

    [Fact]
    public void A_bomb_is_refused_before_it_is_inflated()
    {
        byte[] bomb = Captured.Gzip(new byte[100 << 20], CompressionLevel.Optimal);
        var budget = new Budget(long.MaxValue);
        using var parser = new CaptureParser(new CaptureLimits(), budget.TryCharge);

        Assert.Equal(RejectionReason.BodyTooLarge, parser.Parse(bomb, default, nowMicros: 0)?.Reason);
        Assert.InRange(budget.Most, 0, 64 << 20);
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

    private sealed class Budget(long limit)
    {
        public long Held { get; private set; }

        public long Most { get; set; }

        public bool IsMet { get; private set; }

        public bool TryCharge(long bytes)
        {
            IsMet |= Held + bytes > limit;
            if (Held + bytes > limit) return false;

            Held += bytes;
            Most = Math.Max(Most, Held);
            Assert.True(Held >= 0);
            return true;
        }
    }
}
