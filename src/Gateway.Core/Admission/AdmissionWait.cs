using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;

namespace Gateway.Core.Admission;

/// <summary>How a request came to an end of its waiting.</summary>
public enum AdmissionOutcome : byte
{
    /// <summary>It has a slot, to be given back by <see cref="AdmissionGate.Leave"/>.</summary>
    Entered,

    /// <summary>As many wait as may: 503.</summary>
    Overloaded,

    /// <summary>Its client has gone.</summary>
    Cancelled,
}

/// <summary>One request that waits for a slot; goes back to its pool when its caller has taken the outcome.</summary>
internal sealed class AdmissionWait(AdmissionGate gate, ConcurrentQueue<AdmissionWait> pool)
    : FairItem, IValueTaskSource<AdmissionOutcome>, IThreadPoolWorkItem
{
    private ManualResetValueTaskSourceCore<AdmissionOutcome> _core;
    private CancellationTokenRegistration _cancellation;
    private AdmissionOutcome _outcome;

    /// <summary>When it began to wait, as the gate's clock has it.</summary>
    public long Since { get; set; }

    public ValueTask<AdmissionOutcome> Task => new(this, _core.Version);

    /// <summary>From now on its place is free when the client goes; perhaps at once.</summary>
    public void Watch(CancellationToken cancellationToken)
    {
        if (!cancellationToken.CanBeCanceled) return;

        _cancellation = cancellationToken.UnsafeRegister(
            static wait => ((AdmissionWait)wait!).Cancel(), this);
    }

    /// <summary>
    /// Lets it go on, on a thread of its own: whoever gives up a slot has an answer to write, and must not do the work
    /// of the next one first. It stands behind what the pool was given before, so that connections are read as well.
    /// </summary>
    public void Complete(AdmissionOutcome outcome)
    {
        _outcome = outcome;
        ThreadPool.UnsafeQueueUserWorkItem(this, preferLocal: false);
    }

    void IThreadPoolWorkItem.Execute() => _core.SetResult(_outcome);

    AdmissionOutcome IValueTaskSource<AdmissionOutcome>.GetResult(short token)
    {
        var outcome = _core.GetResult(token);

        // Waits for a cancellation that is under way: afterwards nobody knows of this wait any more.
        _cancellation.Dispose();
        _cancellation = default;
        _core.Reset();
        pool.Enqueue(this);
        return outcome;
    }

    ValueTaskSourceStatus IValueTaskSource<AdmissionOutcome>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<AdmissionOutcome>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);

    private void Cancel() => gate.Cancel(this);
}
