namespace Gateway.Core.Journal;

/// <summary>
/// The two threads of a running journal: the committer, whose syncs block, and the one that keeps a spare segment
/// ready. An exception that escapes them is a defect of ours and ends the process: the journal survives that.
/// </summary>
internal sealed class JournalThreads
{
    private readonly GroupCommitter _committer;
    private readonly SegmentStore _store;
    private readonly WakeUp _work = new();
    private readonly WakeUp _spareWanted = new();
    private readonly TaskCompletionSource _committerEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private readonly TaskCompletionSource _sparesEnded = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private volatile bool _stopping;

    public JournalThreads(GroupCommitter committer, SegmentStore store)
    {
        (_committer, _store) = (committer, store);
        new Thread(Commit) { Name = "journal committer", IsBackground = true }.Start();
        new Thread(KeepSpare) { Name = "journal spares", IsBackground = true }.Start();
    }

    public void WakeCommitter() => _work.Set();

    public async Task StopAsync()
    {
        _stopping = true;
        _work.Set();
        await _committerEnded.Task;
        _spareWanted.Set();
        await _sparesEnded.Task;
    }

    private void Commit()
    {
        Segment? active = null;
        while (!_stopping)
        {
            _work.Wait();
            while (CommitOnce())
            {
                if (active == _store.Active) continue;
                active = _store.Active;
                _spareWanted.Set();
            }
        }

        _committer.CommitLast();
        _committerEnded.SetResult();
    }

    /// <summary>
    /// Where others want the processor, they go first: requests that are being read join the group, and one sync serves
    /// nearly twice as many. Where nobody does, this takes no time.
    /// </summary>
    private bool CommitOnce()
    {
        Thread.Yield();
        return _committer.CommitOnce();
    }

    private void KeepSpare()
    {
        while (true)
        {
            _spareWanted.Wait();
            if (_stopping) break;
            _store.Spares.Ensure();
        }

        _sparesEnded.SetResult();
    }

    /// <summary>An event that resets itself, and that a late append may still set: it needs no disposal.</summary>
    private sealed class WakeUp
    {
        private readonly object _monitor = new();
        private bool _isSet;

        public void Set()
        {
            lock (_monitor)
            {
                _isSet = true;
                Monitor.Pulse(_monitor);
            }
        }

        public void Wait()
        {
            lock (_monitor)
            {
                while (!_isSet) Monitor.Wait(_monitor);
                _isSet = false;
            }
        }
    }
}
