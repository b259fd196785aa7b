using System.Collections.Concurrent;
using System.Diagnostics;

namespace Gateway.LoadTests.Slow;

/// <summary>Sends the pieces of all slow connections that send some, one after the other, on one thread.</summary>
internal sealed class SlowPieces : IDisposable
{
    /// <summary>Between two pieces: often enough to look alive, far below any rate that is of use.</summary>
    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(2);

    private static readonly TimeSpan Tick = TimeSpan.FromMilliseconds(20);

    /// <summary>All wait for the same time, so the first one is due first.</summary>
    private readonly ConcurrentQueue<(SlowConnection Connection, long Since)> _waiting = new();
    private readonly CancellationTokenSource _end = new();
    private readonly Task _sending;

    public SlowPieces() => _sending = SendAsync();

    public void Add(SlowConnection connection) => _waiting.Enqueue((connection, Stopwatch.GetTimestamp()));

    public void Dispose()
    {
        _end.Cancel();
        _sending.GetAwaiter().GetResult();
        _end.Dispose();
    }

    private async Task SendAsync()
    {
        while (!_end.IsCancellationRequested)
        {
            while (_waiting.TryPeek(out var next) && Stopwatch.GetElapsedTime(next.Since) >= Pause)
            {
                _waiting.TryDequeue(out _);
                if (next.Connection.TrySendPiece()) Add(next.Connection);
            }

            await Task.Delay(Tick, _end.Token).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        }
    }
}
