using System.Collections.Concurrent;

namespace Gateway.Engine.Chdb;

/// <summary>The bounded number of queries that run at once, and of those that wait for their turn.</summary>
internal sealed class QueryThreads : IDisposable
{
    private readonly string _name;
    private readonly ConcurrentBag<QueryThread> _idle = [];
    private readonly SemaphoreSlim _free;
    private readonly int _maxRunning;
    private readonly int _maxWaiting;
    private int _waiting;

    public QueryThreads(string name, int maxRunning, int maxWaiting)
    {
        _name = name;
        _maxRunning = maxRunning;
        _maxWaiting = maxWaiting;
        _free = new SemaphoreSlim(maxRunning);
    }

    /// <summary>
    /// Waits for a thread that no other query uses. It goes back with <see cref="QueryThread.Return"/>.
    /// </summary>
    /// <exception cref="ChdbException">Too many are waiting already.</exception>
    public async Task<QueryThread> RentAsync(CancellationToken cancellationToken)
    {
        if (!_free.Wait(0, CancellationToken.None)) await WaitAsync(cancellationToken);

        return _idle.TryTake(out var thread) ? thread : new QueryThread(_name, Return);
    }

    /// <summary>Waits until no query runs any more; after it no thread can be rented.</summary>
    /// <returns>False when some still ran at the end of <paramref name="patience"/>.</returns>
    public async Task<bool> DrainAsync(TimeSpan patience)
    {
        using var deadline = new CancellationTokenSource(patience);
        try
        {
            for (int i = 0; i < _maxRunning; i++) await _free.WaitAsync(deadline.Token);
            return true;
        }
        catch (OperationCanceledException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        while (_idle.TryTake(out var thread)) thread.Dispose();
        _free.Dispose();
    }

    private async Task WaitAsync(CancellationToken cancellationToken)
    {
        if (Interlocked.Increment(ref _waiting) > _maxWaiting)
        {
            Interlocked.Decrement(ref _waiting);
            throw new ChdbException(
                ErrorCode.TooManySimultaneousQueries,
                $"Too many simultaneous queries: {_maxRunning} run, {_maxWaiting} wait. "
                + "(TOO_MANY_SIMULTANEOUS_QUERIES)");
        }

        try
        {
            await _free.WaitAsync(cancellationToken);
        }
        finally
        {
            Interlocked.Decrement(ref _waiting);
        }
    }

    private void Return(QueryThread thread)
    {
        _idle.Add(thread);
        _free.Release();
    }
}
