using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.LoadTests.Slow;

/// <summary>How a client holds a connection without using it.</summary>
internal enum SlowKind : byte
{
    /// <summary>One good request, and then nothing.</summary>
    Idle,

    /// <summary>Connected, and never a byte.</summary>
    Silent,

    /// <summary>The head of a request, a byte at a time.</summary>
    Head,

    /// <summary>A body with a length, a byte at a time.</summary>
    Body,

    /// <summary>A good start of a body, and then nothing.</summary>
    Stalled,

    /// <summary>A chunked body that never ends, a small chunk at a time.</summary>
    Chunked,
}

/// <summary>Who ended a slow connection.</summary>
internal enum SlowFate : byte
{
    /// <summary>The gateway closed it.</summary>
    Closed,

    /// <summary>We let it go while the gateway still held it.</summary>
    LetGo,

    /// <summary>It could not connect at all.</summary>
    Refused,
}

/// <summary>What became of a slow connection.</summary>
/// <param name="Kind">What it was.</param>
/// <param name="Held">From its first byte, or the end of its one request, until its end.</param>
/// <param name="Fate">Who ended it.</param>
internal readonly record struct SlowEnd(SlowKind Kind, TimeSpan Held, SlowFate Fate);

/// <summary>
/// One connection of a client that is slow on purpose; no HTTP library would send this. It costs as little as can be:
/// ten thousand of them share the machine with what they are held against.
/// </summary>
internal sealed class SlowConnection : IDisposable
{
    public static readonly SlowKind[] Kinds = Enum.GetValues<SlowKind>();

    private readonly Socket _socket;
    private readonly SocketAsyncEventArgs _receiving = new();
    private readonly byte[]? _piece;
    private TaskCompletionSource _received = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private SlowConnection(SlowKind kind)
    {
        // Ten thousand ports must not wait for stray packets when we let go.
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp)
        {
            NoDelay = true,
            LingerState = new LingerOption(enable: true, seconds: 0),
        };
        _piece = Piece(kind);
        _receiving.SetBuffer(new byte[512]);
        _receiving.Completed += (_, _) => _received.SetResult();
    }

    /// <summary>How long the gateway may hold it: its limits, and the two seconds by which it looks at them.</summary>
    public static TimeSpan Limit(SlowKind kind) => kind switch
    {
        // A connection without a request is an idle one to Kestrel.
        SlowKind.Idle or SlowKind.Silent => TimeSpan.FromSeconds(77),
        SlowKind.Head => TimeSpan.FromSeconds(12),
        _ => TimeSpan.FromSeconds(17),
    };

    /// <summary>Holds a connection until the gateway closes it.</summary>
    /// <param name="gateway">Where.</param>
    /// <param name="token">A project's, for the one good request.</param>
    /// <param name="kind">How.</param>
    /// <param name="pieces">Sends the pieces of those that send some.</param>
    /// <param name="connected">Called when it is there and does what it is meant to do.</param>
    /// <param name="cancellationToken">Ends it from our side; a connection that was there still tells how long.</param>
    /// <exception cref="OperationCanceledException">It was to end before it was there.</exception>
    public static async Task<SlowEnd> HoldAsync(
        Uri gateway,
        string token,
        SlowKind kind,
        SlowPieces pieces,
        Action connected,
        CancellationToken cancellationToken)
    {
        using var connection = new SlowConnection(kind);
        if (!await connection.TryOpenAsync(gateway, Start(kind, token), cancellationToken))
            return new SlowEnd(kind, TimeSpan.Zero, SlowFate.Refused);

        using var letGo = cancellationToken.UnsafeRegister(
            static socket => ((Socket)socket!).Dispose(), connection._socket);
        if (kind == SlowKind.Idle && await connection.ReceiveAsync() == 0)
            return new SlowEnd(kind, TimeSpan.Zero, SlowFate.Refused);

        connected();
        long began = Stopwatch.GetTimestamp();
        if (connection._piece is not null) pieces.Add(connection);
        while (await connection.ReceiveAsync() > 0) { }

        return new SlowEnd(
            kind,
            Stopwatch.GetElapsedTime(began),
            cancellationToken.IsCancellationRequested ? SlowFate.LetGo : SlowFate.Closed);
    }

    /// <summary>The next few bytes; false: it is closed.</summary>
    public bool TrySendPiece()
    {
        try
        {
            _socket.Send(_piece, SocketFlags.None, out var error);
            return error == SocketError.Success;
        }
        catch (ObjectDisposedException)
        {
            return false;
        }
    }

    public void Dispose()
    {
        _socket.Dispose();
        _receiving.Dispose();
    }

    private async Task<bool> TryOpenAsync(Uri gateway, byte[] start, CancellationToken cancellationToken)
    {
        try
        {
            await _socket.ConnectAsync(IPAddress.Loopback, gateway.Port, cancellationToken);
            if (start.Length > 0) await _socket.SendAsync(start, cancellationToken);
            return true;
        }
        catch (SocketException)
        {
            return false;
        }
    }

    /// <summary>How many bytes came; 0: it is closed, by a reset too. Nothing is thrown: that would cost the most.</summary>
    private async ValueTask<int> ReceiveAsync()
    {
        try
        {
            if (_socket.ReceiveAsync(_receiving)) await _received.Task;
        }
        catch (ObjectDisposedException)
        {
            return 0;
        }

        _received = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        return _receiving.SocketError == SocketError.Success ? _receiving.BytesTransferred : 0;
    }

    private static byte[] Start(SlowKind kind, string token)
    {
        string body = $$"""{"api_key":"{{token}}","event":"slow","distinct_id":"d"}""";
        const string Head = "POST /i/v0/e/ HTTP/1.1\r\nHost: x\r\n";
        return Encoding.ASCII.GetBytes(kind switch
        {
            SlowKind.Idle => $"{Head}Content-Length: {body.Length}\r\n\r\n{body}",
            SlowKind.Silent => "",
            SlowKind.Head => "P",
            SlowKind.Body => Head + "Content-Length: 100000\r\n\r\n{",
            SlowKind.Stalled => $"{Head}Content-Length: 100000\r\n\r\n{new string(' ', 2_000)}",
            _ => Head + "Transfer-Encoding: chunked\r\n\r\n1\r\n \r\n",
        });
    }

    private static byte[]? Piece(SlowKind kind) => kind switch
    {
        SlowKind.Head or SlowKind.Body => "x"u8.ToArray(),
        SlowKind.Chunked => "1\r\n \r\n"u8.ToArray(),
        _ => null,
    };
}
