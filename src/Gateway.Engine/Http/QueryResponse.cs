using System.IO.Compression;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Gateway.Engine.Chdb;

namespace Gateway.Engine.Http;

/// <summary>Writes a result as ClickHouse's HTTP interface does: its headers, its data, an error after data.</summary>
internal sealed class QueryResponse(HttpContext http, ChdbEngine engine, QueryRequest request) : IAsyncDisposable
{
    private const int ExceptionTagLength = 16;
    private const int MaxExceptionBytes = 15 * 1024;
    private const string ExceptionTagHeader = "X-ClickHouse-Exception-Tag";

    private readonly long _started = TimeProvider.System.GetTimestamp();
    private GZipStream? _compressed;

    public void SetHeaders(string format, ChdbResult? result)
    {
        var headers = http.Response.Headers;
        headers["X-ClickHouse-Query-Id"] = request.QueryId;
        headers["X-ClickHouse-Timezone"] = engine.TimeZone;
        headers["X-ClickHouse-Format"] = format;
        headers["X-ClickHouse-Summary"] = Summary(result);
        headers[ExceptionTagHeader] = RandomNumberGenerator.GetHexString(ExceptionTagLength, lowercase: true);
        http.Response.ContentType = FormatContentType.Of(format);
        if (!request.WantsCompression) return;

        headers.ContentEncoding = "gzip";
        _compressed = new GZipStream(http.Response.Body, CompressionLevel.Fastest, leaveOpen: true);
    }

    public async Task WriteAsync(ReadOnlyMemory<byte> data, CancellationToken cancellationToken) =>
        await (_compressed ?? http.Response.Body).WriteAsync(data, cancellationToken);

    /// <summary>
    /// Ends an answer that had begun. ClickHouse writes the error between two markers, so that a client can tell it
    /// from data, and leaves out the end of the chunked body.
    /// </summary>
    public async Task FailAsync(ChdbException exception)
    {
        string tag = http.Response.Headers[ExceptionTagHeader].ToString();
        byte[] message = Encoding.UTF8.GetBytes(exception.ToText(engine.Version));
        if (message.Length > MaxExceptionBytes) message = [.. message[..MaxExceptionBytes], (byte)'\n'];

        byte[] before = Encoding.UTF8.GetBytes($"\r\n__exception__\r\n{tag}\r\n");
        byte[] after = Encoding.UTF8.GetBytes($"{message.Length} {tag}\r\n__exception__\r\n");
        await WriteAsync((byte[])[.. before, .. message, .. after], CancellationToken.None);
        if (_compressed is not null) await _compressed.FlushAsync(CancellationToken.None);
        await http.Response.Body.FlushAsync(CancellationToken.None);
        http.Abort();
    }

    public async ValueTask DisposeAsync()
    {
        if (_compressed is not null && !http.RequestAborted.IsCancellationRequested) await _compressed.DisposeAsync();
    }

    private string Summary(ChdbResult? result)
    {
        var elapsed = TimeProvider.System.GetElapsedTime(_started);
        var summary = new QuerySummary((long)elapsed.TotalNanoseconds)
        {
            ReadRows = result?.RowsRead ?? 0,
            ReadBytes = result?.BytesRead ?? 0,
            WrittenRows = result?.RowsWritten ?? 0,
            WrittenBytes = result?.BytesWritten ?? 0,
        };
        return JsonSerializer.Serialize(summary, EngineJson.Default.QuerySummary);
    }
}

/// <summary>What a query read and wrote. It goes before the data: of a SELECT, up to the first chunk.</summary>
internal sealed record QuerySummary(long ElapsedNs)
{
    public ulong ReadRows { get; init; }

    public ulong ReadBytes { get; init; }

    public ulong WrittenRows { get; init; }

    public ulong WrittenBytes { get; init; }

    public ulong TotalRowsToRead { get; init; }

    public ulong ResultRows { get; init; }

    public ulong ResultBytes { get; init; }
}
