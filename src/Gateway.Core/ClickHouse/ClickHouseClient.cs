using System.Buffers;
using System.Globalization;
using System.Net;
using System.Text;
using System.Text.Json;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// ClickHouse's HTTP interface, the one way in which the gateway talks to it, be it the embedded engine or a server.
/// Thread-safe. Throws <see cref="ClickHouseException"/> for everything that goes wrong out there.
/// </summary>
public sealed class ClickHouseClient : IDisposable
{
    private const int MaxErrorBytes = 64 * 1024;
    private const string CancelSetting = "cancel_http_readonly_queries_on_client_close";

    private static readonly KeyValuePair<string, string>[] None = [];

    private readonly Func<ClickHouseOptions?> _target;
    private readonly TimeProvider _time;
    private readonly HttpClient _http;
    private volatile bool _serverCancels = true;

    public ClickHouseClient(ClickHouseOptions target, TimeProvider? time = null)
        : this(() => target, time)
    {
    }

    /// <param name="target">
    /// Asked before each request: the embedded engine's port changes when it is started again. Null while there is
    /// none.
    /// </param>
    /// <param name="time">The clock of the timeouts.</param>
    public ClickHouseClient(Func<ClickHouseOptions?> target, TimeProvider? time = null)
        : this(target, time, Sockets())
    {
    }

    internal ClickHouseClient(Func<ClickHouseOptions?> target, TimeProvider? time, HttpMessageHandler handler)
    {
        _target = target;
        _time = time ?? TimeProvider.System;
        _http = new HttpClient(handler) { Timeout = Timeout.InfiniteTimeSpan };
    }

    /// <summary>
    /// How long a statement may take to be carried out, a query to send the head of its answer, and then each further
    /// piece of it.
    /// </summary>
    public TimeSpan StatementTimeout { get; init; } = TimeSpan.FromSeconds(60);

    /// <summary>Where requests go now; null while there is no engine.</summary>
    public ClickHouseOptions? Target => _target();

    /// <summary>Answered by any healthy server, to anybody.</summary>
    public async Task PingAsync(CancellationToken cancellationToken)
    {
        var target = CurrentTarget();
        using var request = new HttpRequestMessage(HttpMethod.Get, new Uri(target.Endpoint, "/ping"));
        using var deadline = new Deadline(StatementTimeout, _time, cancellationToken);
        using var response = await SendAsync(request, deadline);
        byte[] body = await ReadBodyAsync(response, deadline);
        if (!body.AsSpan().StartsWith("Ok."u8)) throw new ClickHouseException("What answers there is not ClickHouse.");
    }

    /// <summary>Carries out a statement that has no result to read.</summary>
    public async Task ExecuteAsync(
        string sql,
        IEnumerable<KeyValuePair<string, string>>? parameters = null,
        IEnumerable<KeyValuePair<string, string>>? settings = null,
        CancellationToken cancellationToken = default)
    {
        var arguments = Parameters(parameters).Concat(settings ?? None);
        using var request = ClickHouseRequest.Create(CurrentTarget(), arguments, Sql(sql));
        using var deadline = new Deadline(StatementTimeout, _time, cancellationToken);
        using var response = await SendAsync(request, deadline);
        await ReadBodyAsync(response, deadline);
    }

    /// <summary>
    /// Asks a query; its result streams. Cancelling the token, or disposing the response, cancels it there too.
    /// </summary>
    /// <param name="sql">A SELECT with no FORMAT; placeholders as <c>{name:Type}</c>.</param>
    /// <param name="parameters">Values of the placeholders as text, not escaped.</param>
    /// <param name="settings">ClickHouse settings for this query only.</param>
    /// <param name="format">ClickHouse's name of the result's format.</param>
    /// <param name="queryId">The query's name in ClickHouse's own log and process list, or null.</param>
    /// <param name="cancellationToken">Aborts the request.</param>
    public async Task<ClickHouseResponse> QueryAsync(
        string sql,
        IEnumerable<KeyValuePair<string, string>>? parameters,
        IEnumerable<KeyValuePair<string, string>>? settings,
        string format,
        string? queryId,
        CancellationToken cancellationToken)
    {
        bool asksToCancel = _serverCancels;
        try
        {
            return await QueryAsync(sql, format, [
                new("default_format", format),
                .. asksToCancel ? [new(CancelSetting, "1")] : None,
                .. queryId is not null ? [new("query_id", queryId)] : None,
                .. Parameters(parameters),
                .. settings ?? None,
            ], cancellationToken);
        }
        catch (ClickHouseException refused) when (asksToCancel
            && refused.Code == ClickHouseErrorCodes.UnknownSetting
            && refused.Message.Contains(CancelSetting, StringComparison.Ordinal))
        {
            // A server too old for it: its queries run to their end.
            _serverCancels = false;
            return await QueryAsync(sql, parameters, settings, format, queryId, cancellationToken);
        }
    }

