using System.Globalization;
using System.Net;
using System.Text;
using System.Web;

namespace Gateway.Core.Tests.Shipping;

/// <summary>What an insert comes to.</summary>
internal enum InsertFate : byte
{
    Stored, StoredThenFails, Fails, Late,
}

/// <summary>
/// ClickHouse as the shipper may find it: it stores and fails, fails, stores what it was asked for long ago, is away,
/// refuses all for a reason of its own, or some rows for what they are, merges, and counts in a replica that lags.
/// Answers before the call returns; everything follows from the random numbers that it is given.
/// </summary>
internal sealed class SimulatedStore(Random random) : HttpMessageHandler
{
    private readonly List<List<StoredRow>> _late = [];
    private StoreModel? _replica;
    private int _laggingQuestions;

    /// <summary>All that is stored.</summary>
    public StoreModel Truth { get; } = new();

    /// <summary>Called at each request, before it has any effect.</summary>
    public Action Called { get; set; } = () => { };

    /// <summary>Called with the rows of each insert that arrives.</summary>
    public Action<List<StoredRow>> Asked { get; set; } = _ => { };

    /// <summary>Called with rows that are stored; true: by a request that was given up before.</summary>
    public Action<List<StoredRow>, bool> Stores { get; set; } = (_, _) => { };

    /// <summary>True: the process that asks ends before it reads the answer.</summary>
    public Func<bool> EndsHere { get; set; } = () => false;

    /// <summary>Names of events that are refused.</summary>
    public HashSet<string> Bad { get; } = [];

    public bool IsAway { get; set; }

    /// <summary>With which everything is refused that is not a question; 0: nothing is.</summary>
    public int ServerCode { get; set; }

    /// <summary>Of a hundred requests, how many come to grief.</summary>
    public int Trouble { get; set; }

    public long Faults { get; private set; }

    public long LateBlocks { get; private set; }

    /// <summary>Questions that were answered by the replica while it lagged.</summary>
    public long StaleAnswers { get; private set; }

    public void Lag(int questions)
    {
        _replica = new StoreModel();
        _replica.Insert(Truth.Rows);
        _laggingQuestions = questions;
    }

    public void CatchUp() => _replica = null;

    public void Lose(Predicate<StoredRow> which)
    {
        Truth.Lose(which);
        _replica?.Lose(which);
    }

    /// <summary>A request that was given up is carried out now; false: there is none.</summary>
    public bool StoreLate()
    {
        if (_late.Count == 0) return false;

        int which = random.Next(_late.Count);
        var rows = _late[which];
        _late.RemoveAt(which);
        if (rows.Exists(row => Bad.Contains(row.Event))) return true;

        LateBlocks++;
        Store(rows, isLate: true);
        return true;
    }

    protected override Task<HttpResponseMessage> SendAsync(
        HttpRequestMessage request, CancellationToken cancellationToken)
    {
        Called();
        var query = HttpUtility.ParseQueryString(request.RequestUri!.Query);
        byte[] body = request.Content!.ReadAsByteArrayAsync(cancellationToken).GetAwaiter().GetResult();
        bool isInsert = query["query"]?.EndsWith("FORMAT Native", StringComparison.Ordinal) == true;
        var answer = isInsert
            ? Insert(StoreModel.Parse(body))
            : Ask(Encoding.UTF8.GetString(body), name => query["param_" + name] ?? "");
        return Task.FromResult(answer);
    }

    private HttpResponseMessage Insert(List<StoredRow> rows)
    {
        Asked(rows);
        if (IsAway) return Fail();
        if (ServerCode != 0) return Refuse(ServerCode);
        if (rows.Exists(row => Bad.Contains(row.Event))) return Refuse(random.Next(2) == 0 ? 117 : 469);

        var fate = random.Next(100) >= Trouble ? InsertFate.Stored : (InsertFate)random.Next(1, 4);
        if (fate == InsertFate.Late) _late.Add(rows);
        if (fate is InsertFate.Stored or InsertFate.StoredThenFails)
        {
            Store(rows, isLate: false);
            if (EndsHere()) throw new Journal.SimulatedCrashException();
        }

        return fate == InsertFate.Stored ? Answer(HttpStatusCode.OK, "") : Fail();
    }

    private void Store(List<StoredRow> rows, bool isLate)
    {
        var events = rows.FindAll(row => row.Sequence != 0);
        Truth.Insert(events);
        Stores(events, isLate);
    }

    private HttpResponseMessage Ask(string sql, Func<string, string> parameter)
    {
        if (IsAway || random.Next(100) < Trouble) return Fail();
        if (ServerCode == 516) return Refuse(ServerCode);
        if (sql.StartsWith("SELECT max(version)", StringComparison.Ordinal)) return Answer(HttpStatusCode.OK, "2\n");

        string? answer = (_replica ?? Truth).Answer(sql, parameter);
        if (answer is not null && _replica is not null) StaleAnswers++;
        if (answer is not null && --_laggingQuestions <= 0) CatchUp();
        return Answer(HttpStatusCode.OK, answer ?? "1\n");
    }

    private HttpResponseMessage Fail()
    {
        Faults++;
        return random.Next(4) switch
        {
            0 => throw new HttpRequestException("the connection was reset"),
            1 => throw new TaskCanceledException("no answer in time"),
            2 => Answer(HttpStatusCode.ServiceUnavailable, ""),
            _ => Refuse(random.Next(2) == 0 ? 241 : 159),
        };
    }

    private static HttpResponseMessage Refuse(int code) => Answer(
        HttpStatusCode.InternalServerError,
        string.Create(CultureInfo.InvariantCulture, $"Code: {code}. DB::Exception: no"));

    private static HttpResponseMessage Answer(HttpStatusCode status, string text) =>
        new(status) { Content = new ByteArrayContent(Encoding.UTF8.GetBytes(text)) };
}
