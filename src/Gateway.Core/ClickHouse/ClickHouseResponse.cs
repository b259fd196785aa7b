using System.Net;
using System.Text;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// The answer to a query, still arriving. Read <see cref="Content"/> to its end: an error that met ClickHouse in the
/// middle is found there and thrown. Disposing it early aborts the request, and the server cancels the query.
/// </summary>
public sealed class ClickHouseResponse : IAsyncDisposable, IDisposable
{
    private readonly HttpResponseMessage _message;

    /// <param name="message">The head of the answer.</param>
    /// <param name="content">Its body.</param>
    /// <param name="format">ClickHouse's name of the result's format.</param>
    /// <param name="limitRead">How long to wait for the next piece of the body.</param>
    internal ClickHouseResponse(
        HttpResponseMessage message, Stream content, string format, Func<CancellationToken, Deadline> limitRead)
    {
        _message = message;
        byte[] tag = Encoding.ASCII.GetBytes(Header("X-ClickHouse-Exception-Tag") ?? "");
        Content = new CheckedStream(content, tag, format, limitRead);
    }

    /// <summary>The result in the format that was asked for.</summary>
    /// <remarks>Reading throws <see cref="ClickHouseException"/> when the query or the connection broke off.</remarks>
    public Stream Content { get; }

    public string? QueryId => Header("X-ClickHouse-Query-Id");

    /// <summary>The statistics known when the answer began (JSON), or null on a server that sends none.</summary>
    public string? Summary => Header("X-ClickHouse-Summary");

    public void Dispose()
    {
        Content.Dispose();
        _message.Dispose();
    }

    public async ValueTask DisposeAsync()
    {
        await Content.DisposeAsync();
        _message.Dispose();
    }

    private string? Header(string name) =>
        _message.Headers.TryGetValues(name, out var values) ? values.FirstOrDefault() : null;

    /// <summary>Passes the body through and looks for an error at its end: <see cref="ClickHouseErrorText"/>.</summary>
    private sealed class CheckedStream(
        Stream inner, byte[] tag, string format, Func<CancellationToken, Deadline> limitRead) : Stream
    {
        private readonly byte[] _tail = new byte[ClickHouseErrorText.TailBytes];
        private int _tailLength;

        public override bool CanRead => true;
        public override bool CanSeek => false;
        public override bool CanWrite => false;
        public override long Length => throw new NotSupportedException();

        public override long Position
        {
            get => throw new NotSupportedException();
            set => throw new NotSupportedException();
        }

        public override async ValueTask<int> ReadAsync(
            Memory<byte> buffer, CancellationToken cancellationToken = default)
        {
            int read;
            using var deadline = limitRead(cancellationToken);
            try
            {
                read = await inner.ReadAsync(buffer, deadline.Token);
            }
            catch (Exception exception) when (deadline.Explain(exception) is { } explained)
            {
                ThrowIfTailIsError();
                throw exception is IOException
                    ? new ClickHouseException("ClickHouse's answer broke off.", exception)
                    : explained;
            }

            if (read == 0 && buffer.Length > 0) ThrowIfTailIsError();
            Remember(buffer.Span[..read]);
            return read;
        }

        public override Task<int> ReadAsync(
            byte[] buffer, int offset, int count, CancellationToken cancellationToken) =>
            ReadAsync(buffer.AsMemory(offset, count), cancellationToken).AsTask();

        public override int Read(byte[] buffer, int offset, int count) =>
            throw new NotSupportedException("The answer is read asynchronously.");

        public override void Flush()
        {
        }

        public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();
        public override void SetLength(long value) => throw new NotSupportedException();
        public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

        protected override void Dispose(bool disposing)
        {
            if (disposing) inner.Dispose();
            base.Dispose(disposing);
        }

        private void Remember(ReadOnlySpan<byte> bytes)
        {
            if (bytes.Length >= _tail.Length)
            {
                bytes[^_tail.Length..].CopyTo(_tail);
                _tailLength = _tail.Length;
                return;
            }

            int keep = Math.Min(_tailLength, _tail.Length - bytes.Length);
            _tail.AsSpan(_tailLength - keep, keep).CopyTo(_tail);
            bytes.CopyTo(_tail.AsSpan(keep));
            _tailLength = keep + bytes.Length;
        }

        private void ThrowIfTailIsError()
        {
            var error = ClickHouseErrorText.FindInTail(_tail.AsSpan(0, _tailLength), tag, format);
            if (error.IsEmpty) return;

            throw new ClickHouseException(
                ClickHouseErrorText.Message(error), ClickHouseErrorText.Code(error), HttpStatusCode.OK);
        }
    }
}
