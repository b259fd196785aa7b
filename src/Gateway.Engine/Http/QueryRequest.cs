using System.Text.RegularExpressions;
using Gateway.Engine.Chdb;
using Microsoft.Extensions.Primitives;

namespace Gateway.Engine.Http;

/// <summary>What a request asks for, read from its URL, its headers and, when it is a form, its body.</summary>
internal sealed partial class QueryRequest
{
    private const string ParameterPrefix = "param_";

    /// <summary>Arguments of ClickHouse's interface that change nothing here.</summary>
    private static readonly HashSet<string> Ignored =
        ["user", "password", "quota_key", "stacktrace", "role", "buffer_size", "client_protocol_version"];

    /// <summary>Arguments of ClickHouse's interface that would be wrong to ignore.</summary>
    private static readonly HashSet<string> Unsupported =
        ["session_id", "session_timeout", "session_check", "close_session", "compress", "decompress"];

    private readonly List<string> _settings = [];
    private readonly List<QueryParameter> _parameters = [];
    private string? _readOnly;
    private string? _database;

    private QueryRequest()
    {
    }

    /// <summary>The argument <c>query</c>; empty when the statement is in the body.</summary>
    public string Sql { get; private set; } = "";

    public string QueryId { get; private set; } = "";

    public IReadOnlyList<QueryParameter> Parameters => _parameters;

    /// <summary>The format of a result whose statement names none.</summary>
    public string Format { get; private set; } = "TabSeparated";

    /// <summary>The answer is to begin only when the query has ended.</summary>
    public bool WaitEndOfQuery { get; private set; }

    public bool WantsCompression { get; private set; }

    /// <summary>What comes after the argument <c>query</c>: the rest of the statement, or data.</summary>
    public Stream Body { get; private set; } = Stream.Null;

    /// <exception cref="ChdbException">An argument is wrong or cannot be served.</exception>
    public static async Task<QueryRequest> ReadAsync(HttpRequest http)
    {
        var request = new QueryRequest { _database = http.Headers["X-ClickHouse-Database"] };
        if (http.Headers.TryGetValue("X-ClickHouse-Format", out var format)) request.Format = format.ToString();

        foreach (var (name, values) in http.Query) request.Take(name, values);
        if (IsForm(http)) await request.TakeFormAsync(http);
        else request.Body = Inflated(http);

        if (request.QueryId.Length == 0) request.QueryId = Guid.NewGuid().ToString();
        // As in ClickHouse: a GET may not write, but may have settings.
        if (HttpMethods.IsGet(http.Method) && request._readOnly is null or "0") request._readOnly = "2";
        request.WantsCompression &= http.Headers.AcceptEncoding.ToString().Contains("gzip", StringComparison.Ordinal);
        return request;
    }

    /// <summary>The statements that bring a connection to the state the request asks for.</summary>
    public IEnumerable<string> Preparation()
    {
        if (!string.IsNullOrEmpty(_database)) yield return $"USE {SqlText.QuoteName(_database)}";
        if (_settings.Count > 0) yield return $"SET {string.Join(", ", _settings)}";

        // The last: nothing can be set after it.
        if (_readOnly is not null) yield return $"SET readonly = {SqlText.Quote(_readOnly)}";
    }

    /// <summary>Only the multipart kind: the other is what curl says of any body.</summary>
    private static bool IsForm(HttpRequest http) =>
        http.ContentType?.StartsWith("multipart/form-data", StringComparison.OrdinalIgnoreCase) == true;

    private static Stream Inflated(HttpRequest http) => http.Headers.ContentEncoding.ToString() switch
    {
        "" or "identity" => http.Body,
        "gzip" or "x-gzip" => new GzipBody(http.Body),
        var other => throw new ChdbException(
            ErrorCode.UnsupportedMediaType, $"Content-Encoding {other} is not supported. (UNSUPPORTED_MEDIA_TYPE)"),
    };

    private async Task TakeFormAsync(HttpRequest http)
    {
        var form = await http.ReadFormAsync(http.HttpContext.RequestAborted);
        if (form.Files.Count > 0)
        {
            throw new ChdbException(ErrorCode.NotImplemented, "External tables are not supported. (NOT_IMPLEMENTED)");
        }

        foreach (var (name, values) in form) Take(name, values);
    }

    private void Take(string name, StringValues values)
    {
        string value = values[^1] ?? "";
        switch (name)
        {
            case "query": Sql = value; break;
            case "query_id": QueryId = value; break;
            case "database": _database = value; break;
            case "default_format": Format = value; break;
            case "wait_end_of_query": WaitEndOfQuery = value == "1"; break;
            case "readonly": _readOnly = value; break;
            case "log_comment": break; // The query's name is kept there.
            default: TakeOther(name, value); break;
        }
    }

    private void TakeOther(string name, string value)
    {
        if (name.StartsWith(ParameterPrefix, StringComparison.Ordinal))
        {
            _parameters.Add(new QueryParameter(name[ParameterPrefix.Length..], value));
            return;
        }

        if (Ignored.Contains(name)) return;
        if (Unsupported.Contains(name) && value is not ("" or "0"))
        {
            throw new ChdbException(
                ErrorCode.NotImplemented, $"The argument {name} is not supported. (NOT_IMPLEMENTED)");
        }

        TakeSetting(name, value);
    }

    private void TakeSetting(string name, string value)
    {
        if (Unsupported.Contains(name)) return;
        if (!SettingName().IsMatch(name))
        {
            throw new ChdbException(ErrorCode.UnknownSetting, $"Unknown setting '{name}'. (UNKNOWN_SETTING)");
        }

        if (name == "enable_http_compression") WantsCompression = value == "1";
        _settings.Add($"{name} = {SqlText.Quote(value)}");
    }

    [GeneratedRegex(@"\A[A-Za-z_][A-Za-z0-9_]{0,127}\z")]
    private static partial Regex SettingName();
}
