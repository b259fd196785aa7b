using System.Buffers.Binary;
using System.Text;
using Gateway.Core.Events;
using Gateway.Core.Tests.Events;
using Gateway.Engine;

namespace Gateway.Tests.Fuzz;

/// <summary>
/// What must be in ClickHouse's table after a run: each accepted event with each of its values, and nothing else.
/// Kept as hashes, as there are many. An event whose uuid is ours is known by its values alone.
/// </summary>
internal sealed class ExpectedStore
{
    private readonly Lock _lock = new();
    private readonly Dictionary<Identity, List<Row>> _rows = [];
    private readonly Dictionary<Content, int> _ours = [];
    private int _oursCount;

    /// <summary>Rows that the table must show.</summary>
    public int Count
    {
        get
        {
            lock (_lock) return _rows.Count + _oursCount;
        }
    }

    /// <summary>Takes in what the reference read of a request that was answered 200.</summary>
    /// <param name="number">The request, to be named where its events differ.</param>
    /// <param name="sent">As read at the moment before it was sent.</param>
    /// <param name="answered">As read at the moment after it was answered: what depends on the receipt lies between.</param>
    public void Add(long number, ReferenceCapture sent, ReferenceCapture answered)
    {
        lock (_lock)
        {
            foreach (var (early, late) in sent.Events.Zip(answered.Events))
            {
                var content = new Content(
                    early.Day, Hash(early.Name), Hash(early.DistinctId), Hash(WithIp(early)), Hash(early.Promoted + (early.HasOwnIp ? "" : "$ip=127.0.0.1;")));
                if (early.HasOwnUuid)
                {
                    _ours[content] = _ours.GetValueOrDefault(content) + 1;
                    _oursCount++;
                    continue;
                }

                var identity = new Identity(early.Uuid, content.Day, content.Name);
                if (!_rows.TryGetValue(identity, out var rows)) _rows.Add(identity, rows = new List<Row>(1));
                rows.Add(new Row(content, Math.Min(early.Timestamp, late.Timestamp), Math.Max(early.Timestamp, late.Timestamp), number));
            }
        }
    }

    /// <summary>Everything in which the table differs.</summary>
    public async Task<List<string>> CompareAsync(EngineEndpoint engine, CancellationToken cancellationToken)
    {
        List<string> differences = [];
        var missing = _rows.Keys.ToHashSet();
        string promoted = string.Join(", ", Enumerable.Range(0, PromotedProperties.Count).Select(PromotedProperties.Column));
        await using var stream = await OpenAsync(
            engine,
            $"SELECT uuid, day, event, distinct_id, toUnixTimestamp64Micro(timestamp), properties, {promoted} FROM events FINAL WHERE project_id != 0",
            cancellationToken);
        await using var buffered = new BufferedStream(stream, 1 << 20);
        using var reader = new BinaryReader(buffered, Encoding.UTF8);
        while (TryReadRow(reader, out var identity, out var content, out long timestamp))
        {
            if (_rows.TryGetValue(identity, out var rows))
            {
                if (!missing.Remove(identity)) differences.Add($"{identity} is stored twice");
                bool isOne = rows.Exists(row => row.Content == content && row.MayBe(timestamp));
                if (!isOne) differences.Add($"{identity} is stored with other values: {string.Join(' ', rows)}, not {content} at {timestamp}");
            }
            else if (_ours.TryGetValue(content, out int left) && left > 0)
            {
                _ours[content] = left - 1;
            }
            else
            {
                differences.Add($"{identity} is stored, but {content} was not expected");
            }
        }

        differences.AddRange(missing.Select(identity => $"{identity} is missing: {string.Join(' ', _rows[identity])}"));
        differences.AddRange(_ours.Where(pair => pair.Value > 0).Select(pair => $"{pair.Key} is missing {pair.Value} times"));
        return differences;
    }

    /// <summary>How many rows the table shows now.</summary>
    public static async Task<long> StoredAsync(EngineEndpoint engine, CancellationToken cancellationToken)
    {
        await using var stream = await OpenAsync(
            engine, "SELECT toInt64(count()) FROM events FINAL WHERE project_id != 0", cancellationToken);
        byte[] count = new byte[sizeof(long)];
        await stream.ReadExactlyAsync(count, cancellationToken);
        return BinaryPrimitives.ReadInt64LittleEndian(count);
    }

    private static async Task<Stream> OpenAsync(EngineEndpoint engine, string sql, CancellationToken cancellationToken)
    {
        var http = new HttpClient { Timeout = Timeout.InfiniteTimeSpan };
        using var request = new HttpRequestMessage(
            HttpMethod.Post, new Uri(engine.Url, "/?database=default&default_format=RowBinary&do_not_merge_across_partitions_select_final=0"))
        {
            Content = new StringContent(sql),
        };
        request.Headers.Authorization = new("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes($"{engine.User}:{engine.Password}")));
        var answer = await http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        if (!answer.IsSuccessStatusCode) Assert.Fail(await answer.Content.ReadAsStringAsync(cancellationToken));
        return await answer.Content.ReadAsStreamAsync(cancellationToken);
    }

    private static bool TryReadRow(BinaryReader reader, out Identity identity, out Content content, out long timestamp)
    {
        (identity, content, timestamp) = (default, default, 0);
        byte[] bytes = reader.ReadBytes(16);
        if (bytes.Length == 0) return false;

        // ClickHouse's layout: two numbers, the lowest byte of each first.
        bytes.AsSpan(0, 8).Reverse();
        bytes.AsSpan(8).Reverse();
        var uuid = new Guid(bytes, bigEndian: true);
        int day = reader.ReadUInt16();
        string name = reader.ReadString(), distinctId = reader.ReadString();
        timestamp = reader.ReadInt64();
        string properties = reader.ReadString();
        var promoted = new StringBuilder();
        foreach (string column in PromotedProperties.Names)
        {
            string value = reader.ReadString();
            if (value.Length > 0) promoted.Append(column).Append('=').Append(value).Append(';');
        }

        content = new Content(day, Hash(name), Hash(distinctId), Hash(properties), Hash(promoted.ToString()));
        identity = new Identity(uuid, day, content.Name);
        return true;
    }

    private static string WithIp(CapturedEvent kept)
    {
        if (kept.HasOwnIp) return kept.Properties;

        string open = kept.Properties[..kept.Properties.LastIndexOf('}')].TrimEnd(' ', '\t', '\r', '\n');
        return $"{open}{(open.EndsWith('{') ? "" : ",")}\"$ip\":\"127.0.0.1\"}}";
    }

    /// <summary>FNV-1a with a last stir: the same for the same text in every process.</summary>
    private static ulong Hash(string text)
    {
        ulong hash = 14_695_981_039_346_656_037;
        foreach (char unit in text) hash = (hash ^ unit) * 1_099_511_628_211;
        return hash ^ (hash >> 29);
    }

    private readonly record struct Identity(Guid Uuid, int Day, ulong Name);

    private readonly record struct Content(int Day, ulong Name, ulong DistinctId, ulong Properties, ulong Promoted);

    private readonly record struct Row(Content Content, long Earliest, long Latest, long Number)
    {
        /// <summary>At the edge of a rule the moment of receipt may lie on its other side.</summary>
        public bool MayBe(long timestamp)
        {
            long slack = Latest - Earliest;
            return timestamp >= Earliest - slack && timestamp <= Latest + slack;
        }
    }
}
