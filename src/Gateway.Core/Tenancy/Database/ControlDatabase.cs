using System.Data;
using System.Data.Common;
using Dapper;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Database;

/// <summary>
/// The control plane's database: how it is read and changed, and what its failures are called. SQLite's file for one
/// gateway, PostgreSQL for any number of them.
/// </summary>
internal abstract class ControlDatabase(TimeProvider time) : IAsyncDisposable
{
    // Each loses to another one that was committed: so many in a row are more than a crowd of gateways makes.
    private const int MaxAttempts = 20;

    // No new attempt after this: each may have waited for a lock.
    private static readonly TimeSpan RetryLimit = TimeSpan.FromSeconds(3);

    // A server that is frozen says nothing, and its driver takes its time to give it up.
    private static readonly TimeSpan ReadLimit = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan WriteLimit = TimeSpan.FromSeconds(6);

    protected static readonly TimeSpan WriteWait = TimeSpan.FromSeconds(2);

    private readonly SemaphoreSlim _writer = new(1);

    /// <summary>What this process knows of ids beside the database.</summary>
    public ProjectIds ProjectIds { get; } = new();

    /// <summary>One or more reads; in one snapshot when the work is one statement.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public ValueTask<T> ReadAsync<T>(Func<DbConnection, ValueTask<T>> work, CancellationToken cancellationToken) =>
        ReadAsync(ConnectAsync, work, cancellationToken);

    /// <summary>As above, for capture: however many others read, and however slowly, it need not wait for them.
    /// </summary>
    /// <exception cref="TokenStoreException">The database cannot be read.</exception>
    public ValueTask<T> ReadForCaptureAsync<T>(
        Func<DbConnection, ValueTask<T>> work, CancellationToken cancellationToken) =>
        ReadAsync(ConnectForCaptureAsync, work, cancellationToken);

    /// <summary>
    /// One transaction, as if it were alone; it may be run again when another gateway's came between. It is committed
    /// when the work returns a value, with the epoch raised as the last thing before, and rolled back when the work
    /// refuses.
    /// </summary>
    /// <exception cref="TokenStoreException">It cannot be written, or the commit's fate is not known.</exception>
    public async Task<Written<T>> WriteAsync<T>(
        Func<ControlWrite, Task<Outcome<T>>> work, CancellationToken cancellationToken)
    {
        if (!await _writer.WaitAsync(WriteWait, cancellationToken))
            throw new TokenStoreException("The control database is busy.");

        try
        {
            // Who goes away does not end the wait: a change that is committed must be known to be, to come into force.
            return await WriteUntilItHoldsAsync(work, cancellationToken).WaitAsync(WriteLimit, time, default);
        }
        catch (Exception exception) when (IsFailure(exception, cancellationToken))
        {
            throw new TokenStoreException("The control database cannot be written.", exception);
        }
        finally
        {
            _writer.Release();
        }
    }

    /// <summary>Raises the epoch above one that is known elsewhere, on a line that was lost here.</summary>
    /// <exception cref="TokenStoreException">It cannot be written.</exception>
    public async ValueTask<EpochStamp> RaiseAboveAsync(long epoch, CancellationToken cancellationToken)
    {
        var written = await WriteAsync<Done>(
            async change =>
            {
                await ChangeLog.JumpAsync(change, epoch);
                change.Touch("line", epoch);
                return default(Done);
            },
            cancellationToken);
        return written.Stamp!.Value;
    }

    public virtual ValueTask DisposeAsync()
    {
        _writer.Dispose();
        return ValueTask.CompletedTask;
    }

    protected abstract ValueTask<DbConnection> ConnectAsync(CancellationToken cancellationToken);

    protected virtual ValueTask<DbConnection> ConnectForCaptureAsync(CancellationToken cancellationToken) =>
        ConnectAsync(cancellationToken);

    /// <summary>Whether another transaction came between, so that the same work may well succeed.</summary>
    protected abstract bool IsConflict(DbException exception);

    /// <summary>Whether a connection that was kept is gone: the server was started again, or ended it.</summary>
    protected virtual bool IsLostConnection(DbException exception) => false;

