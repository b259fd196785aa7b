using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

/// <summary>
/// Thousands of short lives of a journal on a disk that fails: whatever was acknowledged is there exactly once and in
/// order, whatever was refused for good is not, and a mere loss of power is never called damage.
/// </summary>
public sealed class SimulationTests
{
    /// <summary>Thousands of lives, or as many as <c>make simulate</c> asks for.</summary>
    [Fact]
    public void What_was_acknowledged_is_kept_through_every_fault()
    {
        var simulation = new Simulation();
        simulation.Run();

        Assert.True(simulation.FirstFailure is null, simulation.FirstFailure);
    }

    /// <summary>
    /// 239966: both copies of a header were lost after a failed sync, and the records that it had bounded came back with
    /// sequences that had been given again.
    /// </summary>
    [Theory]
    [InlineData(239966)]
    public void A_life_that_went_wrong_once_goes_well(int seed)
    {
        using var life = new SimulatedLife(seed);
        life.Run();
    }

    /// <summary>One short life, ended at each of its calls in turn, and ended again at a call of its recovery.</summary>
    [Fact]
    public void The_process_may_end_at_any_call_of_the_disk()
    {
        int calls = 0;
        for (; ScriptedLife.EndsAt(calls); calls++)
        {
        }

        Assert.True(calls > 60, $"Only {calls} calls.");
    }

    /// <summary>One short life in which one call fails, each in turn, for lack of space and for any other reason.</summary>
    [Fact]
    public void Any_call_of_the_disk_may_fail()
    {
        int calls = 0;
        for (; ScriptedLife.FailsAt(calls); calls++)
        {
        }

        Assert.True(calls > 60, $"Only {calls} calls.");
    }

    [Fact]
    public void A_flipped_bit_costs_its_own_record_and_is_told()
    {
        for (int seed = 0; seed < 300; seed++)
        {
            var random = new Random(seed);
            using var test = new TestJournal(seed);
            int id = 0;
            for (int group = 0; group < 12; group++)
            {
                test.Commit([.. Enumerable.Range(0, random.Next(1, 6))
                    .Select(_ => (ReadOnlyMemory<byte>)TestJournal.Payload(id++, random.Next(4, 3000)))]);
            }

            // The last group is left alone: damage in it cannot be told from a torn tail.
            var all = test.ReadAll(maxBytes: 1);
            int last = all.FindIndex(record => record.Group == all[^1].Group);
            var hit = all[random.Next(last)];
            int at = (int)hit.BatchEnd.Offset - 1 - random.Next(hit.Payload.Length + 40);
            test.Disk.Kill();
            test.Disk.Corrupt(test.SegmentPath(hit.BatchEnd.Segment), at, (byte)(1 << random.Next(8)));
            test.Reopen();

            var expected = all.Where(record => record != hit).Select(record => record.Sequence);
            Assert.Equal(expected, test.ReadAll().Select(record => record.Sequence));
            Assert.Equal(1, test.Journal.Status.Counters.LostRecords);
            Assert.True(test.Logger.Has(LogLevel.Critical, $"sequences {hit.Sequence} to"), $"seed {seed}");
        }
    }
}
