using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;
using StackExchange.Redis;

namespace Gateway.Core.Redis;

/// <summary>
/// The one place that talks to Redis. Each call has a deadline, because the library's own calls wait for ever on a
/// server that is frozen. After a few calls in a row that nobody answered, Redis counts as away: calls fail at once,
/// and somebody in the background knocks, with new connections when the old ones stay dumb, until it answers again.
/// </summary>
internal sealed partial class RedisConnection : IAsyncDisposable
{
    private const int MissesUntilAway = 3;
    private const int KnocksUntilRebuilt = 4;

    /// <summary>Of one call that blocks; then the database is asked.</summary>
    public static readonly TimeSpan BlockingDeadline = TimeSpan.FromMilliseconds(250);

    private static readonly TimeSpan KnockEvery = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan ConnectLimit = TimeSpan.FromSeconds(1);

    private readonly RedisOptions _options;
    private readonly TimeProvider _time;
    private readonly ILogger _logger;
    private readonly string _channel;
    private readonly Action _hinted;
    private readonly CancellationTokenSource _stop = new();
    private readonly SemaphoreSlim _isWanted = new(0);
    private readonly Task _knocking;
    private volatile ConnectionMultiplexer? _connection;
    private volatile bool _isAway = true;
    private int _missesInARow;
    private long _misses;
    private long _refusals;
    private long _rebuilds;
    private volatile string? _refusal;
    private volatile string _lastKnock = "It was not reached yet.";

    /// <param name="options">Which Redis.</param>
    /// <param name="channel">Where hints come from.</param>
    /// <param name="hinted">Called for each hint, and when Redis is back; must return at once.</param>
    /// <param name="time">For deadlines and pauses.</param>
    /// <param name="logger">Told when Redis goes and comes.</param>
    public RedisConnection(
        RedisOptions options, string channel, Action hinted, TimeProvider time, ILogger logger)
    {
        (_options, _channel, _hinted, _time, _logger) = (options, channel, hinted, time, logger);
        _isWanted.Release();
        _knocking = Task.Run(KnockAsync);
    }

    /// <summary>True while calls fail at once.</summary>
    public bool IsAway => _isAway;

    /// <summary>Calls that nobody answered in time, since the start.</summary>
    public long Misses => Volatile.Read(ref _misses);

    /// <summary>Calls that it answered with an error, since the start.</summary>
    public long Refusals => Volatile.Read(ref _refusals);

    /// <summary>How often all connections were thrown away and made anew.</summary>
    public long Rebuilds => Volatile.Read(ref _rebuilds);

    /// <summary>Runs a script on the primary; its reply, an array.</summary>
    /// <exception cref="TokenStoreException">Nobody answered in time, or with an error.</exception>
    public Task<RedisResult[]> EvaluateAsync(
        RedisScript script, RedisKey key, TimeSpan deadline, params RedisValue[] arguments) =>
        CallAsync(
            async database =>
            {
                try
                {
                    return (RedisResult[])await database.ScriptEvaluateAsync(
                        script.Sha1, [key], arguments, CommandFlags.DemandMaster);
                }
                catch (RedisServerException error) when (IsUnknownScript(error))
                {
                    return (RedisResult[])await database.ScriptEvaluateAsync(
                        script.Text, [key], arguments, CommandFlags.DemandMaster);
                }
            },
            deadline);

    /// <summary>
    /// As above with <see cref="BlockingDeadline"/>, and the caller's thread waits: a task's end would queue once more
    /// behind the requests of a busy gateway, and the fence of every group with it.
    /// </summary>
    /// <exception cref="TokenStoreException">Nobody answered in time, or with an error.</exception>
    public RedisResult[] Evaluate(RedisScript script, RedisKey key)
    {
        var connection = Connection();
        try
        {
            var reply = EvaluateOnce(connection.GetDatabase(), script, [key]);
            Answered();
            return reply;
        }
        catch (Exception error)
        {
            throw Failed(error);
        }
    }

