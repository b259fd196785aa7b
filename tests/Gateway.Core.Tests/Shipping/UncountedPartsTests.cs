using Gateway.Core.Journal;
using Gateway.Core.Shipping;
using Gateway.Core.Tests.Journal;

namespace Gateway.Core.Tests.Shipping;

/// <summary>What was shipped is known by where it lies, until it is forgotten.</summary>
public sealed class UncountedPartsTests : IDisposable
{
    private const int Records = 12;

    private readonly TestJournal _journal = new();
    private readonly List<(JournalPosition From, JournalPosition Next)> _batches = [];

    [Fact]
    public void Ranges_that_follow_one_another_are_one_part_until_it_is_full()
    {
        var parts = Shipped(partBytes: 5000);
        var first = parts.At(_batches[0].From)!;

        // Records of 1000 bytes and a header: four of them, not five.
        Assert.Equal((_batches[0].From, _batches[3].Next), (first.From, first.Next));
        Assert.Equal((1ul, 4ul, 4L), (first.Range.First, first.Range.Last, first.Events));
        var second = parts.At(first.Next)!;
        Assert.Equal((_batches[4].From, 5ul, 8ul), (second.From, second.Range.First, second.Range.Last));
    }

    [Fact]
    public void A_range_larger_than_a_part_is_one_by_itself()
    {
        var parts = Shipped(partBytes: 10);

        foreach (var (from, next) in _batches)
        {
            var part = parts.At(from)!;
            Assert.Equal((from, next, 1L), (part.From, part.Next, part.Events));
        }
    }

    [Fact]
    public void A_place_inside_a_part_is_known_as_such_and_what_lies_before_it_is_not_known_any_more()
    {
        var parts = Shipped(partBytes: 5000);
        var inside = _batches[5].From;
        var part = parts.At(inside)!;
        Assert.True(part.From < inside && inside < part.Next);
        Assert.Null(parts.At(_batches[0].From));

        Assert.Null(parts.At(_batches[^1].Next));
    }

    [Fact]
    public void What_comes_after_all_was_forgotten_begins_anew()
    {
        var parts = Shipped(partBytes: 1 << 20);
        Assert.Null(parts.At(_batches[^1].Next));

        var from = _batches[^1].Next;
        _journal.Commit(new SampleRecord().Event("late").ToPayload());
        parts.Add(Read(from));
        Assert.Equal((from, 1L), (parts.At(from)!.From, parts.At(from)!.Events));
    }

    public void Dispose() => _journal.Dispose();

    /// <summary>One record in each range.</summary>
    private UncountedParts Shipped(int partBytes)
    {
        for (int i = 0; i < Records; i++)
            _journal.Commit(new SampleRecord().Event("e", properties: $$"""{"text":"{{new string('x', 1000)}}"}""").ToPayload());

        var parts = new UncountedParts(partBytes);
        for (var at = _journal.Journal.ShippedPosition; _batches.Count < Records; at = _batches[^1].Next)
            parts.Add(Read(at));

        return parts;
    }

    private JournalBatch Read(JournalPosition from)
    {
        var batch = new JournalBatch();
        Assert.True(_journal.Journal.Read(from, batch, 1));
        _batches.Add((batch.From, batch.Next));
        return batch;
    }
}
