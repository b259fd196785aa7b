using System.Collections.Concurrent;

namespace Gateway.Core.Admission;

/// <summary>
/// Lets so many requests be worked on at a time. While slots are free, to come in is one interlocked operation. When
/// there is none, requests wait in a <see cref="FairQueue"/>, and each slot that is given back goes to the project
/// whose turn it is. Nor is a slot given while as much as may waits for the journal already: there all wait in one
/// line, and where the disk is what is slow, this is where turns have to be taken.
/// </summary>
/// <remarks>
/// Who comes in reads first whether anybody waits and then takes a slot; who waits counts first and then looks for a
/// slot; who leaves, or is written, gives back first and then looks for one who waits. So no slot stays free beside
/// somebody who waits, and nobody overtakes.
/// </remarks>
public sealed class AdmissionGate
{
    private readonly ConcurrentQueue<AdmissionWait> _pool = new();
    private readonly Lock _lock = new();
    private readonly FairQueue _queue;
    private readonly AdmissionOptions _options;
    private readonly TimeProvider _time;
    private long _unwritten;
    private int _free;
    private int _waiting;
    private long _refused;
    private long _cancelled;

    public AdmissionGate(AdmissionOptions options, TimeProvider time)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(options.Slots, 1, nameof(options));
        (_options, _time, _free) = (options, time, options.Slots);
        _queue = new FairQueue(AdmissionOptions.Quantum, options.MaxWaiting, options.MaxWaitingOfOne);
    }

    public int Slots => _options.Slots;

    /// <summary>False: all wait in one line, first come first served.</summary>
    public bool IsFair => _options.IsFair;

    /// <summary>Slots in use.</summary>
    public int Busy => _options.Slots - Volatile.Read(ref _free);

    /// <summary>Bytes of <see cref="Write"/> that are not <see cref="Written"/> yet.</summary>
    public long UnwrittenBytes => Volatile.Read(ref _unwritten);

    /// <summary>Requests that wait for a slot.</summary>
    public int Waiting => Volatile.Read(ref _waiting);

    /// <summary>Requests that found as many waiting as may.</summary>
    public long Refused => Volatile.Read(ref _refused);

    /// <summary>Requests whose client went while they waited.</summary>
    public long Cancelled => Volatile.Read(ref _cancelled);

    /// <summary>What those waited that had to and came in.</summary>
    public WaitTimes Times { get; } = new();

    /// <summary>Takes a slot if one is free and nobody waits for it.</summary>
    public bool TryEnter() => Volatile.Read(ref _waiting) == 0 && TryTakeSlot();

    /// <summary>Takes a slot, or waits for one.</summary>
    /// <param name="key">Whose it is taken to be; equal keys share a turn.</param>
    /// <param name="cost">What its work is thought to cost, in bytes.</param>
    /// <param name="cancellationToken">Its client goes.</param>
    public ValueTask<AdmissionOutcome> EnterAsync(ulong key, long cost, CancellationToken cancellationToken)
    {
        if (TryEnter()) return new ValueTask<AdmissionOutcome>(AdmissionOutcome.Entered);
        if (!_pool.TryDequeue(out var wait)) wait = new AdmissionWait(this, _pool);

        wait.Set(_options.IsFair ? key : 0, Math.Max(cost, AdmissionOptions.LeastCost));
        wait.Since = _time.GetTimestamp();
        var task = wait.Task;
        lock (_lock)
        {
            if (!_queue.TryAdd(wait))
            {
                _refused++;
                _pool.Enqueue(wait);
                return new ValueTask<AdmissionOutcome>(AdmissionOutcome.Overloaded);
            }

            Interlocked.Increment(ref _waiting);
            GiveFreeSlots();
        }

        // It may have been let in by now; its outcome is taken only after this returns.
        wait.Watch(cancellationToken);
        return task;
    }

    /// <summary>Gives a slot back; the next one comes in.</summary>
    /// <param name="key">Whose it is taken to be.</param>
    /// <param name="excess">What it cost more than it seemed to, in bytes.</param>
    public void Leave(ulong key = 0, long excess = 0)
    {
        if (excess > 0 && Volatile.Read(ref _waiting) > 0)
        {
            lock (_lock) _queue.Charge(_options.IsFair ? key : 0, excess);
        }

        Interlocked.Increment(ref _free);
        LetIn();
    }

    /// <summary>So many bytes begin to wait for the disk, of a request that has given its slot back.</summary>
    public void Write(long bytes) => Interlocked.Add(ref _unwritten, bytes);

    /// <summary>So many bytes are on disk, or never will be.</summary>
    public void Written(long bytes)
    {
        Interlocked.Add(ref _unwritten, -bytes);
        LetIn();
    }

    internal void Cancel(AdmissionWait wait)
    {
        lock (_lock)
        {
            if (wait.Flow is null) return;

            _queue.Remove(wait);
            _cancelled++;
            Interlocked.Decrement(ref _waiting);
        }

        wait.Complete(AdmissionOutcome.Cancelled);
    }

    private void LetIn()
    {
        if (Volatile.Read(ref _waiting) == 0) return;

        lock (_lock) GiveFreeSlots();
    }

    private bool TryTakeSlot()
    {
        if (UnwrittenBytes >= AdmissionOptions.MaxUnwritten) return false;

        int free = Volatile.Read(ref _free);
        while (free > 0)
        {
            int seen = Interlocked.CompareExchange(ref _free, free - 1, free);
            if (seen == free) return true;
            free = seen;
        }

        return false;
    }

    private void GiveFreeSlots()
    {
        while (_queue.Count > 0 && TryTakeSlot())
        {
            var wait = (AdmissionWait)_queue.Take()!;
            Interlocked.Decrement(ref _waiting);
            Times.Count(_time.GetElapsedTime(wait.Since));
            wait.Complete(AdmissionOutcome.Entered);
        }
    }
}
