using System.Collections.Concurrent;
using System.Text;

namespace Gateway.Engine.Chdb;

/// <summary>
/// The engine in this process. One connection stays open all the time, since closing the last one would shut the
/// engine down; pings and kills go through it, so that neither waits behind queries. Each query has a connection of
/// its own: settings stay on a connection, and <c>readonly</c> cannot be undone.
/// </summary>
internal sealed class ChdbEngine : IAsyncDisposable
{
    private static readonly TimeSpan DrainPatience = TimeSpan.FromSeconds(5);

    private readonly ChdbOptions _options;
    private readonly ChdbConnection _keeper;
    private readonly QueryThread _keeperThread;
    private readonly QueryThreads _queries;
    private readonly QueryThreads _inserts;
    private readonly ConcurrentDictionary<string, bool> _running = new();
    private readonly CancellationTokenSource _stopping = new();

    // Connecting saves and restores what belongs to the whole process.
    private readonly Lock _connecting = new();

    private ChdbEngine(ChdbOptions options, ChdbConnection keeper, QueryThread keeperThread)
    {
        _options = options;
        _keeper = keeper;
        _keeperThread = keeperThread;
        _queries = new QueryThreads("query", options.MaxRunningQueries, options.MaxWaitingQueries);
        _inserts = new QueryThreads("insert", options.MaxRunningInserts, options.MaxWaitingQueries);
        using var result = keeper.Query("SELECT version(), timezone()");
        string[] facts = Encoding.UTF8.GetString(result.Data.Span).TrimEnd().Split('\t');
        (Version, TimeZone) = (facts[0], facts[1]);
    }

    public string Version { get; }

    public string TimeZone { get; }

    /// <exception cref="InvalidOperationException">The folder is in use by another process, or unusable.</exception>
    public static Task<ChdbEngine> OpenAsync(ChdbOptions options)
    {
        Directory.CreateDirectory(options.Folder);
        var thread = new QueryThread("keeper");
        return thread.RunAsync(() =>
        {
            using (SignalGuard.Save()) LibChdb.SetSignalHandlersEnabled(0);
            var keeper = ChdbConnection.TryOpen(Arguments(options)) ?? throw new InvalidOperationException(
                $"The engine cannot open {options.Folder}. Does another process use it?");
            return new ChdbEngine(options, keeper, thread);
        });
    }

    /// <summary>Asks the engine something trivial. Any answer, even an error, shows that it is alive.</summary>
    public Task PingAsync() => _keeperThread.RunAsync(() =>
    {
        try
        {
            _keeper.Query("SELECT 1").Dispose();
        }
        catch (ChdbException)
        {
            // Out of memory, say: alive.
        }
    });

    /// <summary>Waits for a turn, and gives a connection to run one query on.</summary>
    /// <param name="queryId">Its name.</param>
    /// <param name="isInsert">It brings data: it waits behind others like it only.</param>
    /// <param name="clientGone">Nobody waits for its result any more.</param>
    /// <exception cref="ChdbException">Too many queries wait, or one with this id runs.</exception>
    public async Task<QuerySession> BeginAsync(string queryId, bool isInsert, CancellationToken clientGone)
    {
        if (!_running.TryAdd(queryId, true))
        {
            throw new ChdbException(
                ErrorCode.QueryWithSameIdIsAlreadyRunning,
                $"Query with id = {queryId} is already running. (QUERY_WITH_SAME_ID_IS_ALREADY_RUNNING)");
        }

        QueryThread? thread = null;
        try
        {
            thread = await (isInsert ? _inserts : _queries).RentAsync(clientGone);
            var connection = await thread.RunAsync(() => Connect(queryId));
            return new QuerySession(this, queryId, thread, connection, clientGone, _stopping.Token);
        }
        catch
        {
            End(queryId, thread);
            throw;
        }
    }

    /// <summary>Tells ClickHouse to end a query, which may not have begun: ask again until it is over.</summary>
    public Task KillAsync(string queryId) => _keeperThread.RunAsync(() =>
    {
        // SYNC would wait for the query's end, and was seen to hang for ever.
        string id = SqlText.Quote(queryId);
        _keeper.Query($"KILL QUERY WHERE Settings['log_comment'] = {id} ASYNC").Dispose();
    });

    public void End(string queryId, QueryThread? thread)
    {
        _running.TryRemove(queryId, out _);
        thread?.Return();
    }

    /// <summary>Ends what runs, then closes every connection, as libchdb wants before the process exits.</summary>
    public async ValueTask DisposeAsync()
    {
        await _stopping.CancelAsync();
        // With a query still running on a connection, closing that connection could abort the process; leaving it is
        // as good, since what was acknowledged is on the disk.
        bool[] drained = await Task.WhenAll(_queries.DrainAsync(DrainPatience), _inserts.DrainAsync(DrainPatience));
        if (drained.Contains(false)) return;

        _queries.Dispose();
        _inserts.Dispose();
        await _keeperThread.RunAsync(_keeper.Dispose);
        _keeperThread.Dispose();
        _stopping.Dispose();
    }

    private static string[] Arguments(ChdbOptions options) =>
        [$"--path={options.Folder}", $"--max_server_memory_usage={options.MemoryBytes}"];

    private ChdbConnection Connect(string queryId)
    {
        lock (_connecting)
        {
            // There is no other way to give a query a name by which it can be killed.
            return ChdbConnection.TryOpen([.. Arguments(_options), $"--log_comment={queryId}"])
                ?? throw new ChdbException(ErrorCode.Unknown, "The engine refused a connection.");
        }
    }
}
