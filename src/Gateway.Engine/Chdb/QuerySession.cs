namespace Gateway.Engine.Chdb;

/// <summary>
/// One query on a connection and a thread of its own. What can be stopped without harm (a SELECT) is killed inside
/// ClickHouse when its client goes away; what writes runs to its end.
/// </summary>
internal sealed class QuerySession : IAsyncDisposable
{
    private static readonly TimeSpan KillAgainAfter = TimeSpan.FromMilliseconds(100);

    private readonly ChdbEngine _engine;
    private readonly QueryThread _thread;
    private readonly ChdbConnection _connection;
    private readonly CancellationTokenSource _cancelled;
    private ChdbSelect? _select;
    private ChdbInsert? _insert;

    public QuerySession(
        ChdbEngine engine,
        string queryId,
        QueryThread thread,
        ChdbConnection connection,
        CancellationToken clientGone,
        CancellationToken stopping)
    {
        _engine = engine;
        QueryId = queryId;
        _thread = thread;
        _connection = connection;
        _cancelled = CancellationTokenSource.CreateLinkedTokenSource(clientGone, stopping);
    }

    public string QueryId { get; }

    /// <summary>The client has gone away, or the engine stops.</summary>
    public CancellationToken Cancelled => _cancelled.Token;

    /// <summary>Runs statements that set the connection up, such as SET and USE.</summary>
    public Task PrepareAsync(IEnumerable<string> statements) => _thread.RunAsync(() =>
    {
        foreach (string statement in statements) _connection.Query(statement).Dispose();
    });

    /// <summary>Runs any statement to its end; its result comes whole.</summary>
    public Task<ChdbResult> ExecuteAsync(
        ReadOnlyMemory<byte> sql, string format, IReadOnlyList<QueryParameter> parameters) =>
        _thread.RunAsync(() => _connection.Query(sql.Span, format, parameters));

    /// <summary>Runs a SELECT whose result comes whole, and kills it when its client goes away.</summary>
    public Task<ChdbResult> ReadAsync(
        ReadOnlyMemory<byte> sql, string format, IReadOnlyList<QueryParameter> parameters) =>
        KillableAsync(() => _connection.Query(sql.Span, format, parameters));

    /// <summary>Starts a SELECT and gives its first chunk; null when there is none.</summary>
    public Task<ChdbResult?> SelectAsync(
        ReadOnlyMemory<byte> sql, string format, IReadOnlyList<QueryParameter> parameters) =>
        KillableAsync(() =>
        {
            _select = _connection.Select(sql.Span, format, parameters);
            return _select.Fetch();
        });

    /// <summary>The next chunk of the SELECT; null after the last.</summary>
    public Task<ChdbResult?> FetchAsync() => KillableAsync(_select!.Fetch);

    public Task BeginInsertAsync(ReadOnlyMemory<byte> sql, string format, IReadOnlyList<QueryParameter> parameters) =>
        _thread.RunAsync(() => { _insert = _connection.Insert(sql.Span, format, parameters); });

    /// <returns>False when the data is refused: <see cref="EndInsertAsync"/> says why.</returns>
    public Task<bool> AppendAsync(ReadOnlyMemory<byte> data) => _thread.RunAsync(() => _insert!.Append(data.Span));

    public Task<ChdbResult> EndInsertAsync() => _thread.RunAsync(_insert!.Done);

    public async ValueTask DisposeAsync()
    {
        await _thread.RunAsync(() =>
        {
            _select?.Dispose();
            _insert?.Dispose();
            _connection.Dispose();
        });
        _engine.End(QueryId, _thread);
        _cancelled.Dispose();
    }

    private async Task<T> KillableAsync<T>(Func<T> read)
        where T : class?, IDisposable?
    {
        var reading = _thread.RunAsync(read);
        try
        {
            return await reading.WaitAsync(Cancelled);
        }
        catch (OperationCanceledException)
        {
            // A kill finds nothing while the query has yet to begin, so it is repeated until the query is over.
            while (!reading.IsCompleted)
            {
                await TryKillAsync();
                await Task.WhenAny(reading, Task.Delay(KillAgainAfter, CancellationToken.None));
            }

            if (reading.IsCompletedSuccessfully) (await reading)?.Dispose();
            throw;
        }
    }

    private async Task TryKillAsync()
    {
        try
        {
            await _engine.KillAsync(QueryId);
        }
        catch (ChdbException)
        {
            // Memory is short, say, which is when it matters most: it is tried again.
        }
    }
}
