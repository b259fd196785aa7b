using System.Text;
using Gateway.Core.Journal;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tests.Journal;

/// <summary>
/// Thousands of short lives of a journal on a disk that fails: whatever was acknowledged is there exactly once and in
/// order, whatever was refused for good is not, and a mere loss of power is never called damage.
/// </summary>
public sealed class SimulationTests
{
    private const int Seeds = 2000;

    [Fact]
    public void What_was_acknowledged_is_kept_through_every_fault()
    {
        for (int seed = 0; seed < Seeds; seed++)
        {
            using var life = new SimulatedLife(seed);
            try
            {
                life.Run();
            }
            catch (Exception exception)
            {
                throw new InvalidOperationException($"Seed {seed} fails.\n{life.Story}", exception);
            }
        }
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

    private sealed class SimulatedLife : IDisposable
    {
        private const int Steps = 35;

        private readonly Random _random;
        private readonly StringBuilder _story = new();
        private readonly List<int> _acknowledged = [];
        private readonly HashSet<int> _refused = [];
        private readonly HashSet<int> _shipped = [];
        private readonly TestJournal _test;
        private readonly List<byte[]> _payloads = [];

        public SimulatedLife(int seed)
        {
            _random = new Random(seed);
            _test = new TestJournal(seed, new JournalOptions(TestJournal.Directory)
            {
                SegmentBytes = 16 << 10 << _random.Next(2),
                QuotaBytes = 10 << 20,
                MaxGroupBytes = 8 << 10,
                MaxGroupRecords = 16,
            });
            _test.Disk.WritesShort = _random.Next(4) == 0;
        }

        public string Story => _story.ToString();

        public void Dispose() => _test.Dispose();

        public void Run()
        {
            for (int step = 0; step < Steps; step++) Step();
            Check();
        }

        private void Step()
        {
            int die = _random.Next(100);
            if (die < 60) CommitGroup();
            else if (die < 70) Ship();
            else if (die < 76) WithFault("sync fails", () => _test.Disk.FailSync = _ => _random.Next(3) == 0);
            else if (die < 80) WithFault("write fails", () => _test.Disk.FailWrite = _ => _random.Next(3) == 0);
            else if (die < 83) WithFault("no names", () => _test.Disk.FailSyncDirectory = _ => _random.Next(2) == 0);
            else if (die < 87) WithFault("disk full", () => _test.Disk.GrowthLeft = _random.Next(40_000));
            else if (die < 91) Restart("clean", () => _test.Dispose());
            else if (die < 95) Restart("killed", _test.Disk.Kill);
            else Restart("power lost", LosePowerWithGroupUnderWay);
        }

        private void CommitGroup()
        {
            var verdict = _random.Next(10) switch
            {
                0 => FenceVerdict.Moved,
                1 => FenceVerdict.Unavailable,
                _ => FenceVerdict.Same,
            };
            _test.Fence = (epoch, _) => ValueTask.FromResult(new FenceAnswer(verdict, epoch + 1));
            var ended = new TokenEntry(2, 8, [1]);
            List<(int Id, Answer Answer)> answers = [];
            for (int count = _random.Next(1, 8); count > 0; count--)
            {
                int length = _random.Next(60) == 0 ? 20_000 : _random.Next(4, 700);
                var entry = _random.Next(4) == 0 ? ended : null;
                answers.Add((_payloads.Count, _test.Append(NewPayload(length), entry: entry)));
            }

            ended.End();
            _test.Journal.CommitOnce();
            foreach (var (id, answer) in answers) Note(id, answer.Outcome);
        }

        private byte[] NewPayload(int length)
        {
            _payloads.Add(TestJournal.Payload(_payloads.Count, length));
            return _payloads[^1];
        }

        private void Note(int id, AppendOutcome outcome)
        {
            _story.Append(id).Append(' ').Append(outcome).AppendLine();
            if (outcome == AppendOutcome.Kept) _acknowledged.Add(id);
            if (outcome is AppendOutcome.Stale or AppendOutcome.Unfenced) _refused.Add(id);
        }

        private void Ship()
        {
            var batch = new JournalBatch();
            if (!_test.Journal.Read(_test.Journal.ShippedPosition, batch, _random.Next(1, 20_000))) return;

            foreach (var record in batch) _shipped.Add(TestJournal.IdOf(record.Payload.ToArray()));
            _test.Forget(batch.Next, new byte[] { (byte)batch.Count });
            _story.Append("shipped to ").Append(batch.Next).AppendLine();
        }

        private void WithFault(string name, Action set)
        {
            _story.AppendLine(name);
            set();
            CommitGroup();
            ClearFaults();
        }

        private void ClearFaults()
        {
            _test.Disk.FailSync = _ => false;
            _test.Disk.FailWrite = _ => false;
            _test.Disk.FailSyncDirectory = _ => false;
            _test.Disk.GrowthLeft = long.MaxValue;
        }

        /// <summary>The power goes during a sync: part of the group is on disk, and nobody is answered.</summary>
        private void LosePowerWithGroupUnderWay()
        {
            if (_random.Next(3) > 0)
            {
                _test.Disk.FailSync = _ => true;
                for (int count = _random.Next(1, 8); count > 0; count--)
                {
                    _test.Append(NewPayload(_random.Next(4, 3000)));
                }

                _test.Journal.CommitOnce();
                ClearFaults();
            }

            _test.Disk.LosePower();
        }

        private void Restart(string how, Action stop)
        {
            _story.AppendLine(how);
            Check();
            stop();
            _test.Reopen();
            Check();
        }

        private void Check()
        {
            var read = _test.ReadAll(maxBytes: _random.Next(1, 50_000));
            var ids = read.ConvertAll(record => TestJournal.IdOf(record.Payload));
            foreach (var record in read)
            {
                Assert.True(_payloads[TestJournal.IdOf(record.Payload)].AsSpan().SequenceEqual(record.Payload));
            }

            // Plain comparisons: the library's own, for collections, would take most of the time of all lives.
            Assert.False(_refused.Overlaps(ids), "What was refused for good is there.");
            Assert.False(_shipped.Overlaps(ids), "What was shipped is there again.");
            Assert.True(_acknowledged.Except(_shipped).SequenceEqual(ids.Intersect(_acknowledged)), "Something is lost.");
            Assert.True(ids.Count == ids.Distinct().Count(), "Something is there twice.");
            for (int i = 1; i < read.Count; i++)
            {
                if (read[i].Sequence != read[i - 1].Sequence + 1) Assert.Fail("A sequence is missing.");
            }

            Assert.Equal(0, _test.Journal.Status.Counters.LostRecords);
            Assert.False(_test.Logger.Has(LogLevel.Critical, ""), "A loss of power is called damage.");
        }
    }
}
