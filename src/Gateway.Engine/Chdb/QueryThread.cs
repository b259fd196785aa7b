using System.Collections.Concurrent;

namespace Gateway.Engine.Chdb;

/// <summary>
/// A thread that makes the blocking calls of one query after another, so that a connection is used by one thread
/// at a time and no thread of the pool, which serves HTTP, waits for ClickHouse.
/// </summary>
internal sealed class QueryThread : IDisposable
{
    private readonly BlockingCollection<Action> _calls = [];
    private readonly Action<QueryThread>? _return;

    /// <param name="name">What it is for.</param>
    /// <param name="goBack">Takes it back where it was rented.</param>
    public QueryThread(string name, Action<QueryThread>? goBack = null)
    {
        _return = goBack;
        new Thread(Work) { Name = name, IsBackground = true }.Start();
    }

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

    /// <summary>Gives a rented thread back; the caller uses it no more.</summary>
    public void Return() => _return?.Invoke(this);

    /// <summary>Lets the thread end when it has made the calls that were asked for.</summary>
    public void Dispose() => _calls.CompleteAdding();

    private void Work()
    {
        foreach (var call in _calls.GetConsumingEnumerable()) call();
    }
}
