using System.Collections.Concurrent;
using System.Globalization;

namespace Gateway.LoadTests.Slow;

/// <summary>
/// Many slow connections, in a process of its own: a process may have 20 000 files open. Half of them are idle, the
/// rest are slow in every other way; one that the gateway closes is opened again. At the end of its input it says of
/// every kind how many the gateway closed, how long the one was held that was held longest, and how many were held
/// longer than may be, whether the gateway closed them in the end or not:
/// <code>
/// holding COUNT
/// closed KIND COUNT worst SECONDS late COUNT refused COUNT
/// </code>
/// </summary>
internal sealed class SlowClient(Uri gateway, string token, int count) : IDisposable
{
    // Beyond the promise: a machine that is busy with ten thousand of us looks at its clocks a little later.
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(3);

    private readonly ConcurrentQueue<SlowEnd> _ends = new();
    private readonly SlowPieces _pieces = new();
    private readonly TaskCompletionSource _all = new(TaskCreationOptions.RunContinuationsAsynchronously);
    private int _connected;

    public const string Holding = "holding ";

    public async Task RunAsync(TextReader input, TextWriter output)
    {
        using var stop = new CancellationTokenSource();
        var holding = Enumerable.Range(0, count).Select(i => HoldAsync(i, stop.Token)).ToArray();
        await _all.Task;
        await output.WriteLineAsync(string.Create(CultureInfo.InvariantCulture, $"{Holding}{count}"));
        await input.ReadLineAsync(CancellationToken.None);
        await stop.CancelAsync();
        await Task.WhenAll(holding);
        foreach (var kind in SlowConnection.Kinds)
        {
            SlowEnd[] ends = [.. _ends.Where(end => end.Kind == kind)];
            SlowEnd[] held = [.. ends.Where(end => end.Fate != SlowFate.Refused)];
            int closed = held.Count(end => end.Fate == SlowFate.Closed);
            double worst = held.Select(end => end.Held.TotalSeconds).DefaultIfEmpty().Max();
            int late = held.Count(end => end.Held > SlowConnection.Limit(kind) + Slack);
            await output.WriteLineAsync(string.Create(
                CultureInfo.InvariantCulture,
                $"closed {kind} {closed} worst {worst:0.0} late {late} refused {ends.Length - held.Length}"));
        }
    }

    public void Dispose() => _pieces.Dispose();

    private static SlowKind KindOf(int number) => number % 2 == 0
        ? SlowKind.Idle
        : SlowConnection.Kinds[1 + (number / 2 % (SlowConnection.Kinds.Length - 1))];

    private async Task HoldAsync(int number, CancellationToken stop)
    {
        // A few hundred at a time: the gateway's queue of new connections has an end.
        await Task.Delay(TimeSpan.FromMilliseconds(number / 4), stop)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        bool isCounted = false;
        while (!stop.IsCancellationRequested)
        {
            try
            {
                var end = await SlowConnection.HoldAsync(
                    gateway, token, KindOf(number), _pieces, Connected, stop);
                _ends.Enqueue(end);
                if (end.Fate == SlowFate.Refused) await Task.Delay(100, stop);
            }
            catch (OperationCanceledException) when (stop.IsCancellationRequested)
            {
                return;
            }
        }

        void Connected()
        {
            if (isCounted) return;
            isCounted = true;
            if (Interlocked.Increment(ref _connected) == count) _all.TrySetResult();
        }
    }
}