    /// <summary>One value; null when there is none.</summary>
    /// <exception cref="TokenStoreException">Nobody answered in time, or with an error.</exception>
    public Task<byte[]?> GetAsync(string key, TimeSpan deadline) =>
        CallAsync(async database => (byte[]?)await database.StringGetAsync(key), deadline);

    /// <summary>Keeps a value for some time, if Redis is there; nobody is told when it is not.</summary>
    public void Set(string key, byte[] value, TimeSpan expiry)
    {
        if (_isAway || _connection is not { } connection) return;

        try
        {
            connection.GetDatabase().StringSet(key, value, expiry, flags: CommandFlags.FireAndForget);
        }
        catch (Exception)
        {
            // It has just gone.
        }
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _knocking;
        if (_connection is { } connection) await CloseAsync(connection);
        _isWanted.Dispose();
        _stop.Dispose();
    }

    private static RedisResult[] EvaluateOnce(IDatabase database, RedisScript script, RedisKey[] keys)
    {
        try
        {
            return (RedisResult[])database.ScriptEvaluate(script.Sha1, keys, flags: CommandFlags.DemandMaster);
        }
        catch (RedisServerException error) when (IsUnknownScript(error))
        {
            return (RedisResult[])database.ScriptEvaluate(script.Text, keys, flags: CommandFlags.DemandMaster);
        }
    }

    /// <summary>Redis forgets scripts when it starts; the text teaches it again.</summary>
    private static bool IsUnknownScript(RedisServerException error) =>
        error.Message.StartsWith("NOSCRIPT", StringComparison.Ordinal);

    private async Task<T> CallAsync<T>(Func<IDatabase, Task<T>> call, TimeSpan deadline)
    {
        var connection = Connection();
        try
        {
            var answer = await call(connection.GetDatabase()).WaitAsync(deadline, _time);
            Answered();
            return answer;
        }
        catch (Exception error)
        {
            throw Failed(error);
        }
    }

    private ConnectionMultiplexer Connection() =>
        (_isAway ? null : _connection) ?? throw new TokenStoreException("Redis is away.");

    private void Answered()
    {
        Volatile.Write(ref _missesInARow, 0);
        if (_refusal is null) return;

        _refusal = null;
        LogBack(_logger, _options);
    }

    /// <summary>Whatever the library throws at us, the question was not answered.</summary>
    private TokenStoreException Failed(Exception error)
    {
        if (error is RedisServerException)
        {
            // It is there, and says no: read-only, out of memory, not permitted. Said once, until it changes.
            Volatile.Write(ref _missesInARow, 0);
            Interlocked.Increment(ref _refusals);
            if (_refusal != error.Message) LogRefuses(_logger, _options, error.Message);
            _refusal = error.Message;
            return new TokenStoreException("Redis refuses.", error);
        }

        Interlocked.Increment(ref _misses);
        if (Interlocked.Increment(ref _missesInARow) == MissesUntilAway)
        {
            LogAway(_logger, _options, error.Message);
            _isAway = true;
            _isWanted.Release();
        }

        return new TokenStoreException("Redis does not answer.", error);
    }

    /// <summary>Sleeps while Redis answers; while it does not, knocks until it does.</summary>
    private async Task KnockAsync()
    {
        try
        {
            while (true)
            {
                await _isWanted.WaitAsync(_stop.Token);
                await KnockUntilAnsweredAsync();
                _isAway = false;
                Volatile.Write(ref _missesInARow, 0);
                _hinted();
            }
        }
        catch (OperationCanceledException) when (_stop.IsCancellationRequested)
        {
        }
    }

    private async Task KnockUntilAnsweredAsync()
    {
        bool isTold = Volatile.Read(ref _misses) > 0;
        while (!await IsAnsweringAsync())
        {
            if (!isTold) LogAway(_logger, _options, _lastKnock);
            isTold = true;
            await Task.Delay(KnockEvery, _time, _stop.Token);
        }

        if (isTold) LogBack(_logger, _options);
    }

