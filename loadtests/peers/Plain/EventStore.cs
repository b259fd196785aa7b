using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;

namespace Gateway.Peers.Plain;

/// <summary>ClickHouse over HTTP, with rows as JSONEachRow. The table is made before the first insert.</summary>
internal sealed class EventStore : IDisposable
{
    private const string Table =
        """
        CREATE TABLE IF NOT EXISTS plain_events
        (
            project_id UInt64, event String, distinct_id String, uuid UUID, timestamp DateTime64(3), properties String
        )
        ENGINE = MergeTree ORDER BY (project_id, timestamp)
        """;

    private const string Insert =
        "INSERT INTO plain_events SETTINGS date_time_input_format = 'best_effort' FORMAT JSONEachRow";

    private readonly HttpClient _http;
    private bool _hasTable;

    public EventStore(Uri store)
    {
        string user = Uri.UnescapeDataString(store.UserInfo);
        _http = new HttpClient { BaseAddress = new Uri(store.GetLeftPart(UriPartial.Authority)) };
        _http.DefaultRequestHeaders.Authorization =
            new AuthenticationHeaderValue("Basic", Convert.ToBase64String(Encoding.UTF8.GetBytes(user)));
    }

    public async Task InsertAsync(List<EventRow> rows, CancellationToken cancellationToken)
    {
        if (!_hasTable) await SendAsync(Table, [], cancellationToken);
        _hasTable = true;

        using var lines = new MemoryStream();
        foreach (var row in rows)
        {
            JsonSerializer.Serialize(lines, row);
            lines.WriteByte((byte)'\n');
        }

        await SendAsync(Insert, lines.ToArray(), cancellationToken);
    }

    public void Dispose() => _http.Dispose();

    private async Task SendAsync(string statement, byte[] rows, CancellationToken cancellationToken)
    {
        using var content = new ByteArrayContent(rows);
        using var answer = await _http.PostAsync(
            $"/?query={Uri.EscapeDataString(statement)}", content, cancellationToken);
        answer.EnsureSuccessStatusCode();
    }
}