    /// <summary>Raises the epoch and commits, in as little time as can be.</summary>
    protected virtual async Task<EpochStamp> RaiseAndCommitAsync(
        DbTransaction transaction, IReadOnlyList<Touched> touched)
    {
        var (sql, parameters) = ChangeLog.Raise(touched);
        var (epoch, mark) = await transaction.Connection!.QuerySingleAsync<(long, long)>(sql, parameters, transaction);
        await transaction.CommitAsync(CancellationToken.None);
        return new EpochStamp(epoch, mark);
    }

    private async ValueTask<T> ReadAsync<T>(
        Func<CancellationToken, ValueTask<DbConnection>> connect,
        Func<DbConnection, ValueTask<T>> work,
        CancellationToken cancellationToken)
    {
        // Not disposed: a read that nobody waits for any more still looks at it.
        var givenUp = new CancellationTokenSource();
        try
        {
            return await ReadAgainAsync(connect, work, givenUp.Token).WaitAsync(ReadLimit, time, cancellationToken);
        }
        catch (Exception exception) when (IsFailure(exception, cancellationToken))
        {
            throw new TokenStoreException("The control database cannot be read.", exception);
        }
        finally
        {
            await givenUp.CancelAsync();
        }
    }

    private async Task<T> ReadAgainAsync<T>(
        Func<CancellationToken, ValueTask<DbConnection>> connect,
        Func<DbConnection, ValueTask<T>> work,
        CancellationToken givenUp)
    {
        try
        {
            return await TryReadAsync(connect, work, givenUp);
        }
        catch (DbException exception) when (IsLostConnection(exception))
        {
            // The others that were kept beside it are thrown away with it: the next one is new.
            return await TryReadAsync(connect, work, givenUp);
        }
    }

    private async Task<T> TryReadAsync<T>(
        Func<CancellationToken, ValueTask<DbConnection>> connect,
        Func<DbConnection, ValueTask<T>> work,
        CancellationToken givenUp)
    {
        await using var connection = await connect(givenUp);
        await using var reading = new GivenUpConnection(connection, givenUp);
        return await work(reading);
    }

    private async Task<Written<T>> WriteUntilItHoldsAsync<T>(
        Func<ControlWrite, Task<Outcome<T>>> work, CancellationToken cancellationToken)
    {
        long started = time.GetTimestamp();
        for (int attempt = 1; ; attempt++)
        {
            try
            {
                return await TryWriteAsync(work, cancellationToken);
            }
            catch (DbException conflict) when (
                IsConflict(conflict) && attempt < MaxAttempts && time.GetElapsedTime(started) < RetryLimit)
            {
                // Whoever won is committed; the next attempt sees it.
                await Task.Delay(TimeSpan.FromMilliseconds(attempt), time, cancellationToken);
            }
        }
    }

    private async Task<Written<T>> TryWriteAsync<T>(
        Func<ControlWrite, Task<Outcome<T>>> work, CancellationToken cancellationToken)
    {
        await using var connection = await ConnectAsync(cancellationToken);
        await using var transaction =
            await connection.BeginTransactionAsync(IsolationLevel.Serializable, cancellationToken);
        var change = new ControlWrite(transaction, time.GetUtcNow().ToUnixMicroseconds(), ProjectIds);
        var outcome = await work(change);
        if (outcome.Refusal is not null || change.IsDiscarded)
        {
            await transaction.RollbackAsync(CancellationToken.None);
            return new Written<T>(outcome, null, ConcernsCapture: false);
        }

        EpochStamp? stamp = null;
        if (change.Touched.Count > 0)
        {
            StopHere.At("in-transaction");
            stamp = await RaiseAndCommitAsync(transaction, change.Touched);
        }
        else
        {
            await transaction.CommitAsync(CancellationToken.None);
        }

        if (change.DrawnProjectId > 0) ProjectIds.Raise(change.DrawnProjectId);
        return new Written<T>(outcome, stamp, change.Touched.Any(touched => touched.TokenId is not null));
    }

    private static bool IsFailure(Exception exception, CancellationToken cancellationToken) =>
        exception is DbException or TimeoutException
        || (exception is OperationCanceledException && !cancellationToken.IsCancellationRequested);
}