    /// <summary>Knocks a few times on what there is, and makes new connections when that was for nothing.</summary>
    private async Task<bool> IsAnsweringAsync()
    {
        for (int knock = 0; _connection is { } connection && knock < KnocksUntilRebuilt; knock++)
        {
            if (await TryPingAsync(connection)) return true;
            await Task.Delay(KnockEvery, _time, _stop.Token);
        }

        if (_connection is { } dumb)
        {
            _connection = null;
            Interlocked.Increment(ref _rebuilds);
            _ = CloseAsync(dumb);
        }

        _connection = await TryConnectAsync();
        return _connection is { } made && await TryPingAsync(made);
    }

    private async Task<bool> TryPingAsync(ConnectionMultiplexer connection)
    {
        try
        {
            // With a key: a ping is answered also where there is no such database.
            await connection.GetDatabase().KeyExistsAsync(_channel).WaitAsync(KnockEvery, _time, _stop.Token);
            return true;
        }
        catch (RedisServerException error) when (error.Message.StartsWith("NOPERM", StringComparison.Ordinal))
        {
            // It answers; what it is asked to do may be permitted all the same.
            return true;
        }
        catch (Exception error) when (!_stop.IsCancellationRequested)
        {
            _lastKnock = error.Message;
            return false;
        }
    }

    private async Task<ConnectionMultiplexer?> TryConnectAsync()
    {
        try
        {
            var options = _options.ForMultiplexer(ConnectLimit, BlockingDeadline);
            var connecting = ConnectionMultiplexer.ConnectAsync(options);
            var connection = await WaitForAsync(connecting);
            connection.PreserveAsyncOrder = false;

            // Lost ones cost nothing but a read of the log, so nobody waits for the subscription either.
            _ = connection.GetSubscriber().SubscribeAsync(_channel, (_, _) => _hinted())
                .ContinueWith(static task => task.Exception, TaskScheduler.Default);
            return connection;
        }
        catch (Exception error) when (!_stop.IsCancellationRequested)
        {
            _lastKnock = error.Message;
            return null;
        }
    }

    private async Task<ConnectionMultiplexer> WaitForAsync(Task<ConnectionMultiplexer> connecting)
    {
        try
        {
            return await connecting.WaitAsync(ConnectLimit * 3, _time, _stop.Token);
        }
        catch
        {
            _ = CloseLateAsync(connecting);
            throw;
        }
    }

    /// <summary>One that comes too late is nobody's.</summary>
    private async Task CloseLateAsync(Task<ConnectionMultiplexer> connecting)
    {
        try
        {
            await CloseAsync(await connecting);
        }
        catch (Exception)
        {
            // It never came.
        }
    }

    /// <summary>May hang on a connection that is dumb, so nobody waits for longer than for a new one.</summary>
    private async Task CloseAsync(ConnectionMultiplexer connection)
    {
        var closing = Task.Run(() => connection.Close(allowCommandsToComplete: false));
        await closing.WaitAsync(ConnectLimit, _time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
    }

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Redis at {Redis} does not answer; the database is asked in its place. Until it is back, changes of "
            + "tokens are recorded and answered 503. ({Reason})")]
    private static partial void LogAway(ILogger logger, RedisOptions redis, string reason);

    [LoggerMessage(
        Level = LogLevel.Warning,
        Message = "Redis at {Redis} refuses what it is asked ({Reason}); the database is asked in its place. Until "
            + "that is mended, changes of tokens are recorded and answered 503.")]
    private static partial void LogRefuses(ILogger logger, RedisOptions redis, string reason);

    [LoggerMessage(Level = LogLevel.Information, Message = "Redis at {Redis} answers again.")]
    private static partial void LogBack(ILogger logger, RedisOptions redis);
}

/// <summary>A script and the name that Redis knows it by.</summary>
internal sealed class RedisScript(string text)
{
    public string Text { get; } = text;

    public byte[] Sha1 { get; } = NameOf(text);

    // Not a matter of security: it is how Redis names scripts.
#pragma warning disable CA5350
    private static byte[] NameOf(string text) => SHA1.HashData(Encoding.UTF8.GetBytes(text));
#pragma warning restore CA5350
}
