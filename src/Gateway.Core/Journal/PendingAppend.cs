using System.Collections.Concurrent;
using System.Threading.Tasks.Sources;
using Gateway.Core.Tokens;

namespace Gateway.Core.Journal;

/// <summary>
/// One append, or one refusal, on its way through a group; goes back to its pool when its caller has taken the
/// outcome. The payload is the caller's memory until then.
/// </summary>
internal sealed class PendingAppend : IValueTaskSource<AppendResult>
{
    private readonly ConcurrentQueue<PendingAppend> _pool;
    private ManualResetValueTaskSourceCore<AppendResult> _core;

    private PendingAppend(ConcurrentQueue<PendingAppend> pool)
    {
        _pool = pool;
        _core.RunContinuationsAsynchronously = true; // The committer must never run a request's code.
    }

    /// <summary>The neighbour in the group's list.</summary>
    public PendingAppend? Next { get; set; }

    /// <summary>Null for a refusal, which only waits for the fence.</summary>
    public TokenEntry? Entry { get; private set; }

    public long Version { get; private set; }

    public long ReceivedAtMicros { get; private set; }

    public ReadOnlyMemory<byte> Payload { get; private set; }

    public ValueTask<AppendResult> Task => new(this, _core.Version);

    /// <summary>The pool grows to as many appends as ever waited at once, which the host limits.</summary>
    public static PendingAppend Rent(
        ConcurrentQueue<PendingAppend> pool,
        TokenEntry? entry,
        long version,
        long receivedAtMicros,
        ReadOnlyMemory<byte> payload)
    {
        if (!pool.TryDequeue(out var pending)) pending = new PendingAppend(pool);

        pending.Entry = entry;
        pending.Version = version;
        pending.ReceivedAtMicros = receivedAtMicros;
        pending.Payload = payload;
        return pending;
    }

    /// <summary>Nothing of this object may be touched afterwards: its caller may have given it back already.</summary>
    public void Complete(AppendOutcome outcome, in FenceAnswer answer) =>
        _core.SetResult(new AppendResult(outcome, answer.Epoch, answer.Version));

    AppendResult IValueTaskSource<AppendResult>.GetResult(short token)
    {
        var result = _core.GetResult(token);

        _core.Reset();
        Next = null;
        Entry = null;
        Payload = default;
        _pool.Enqueue(this);
        return result;
    }

    ValueTaskSourceStatus IValueTaskSource<AppendResult>.GetStatus(short token) => _core.GetStatus(token);

    void IValueTaskSource<AppendResult>.OnCompleted(
        Action<object?> continuation, object? state, short token, ValueTaskSourceOnCompletedFlags flags) =>
        _core.OnCompleted(continuation, state, token, flags);
}
