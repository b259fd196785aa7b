using System.Collections.Concurrent;

namespace Gateway.Engine.Chdb;

/// <summary>
/// A thread that makes the blocking calls of one query after another, so that a connection is used by one thread
/// at a time and no thread of the pool, which serves HTTP, waits for ClickHouse.
/// </summary>
internal sealed class QueryThread : IDisposable
{
    private readonly BlockingCollection<Action> _calls = [];

    public QueryThread(string name) => new Thread(Work) { Name = name, IsBackground = true }.Start();

    public Task<T> RunAsync<T>(Func<T> call)
    {
        // Continuations go to the pool: they must not run on, and then wait for, this very thread.
        var done = new TaskCompletionSource<T>(TaskCreationOptions.RunContinuationsAsynchronously);
        _calls.Add(() =>
        {
            try
            {
                done.SetResult(call());
            }
            catch (Exception exception)
            {
                done.SetException(exception);
            }
        });
        return done.Task;
    }

    public Task RunAsync(Action call) => RunAsync(() =>
    {
        call();
        return true;
    });

    /// <summary>Lets the thread end when it has made the calls that were asked for.</summary>
    public void Dispose() => _calls.CompleteAdding();

    private void Work()
    {
        foreach (var call in _calls.GetConsumingEnumerable()) call();
    }
}
