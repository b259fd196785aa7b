using System.Buffers.Text;
using System.Net.Sockets;

namespace Gateway.LoadTests.Clients;

/// <summary>An answer; its body is good until the next request of the connection.</summary>
internal readonly record struct LeanAnswer(int Status, ReadOnlyMemory<byte> Body);

/// <summary>
/// A kept HTTP/1.1 connection of as little work as can be: the request goes out as the bytes that the caller made, and
/// of the answer only status, length and body are looked at. One request at a time; opened again when the server has
/// closed it.
/// </summary>
internal sealed class LeanConnection(Uri server) : IDisposable
{
    private Socket? _socket;
    private byte[] _buffer = new byte[8 << 10];
    private byte[] _body = new byte[1 << 10];
    private int _read;
    private int _bodyLength;

    /// <summary>Opens it, if it is not open: the first request need not wait for that.</summary>
    /// <exception cref="SocketException">Nobody listens.</exception>
    public async ValueTask OpenAsync(CancellationToken cancellationToken)
    {
        if (_socket is not null) return;

        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(server.DnsSafeHost, server.Port, cancellationToken);
            _socket = socket;
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Sends a whole request and reads the whole answer.</summary>
    /// <exception cref="IOException">The connection broke before the answer was whole.</exception>
    public async ValueTask<LeanAnswer> SendAsync(ReadOnlyMemory<byte> request, CancellationToken cancellationToken)
    {
        try
        {
            await OpenAsync(cancellationToken);
            var socket = _socket!;
            for (int sent = 0; sent < request.Length;)
                sent += await socket.SendAsync(request[sent..], SocketFlags.None, cancellationToken);
            return await ReadAsync(socket, cancellationToken);
        }
        catch (SocketException error)
        {
            Close();
            throw new IOException("The connection broke.", error);
        }
        catch (Exception)
        {
            Close();
            throw;
        }
    }

    public void Dispose() => Close();

    private async ValueTask<LeanAnswer> ReadAsync(Socket socket, CancellationToken cancellationToken)
    {
        (_read, _bodyLength) = (0, 0);
        int head;
        while ((head = _buffer.AsSpan(0, _read).IndexOf("\r\n\r\n"u8)) < 0) await FillAsync(socket, cancellationToken);

        var (status, length, isLast) = ReadHead(_buffer.AsSpan(0, head + 2));
        int at = head + 4;
        if (length >= 0)
        {
            while (_read - at < length) await FillAsync(socket, cancellationToken);
            AppendBody(at, length);
        }
        else
        {
            await ReadChunksAsync(socket, at, cancellationToken);
        }

        if (isLast) Close();
        return new LeanAnswer(status, _body.AsMemory(0, _bodyLength));
    }

    private async ValueTask ReadChunksAsync(Socket socket, int at, CancellationToken cancellationToken)
    {
        while (true)
        {
            int line;
            while ((line = _buffer.AsSpan(at, _read - at).IndexOf("\r\n"u8)) < 0)
            {
                await FillAsync(socket, cancellationToken);
            }

            if (!Utf8Parser.TryParse(_buffer.AsSpan(at, line), out int size, out _, 'x'))
                throw new IOException("A chunk has no size.");
            at += line + 2;
            while (_read - at < size + 2) await FillAsync(socket, cancellationToken);
            if (size == 0) return;
            AppendBody(at, size);
            at += size + 2;
        }
    }

    private void AppendBody(int at, int length)
    {
        if (_bodyLength + length > _body.Length) Array.Resize(ref _body, 2 * (_bodyLength + length));
        _buffer.AsSpan(at, length).CopyTo(_body.AsSpan(_bodyLength));
        _bodyLength += length;
    }

    private async ValueTask FillAsync(Socket socket, CancellationToken cancellationToken)
    {
        if (_read == _buffer.Length) Array.Resize(ref _buffer, 2 * _buffer.Length);
        int read = await socket.ReceiveAsync(_buffer.AsMemory(_read), SocketFlags.None, cancellationToken);
        if (read == 0) throw new IOException("The connection was closed before the answer was whole.");
        _read += read;
    }

    /// <summary>The length is -1 where the body is chunked; 0 where neither is said.</summary>
    private static (int Status, int Length, bool IsLast) ReadHead(ReadOnlySpan<byte> head)
    {
        if (head.Length < 12 || !Utf8Parser.TryParse(head[9..], out int status, out _))
            throw new IOException("The answer has no status.");

        int length = 0;
        bool isLast = false;
        foreach (var range in head.Split("\r\n"u8))
        {
            var line = head[range];
            if (line.StartsWith("Content-Length: "u8) && !Utf8Parser.TryParse(line[16..], out length, out _))
                throw new IOException("The answer has no length.");
            if (line.StartsWith("Transfer-Encoding: chunked"u8)) length = -1;
            else if (line.StartsWith("Connection: close"u8)) isLast = true;
        }

        return (status, length, isLast);
    }

    private void Close()
    {
        _socket?.Dispose();
        _socket = null;
    }
}
