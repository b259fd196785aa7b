using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Core.ClickHouse;

namespace Gateway.Core.Tests.Shipping;

/// <summary>
/// The other end of ClickHouse's HTTP interface as far as the shipper sees it: it reads the events' names out of each
/// block and answers as <see cref="Answer"/> says.
/// </summary>
internal sealed class FakeClickHouse : IAsyncDisposable
{
    /// <summary>For <see cref="Answer"/>: the server dies of it. A proxy's 502 and a closed connection.</summary>
    public const int Crash = -1;

    private readonly HttpListener _listener = new();
    private readonly Task _serving;
    private readonly Lock _lock = new();
    private readonly List<string[]> _blocks = [];
    private readonly StoreModel _store = new();

    public FakeClickHouse()
    {
        int port = FreePort();
        Target = new ClickHouseOptions(new Uri($"http://127.0.0.1:{port}"), "u", "p", "default");
        _listener.Prefixes.Add($"http://127.0.0.1:{port}/");
        _listener.Start();
        _serving = ServeAsync();
    }

    public ClickHouseOptions Target { get; }

    /// <summary>The code with which a block of these events is refused, or 0 to store it.</summary>
    public Func<string[], int> Answer { get; set; } = _ => 0;

    /// <summary>The blocks that were stored.</summary>
    public IReadOnlyList<string[]> Blocks
    {
        get
        {
            lock (_lock) return [.. _blocks];
        }
    }

    /// <summary>Which of its rows it loses, once they are stored; how many those were.</summary>
    public int Lose(Predicate<StoredRow> which)
    {
        lock (_lock) return _store.Lose(which);
    }

    public void Restore(IEnumerable<StoredRow> rows)
    {
        lock (_lock) _store.Insert(rows);
    }

    /// <summary>Called when the table is asked for something.</summary>
    public Action Asked { get; set; } = () => { };

    /// <summary>While it is not null, what is asked of the events is answered by it.</summary>
    public volatile string? Page;

    /// <summary>While it is, the questions how many rows there are fail.</summary>
    public volatile bool CannotCount;

    public IReadOnlyList<StoredRow> Rows
    {
        get
        {
            lock (_lock) return [.. _store.Rows];
        }
    }

    public void Merge()
    {
        lock (_lock) _store.Merge();
    }

    public int Refusals { get; private set; }

    /// <summary>The shipper's own rows that were stored; they are not among <see cref="Blocks"/>.</summary>
    public int Canaries { get; private set; }

    /// <summary>While it is, nothing is answered but 503.</summary>
    public volatile bool IsAway;

    public async ValueTask DisposeAsync()
    {
        _listener.Close();
        await _serving;
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var context = await _listener.GetContextAsync();
                using var body = new MemoryStream();
                await context.Request.InputStream.CopyToAsync(body);
                body.Position = 0;
                string statement = context.Request.QueryString["query"] ?? "";
                bool isBlock = statement.EndsWith("FORMAT Native", StringComparison.Ordinal);
                Reply(
                    context.Response,
                    IsAway ? (503, "") : isBlock ? Store(body.ToArray()) : Ask(body.ToArray(), context.Request));
            }
        }
        catch (Exception exception) when (exception is HttpListenerException or ObjectDisposedException)
        {
            // Closed: the test is over.
        }
    }

    private static void Reply(HttpListenerResponse response, (int Status, string Text) answer)
    {
        if (answer.Status == Crash)
        {
            // The listener sends a head all the same.
            response.StatusCode = 502;
            response.Abort();
            return;
        }

        response.StatusCode = answer.Status;
        response.OutputStream.Write(Encoding.UTF8.GetBytes(answer.Text));
        response.Close();
    }

    private (int Status, string Text) Ask(byte[] statement, HttpListenerRequest request)
    {
        string sql = Encoding.UTF8.GetString(statement);
        if (sql.Contains("FROM events", StringComparison.Ordinal)) Asked();
        if (Page is { } page && sql.Contains("FROM events", StringComparison.Ordinal)) return (200, page);
        if (CannotCount && sql.Contains("uniqExact", StringComparison.Ordinal)) return (500, "Code: 241. no memory");
        lock (_lock) return (200, _store.Answer(sql, name => request.QueryString[$"param_{name}"] ?? "") ?? "1\n");
    }

    private (int Status, string Text) Store(byte[] body)
    {
        var rows = StoreModel.Parse(body);
        string[] names = [.. rows.Select(row => row.Event)];
        int code = Answer(names);
        lock (_lock)
        {
            bool isCanary = names is ["$gateway_canary"];
            if (code != 0) Refusals++;
            else if (isCanary) Canaries++;
            else _blocks.Add(names);
            if (code == 0 && !isCanary) _store.Insert(rows);
        }

        if (code == 0) return (200, "");
        if (code == Crash) return (Crash, "");
        return (500, string.Create(CultureInfo.InvariantCulture, $"Code: {code}. DB::Exception: no"));
    }
}
