using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;
using System.Threading.Channels;

namespace Gateway.Core.Tests.Redis;

/// <summary>
/// The network between a client and a server of 127.0.0.1, with what may befall it: it is slow, swallows everything, is
/// cut, or holds one message back.
/// </summary>
internal sealed class FaultyLink : IAsyncDisposable
{
    private readonly int _target;
    private readonly Lock _lock = new();
    private readonly List<Connection> _connections = [];
    private TcpListener? _listener;
    private TaskCompletionSource _released = NewSignal();
    private TaskCompletionSource _held = NewSignal();
    private TimeSpan _delay;
    private string? _text;
    private bool _isDropping;

    /// <param name="target">The server's port.</param>
    public FaultyLink(int target)
    {
        _target = target;
        Port = LocalPort.Free();
        Listen();
    }

    public int Port { get; }

    /// <summary>As <c>ConnectionStrings:Redis</c> takes it.</summary>
    public string ConnectionString => $"127.0.0.1:{Port}";

    /// <summary>Completes when the message of the last <see cref="HoldBack"/> has come and is held.</summary>
    public Task Held
    {
        get { lock (_lock) return _held.Task; }
    }

    /// <summary>Everything takes so much longer from now on, in each direction.</summary>
    public void Delay(TimeSpan delay)
    {
        lock (_lock) _delay = delay;
    }

    /// <summary>Swallows everything in both directions; connections are accepted and stay open.</summary>
    public void Drop()
    {
        lock (_lock) _isDropping = true;
    }

    /// <summary>Closes every connection and refuses new ones.</summary>
    public void Cut()
    {
        List<Connection> cut;
        lock (_lock)
        {
            _listener?.Stop();
            _listener = null;
            cut = [.. _connections];
        }

        foreach (var connection in cut) connection.Dispose();
    }

    /// <summary>
    /// Forwards everything at once again. A connection of which something was swallowed is closed: no network loses the
    /// middle of a stream.
    /// </summary>
    public void Heal()
    {
        List<Connection> torn;
        lock (_lock)
        {
            _delay = default;
            _isDropping = false;
            torn = [.. _connections.Where(connection => connection.IsTorn)];
            if (_listener is null) Listen();
        }

        foreach (var connection in torn) connection.Dispose();
    }

    /// <summary>
    /// Holds back the first message from a client that contains the text, and what comes behind it on its connection,
    /// until <see cref="Release"/>.
    /// </summary>
    public void HoldBack(string text)
    {
        lock (_lock)
        {
            _released.TrySetResult();
            (_text, _released, _held) = (text, NewSignal(), NewSignal());
        }
    }

    /// <summary>Lets go of what is held, and holds nothing from now on.</summary>
    public void Release()
    {
        lock (_lock)
        {
            _text = null;
            _released.TrySetResult();
        }
    }

    public ValueTask DisposeAsync()
    {
        Release();
        Cut();
        return ValueTask.CompletedTask;
    }

    private static TaskCompletionSource NewSignal() => new(TaskCreationOptions.RunContinuationsAsynchronously);

    private void Listen()
    {
        _listener = new TcpListener(IPAddress.Loopback, Port);
        _listener.Start();
        _ = AcceptAsync(_listener);
    }

    private async Task AcceptAsync(TcpListener listener)
    {
        try
        {
            while (true)
            {
                var client = await listener.AcceptTcpClientAsync();
                client.NoDelay = true;
                _ = ServeAsync(client);
            }
        }
        catch (Exception exception) when (exception is SocketException or ObjectDisposedException)
        {
            // It was cut.
        }
    }

    private async Task ServeAsync(TcpClient client)
    {
        using var connection = new Connection(client);
        lock (_lock)
        {
            if (_listener is null) return;
            _connections.Add(connection);
        }

        try
        {
            await connection.Server.ConnectAsync(IPAddress.Loopback, _target);
            var (there, back) = (client.GetStream(), connection.Server.GetStream());
            await Task.WhenAny(
                ForwardAsync(there, back, connection, isRequest: true),
                ForwardAsync(back, there, connection, isRequest: false));
        }
        catch (Exception exception) when (exception is IOException or SocketException or ObjectDisposedException)
        {
            // Somebody hung up, or there is nobody.
        }
        finally
        {
            lock (_lock) _connections.Remove(connection);
        }
    }

    /// <summary>What was read waits in line until it is due, so that a slow link is not a narrow one.</summary>
    private async Task ForwardAsync(NetworkStream from, NetworkStream to, Connection connection, bool isRequest)
    {
        var line = Channel.CreateUnbounded<Piece>();
        var reading = ReadAsync(from, line.Writer);
        await foreach (var piece in line.Reader.ReadAllAsync())
        {
            var rest = piece;
            if (isRequest && FindHeld(piece.Bytes.Span) is { } held)
            {
                await PassAsync(piece with { Bytes = piece.Bytes[..held.At] }, to, connection);
                rest = piece with { Bytes = piece.Bytes[held.At..] };
                await held.Released;
            }

            await PassAsync(rest, to, connection);
        }

        await reading;
    }

    private static async Task ReadAsync(NetworkStream from, ChannelWriter<Piece> line)
    {
        byte[] buffer = new byte[64 << 10];
        try
        {
            while (true)
            {
                int read = await from.ReadAsync(buffer);
                if (read == 0) return;
                line.TryWrite(new Piece(Stopwatch.GetTimestamp(), buffer.AsMemory(0, read).ToArray()));
            }
        }
        finally
        {
            line.Complete();
        }
    }

    /// <summary>Where the message begins that is to be held, if it is among these, and what it waits for.</summary>
    private (int At, Task Released)? FindHeld(ReadOnlySpan<byte> bytes)
    {
        lock (_lock)
        {
            if (_text is null) return null;

            int text = bytes.IndexOf(Encoding.UTF8.GetBytes(_text));
            if (text < 0) return null;

            _text = null;
            _held.TrySetResult();

            // Each command begins with an asterisk on a new line.
            return (bytes[..text].LastIndexOf("\r\n*"u8) is >= 0 and var end ? end + 2 : 0, _released.Task);
        }
    }

    private async Task PassAsync(Piece piece, NetworkStream to, Connection connection)
    {
        TimeSpan delay;
        lock (_lock) delay = _delay - Stopwatch.GetElapsedTime(piece.ReadAt);
        if (delay > TimeSpan.Zero) await Task.Delay(delay);
        lock (_lock)
        {
            if (_isDropping) connection.IsTorn = true;
            if (connection.IsTorn) return;
        }

        await to.WriteAsync(piece.Bytes);
    }

    private readonly record struct Piece(long ReadAt, ReadOnlyMemory<byte> Bytes);

    private sealed class Connection(TcpClient client) : IDisposable
    {
        public TcpClient Server { get; } = new() { NoDelay = true };

        public bool IsTorn { get; set; }

        public void Dispose()
        {
            client.Dispose();
            Server.Dispose();
        }
    }
}
