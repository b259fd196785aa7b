using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Gateway.Query;

/// <summary>
/// Writes a JSON answer in pieces. Nothing is sent before the first piece is full, so that what fails early can still
/// be answered with an error.
/// </summary>
internal sealed class AnswerWriter : IDisposable
{
    private const int PieceBytes = 32 * 1024;

    // The answer is JSON and says so; nobody takes it for HTML.
    private static readonly JsonWriterOptions Options = new() { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private readonly HttpResponse _response;
    private readonly ArrayBufferWriter<byte> _buffer = new(PieceBytes + 4096);

    public AnswerWriter(HttpResponse response)
    {
        _response = response;
        Json = new Utf8JsonWriter(_buffer, Options);
    }

    public Utf8JsonWriter Json { get; }

    /// <summary>Sends what has piled up when it is worth it. Waits while the client does not read.</summary>
    public ValueTask FlushIfLargeAsync(CancellationToken cancellationToken) =>
        _buffer.WrittenCount + Json.BytesPending < PieceBytes ? ValueTask.CompletedTask : SendAsync(cancellationToken);

    public ValueTask CompleteAsync(CancellationToken cancellationToken) => SendAsync(cancellationToken);

    public void Dispose() => Json.Dispose();

    private async ValueTask SendAsync(CancellationToken cancellationToken)
    {
        Json.Flush();
        if (!_response.HasStarted) _response.ContentType = "application/json";

        await _response.Body.WriteAsync(_buffer.WrittenMemory, cancellationToken);
        _buffer.ResetWrittenCount();
    }
}
