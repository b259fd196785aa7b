using Gateway.Core.Journal;

namespace Gateway.Core.Tests.Journal;

/// <summary>A short life that is always the same, for one fault at each call of the disk in turn.</summary>
internal static class ScriptedLife
{
    private const int Groups = 9;

    /// <summary>
    /// Ends the process at the nth call, by a kill or a loss of power, and then at each call of the recovery that
    /// follows. False when the life has fewer calls.
    /// </summary>
    public static bool EndsAt(int call)
    {
        bool wasReached = false;
        for (int variant = 0; variant < 4; variant++)
        {
            for (int second = 0; ; second++)
            {
                using var run = new Run(call + (variant * 1000));
                wasReached |= run.Live(call);
                run.Fall(variant % 2 == 0);
                bool isSecond = run.RecoverUntil(second, variant < 2);
                run.Check();
                if (!isSecond) break;
            }
        }

        return wasReached;
    }

    /// <summary>Lets the nth call fail. False when the life has fewer calls.</summary>
    public static bool FailsAt(int call)
    {
        bool wasReached = false;
        foreach (int error in (int[])[SimulatedDisk.InputOutputError, SimulatedDisk.NoSpace])
        {
            using var run = new Run(call + error);
            wasReached |= run.LiveWithFault(call, error);
            run.Check();
            run.Fall(isPower: true);
            run.RecoverUntil(int.MaxValue, isPower: true);
            run.Check();
        }

        return wasReached;
    }

    private sealed class Run(int seed) : IDisposable
    {
        private readonly TestJournal _test = new(seed, new JournalOptions(TestJournal.Directory)
        {
            SegmentBytes = JournalOptions.SmallestSegment,
            QuotaBytes = 1 << 20,
        });

        private readonly HashSet<int> _kept = [];
        private int _shippedTo = -1;
        private int _mostShipped = -1;

        public void Dispose() => _test.Dispose();

        /// <summary>True when the process ended at the call.</summary>
        public bool Live(int call)
        {
            _test.Disk.CrashAt = _test.Disk.Calls + call;
            try
            {
                Work();
                return false;
            }
            catch (SimulatedCrashException)
            {
                return true;
            }
        }

        public bool LiveWithFault(int call, int error)
        {
            long at = _test.Disk.Calls + call;
            bool wasReached = false;
            _test.Disk.Fault = (_, _) =>
            {
                bool isIt = _test.Disk.Calls == at;
                wasReached |= isIt;
                return isIt ? error : 0;
            };
            Work();
            _test.Disk.Fault = null;
            return wasReached;
        }

        public void Fall(bool isPower)
        {
            if (isPower) _test.Disk.LosePower();
            else _test.Disk.Kill();
        }

        /// <summary>True when the process ended at this call of its recovery; in any case one runs then.</summary>
        public bool RecoverUntil(int call, bool isPower)
        {
            bool hasEnded = false;
            try
            {
                _test.Disk.CrashAt = call == int.MaxValue ? -1 : _test.Disk.Calls + call;
                _test.Reopen();
            }
            catch (SimulatedCrashException)
            {
                hasEnded = true;
                Fall(isPower);
                _test.Reopen();
            }

            _test.Disk.CrashAt = -1;
            return hasEnded;
        }

        public void Check()
        {
            var ids = _test.ReadIds();
            var kept = _kept.Where(id => id > _mostShipped).Order().ToList();
            Assert.True(kept.All(ids.Contains), $"Lost: of {string.Join(' ', kept)} there is {string.Join(' ', ids)}.");
            Assert.True(ids.All(id => id > _shippedTo), "Twice: something that was shipped is there.");
            Assert.Equal(ids.Distinct().Order(), ids);
            Assert.Equal(0, _test.Journal.Status.Counters.LostRecords);
        }

        /// <summary>Groups that fill some segments, one of them too large for any, and a position now and then.</summary>
        private void Work()
        {
            for (int group = 0; group < Groups; group++)
            {
                int first = group * 2;
                var answers = new[] { first, first + 1 }.Select(id =>
                    (Id: id, Answer: _test.Append(TestJournal.Payload(id, group == 5 ? 18_000 : 2200)))).ToList();
                _test.Journal.CommitOnce();
                foreach (var (id, answer) in answers)
                {
                    if (answer.Outcome == AppendOutcome.Kept) _kept.Add(id);
                }

                if (group % 3 == 2) Ship();
            }
        }

        private void Ship()
        {
            try
            {
                var all = _test.ReadAll(maxBytes: 1);
                if (all.Count < 2) return;

                _mostShipped = TestJournal.IdOf(all[^2].Payload);
                _test.Forget(all[^2].BatchEnd, new byte[600]);
                _shippedTo = _mostShipped;
            }
            catch (IOException)
            {
                // The shipper would try again.
            }
        }
    }
}