    /// <summary>Asks a query whose result is small and read as text.</summary>
    public async Task<string> QueryTextAsync(
        string sql,
        IEnumerable<KeyValuePair<string, string>>? parameters = null,
        string format = "TabSeparated",
        CancellationToken cancellationToken = default)
    {
        using var deadline = new Deadline(StatementTimeout, _time, cancellationToken);
        try
        {
            await using var response = await QueryAsync(sql, parameters, null, format, null, deadline.Token);
            using var reader = new StreamReader(response.Content, Encoding.UTF8);
            return await reader.ReadToEndAsync(deadline.Token);
        }
        catch (Exception exception) when (deadline.Explain(exception) is { } explained)
        {
            throw explained;
        }
    }

    /// <summary>Sends rows. When this fails without an answer they may have been stored all the same.</summary>
    /// <param name="insertSql"><c>INSERT INTO … FORMAT …</c></param>
    /// <param name="rows">The rows in that format.</param>
    /// <param name="settings">ClickHouse settings for this insert only.</param>
    /// <param name="compress">With gzip; null: unless the server is on this machine.</param>
    /// <param name="cancellationToken">Aborts the request.</param>
    /// <returns>The rows written, when the server says so.</returns>
    public async Task<long?> InsertAsync(
        string insertSql,
        ReadOnlySequence<byte> rows,
        IEnumerable<KeyValuePair<string, string>>? settings = null,
        bool? compress = null,
        CancellationToken cancellationToken = default)
    {
        var target = CurrentTarget();
        var arguments = (settings ?? None).Prepend(new("query", insertSql));
        var content = new SequenceContent(rows, gzip: compress ?? !target.IsLoopback);

        using var request = ClickHouseRequest.Create(target, arguments, content);
        using var deadline = new Deadline(StatementTimeout, _time, cancellationToken);
        using var response = await SendAsync(request, deadline);
        byte[] body = await ReadBodyAsync(response, deadline);

        // An insert has no result, so that anything in the answer is an error that came after its head, or the page of
        // something that is no ClickHouse and has stored nothing.
        if (body.AsSpan().ContainsAnyExcept(" \r\n"u8))
            throw Refused(body, ClickHouseErrorText.Code(body), response.StatusCode);
        return WrittenRows(response);
    }

    /// <summary>Makes the database that this client is told to use, when it is not there.</summary>
    public async Task CreateDatabaseAsync(CancellationToken cancellationToken)
    {
        var target = CurrentTarget();
        var sql = Sql($"CREATE DATABASE IF NOT EXISTS `{target.Database.Replace("\\", "\\\\").Replace("`", "\\`")}`");
        using var request = ClickHouseRequest.Create(target with { Database = "" }, None, sql);
        using var deadline = new Deadline(StatementTimeout, _time, cancellationToken);
        using var response = await SendAsync(request, deadline);
        await ReadBodyAsync(response, deadline);
    }

    /// <summary>Which of these settings the server knows. An unknown one would fail a whole statement.</summary>
    public async Task<IReadOnlySet<string>> KnownSettingsAsync(
        IEnumerable<string> names, CancellationToken cancellationToken, string table = "system.settings")
    {
        // Names are ours, never a client's; a server without parameters must understand this too.
        string list = string.Join(", ", names.Select(name => $"'{name}'"));
        string known = await QueryTextAsync(
            $"SELECT name FROM {table} WHERE name IN ({list})", cancellationToken: cancellationToken);
        return known.Split('\n', StringSplitOptions.RemoveEmptyEntries).ToHashSet(StringComparer.Ordinal);
    }

    public void Dispose() => _http.Dispose();

    /// <summary>What is not wanted any more is cut, not drained: that is how the server learns of it.</summary>
    private static SocketsHttpHandler Sockets() => new()
    {
        AllowAutoRedirect = false,
        AutomaticDecompression = DecompressionMethods.GZip,
        ConnectTimeout = TimeSpan.FromSeconds(5),
        MaxResponseDrainSize = 0,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),
        UseCookies = false,
        UseProxy = false,
        ActivityHeadersPropagator = null,
    };

    private async Task<ClickHouseResponse> QueryAsync(
        string sql,
        string format,
        List<KeyValuePair<string, string>> arguments,
        CancellationToken cancellationToken)
    {
        var target = CurrentTarget();
        if (!target.IsLoopback) arguments.Add(new("enable_http_compression", "1"));

        using var request = ClickHouseRequest.Create(target, arguments, Sql(sql));
        using var deadline = new Deadline(StatementTimeout, _time, cancellationToken);
        var response = await SendAsync(request, deadline);
        var content = await response.Content.ReadAsStreamAsync(cancellationToken);
        return new ClickHouseResponse(
            response, content, format, caller => new Deadline(StatementTimeout, _time, caller));
    }

    private ClickHouseOptions CurrentTarget() =>
        _target() ?? throw new ClickHouseException("ClickHouse is not running at the moment.");

    private async Task<HttpResponseMessage> SendAsync(HttpRequestMessage request, Deadline deadline)
    {
        HttpResponseMessage response;
        try
        {
            response = await _http.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, deadline.Token);
        }
        catch (Exception exception) when (deadline.Explain(exception) is { } explained)
        {
            throw explained;
        }

        int code = HeaderCode(response);
        if (response.IsSuccessStatusCode && code == 0) return response;

        using (response)
        {
            byte[] body = await ReadBodyAsync(response, deadline);
            throw Refused(body, code != 0 ? code : ClickHouseErrorText.Code(body), response.StatusCode);
        }
    }

    private static ClickHouseException Refused(ReadOnlySpan<byte> text, int code, HttpStatusCode status)
    {
        string message = ClickHouseErrorText.Message(text);
        return new(message.Length > 0 ? message : $"ClickHouse answered {(int)status}.", code, status);
    }

    /// <summary>Reads a short answer whole; of a longer one, the start.</summary>
    private static async Task<byte[]> ReadBodyAsync(HttpResponseMessage response, Deadline deadline)
    {
        try
        {
            await using var stream = await response.Content.ReadAsStreamAsync(deadline.Token);
            byte[] buffer = ArrayPool<byte>.Shared.Rent(MaxErrorBytes);
            int length = await stream.ReadAtLeastAsync(buffer, MaxErrorBytes, false, deadline.Token);
            byte[] body = buffer[..Math.Min(length, MaxErrorBytes)];
            ArrayPool<byte>.Shared.Return(buffer);
            return body;
        }
        catch (Exception exception) when (deadline.Explain(exception) is { } explained)
        {
            throw explained;
        }
    }

    private static IEnumerable<KeyValuePair<string, string>> Parameters(
        IEnumerable<KeyValuePair<string, string>>? parameters) =>
        from parameter in parameters ?? None
        select KeyValuePair.Create("param_" + parameter.Key, ClickHouseRequest.EscapeParameter(parameter.Value));

    private static StringContent Sql(string sql) => new(sql, Encoding.UTF8, "text/plain");

    private static int HeaderCode(HttpResponseMessage response) =>
        response.Headers.TryGetValues("X-ClickHouse-Exception-Code", out var values)
        && int.TryParse(values.First(), CultureInfo.InvariantCulture, out int code) ? code : 0;

    private static long? WrittenRows(HttpResponseMessage response)
    {
        if (!response.Headers.TryGetValues("X-ClickHouse-Summary", out var values)) return null;

        try
        {
            using var summary = JsonDocument.Parse(values.First());
            return summary.RootElement.TryGetProperty("written_rows", out var rows)
                && long.TryParse(rows.ToString(), CultureInfo.InvariantCulture, out long written) ? written : null;
        }
        catch (JsonException)
        {
            // Statistics only; the insert itself was answered with success.
            return null;
        }
    }
}
