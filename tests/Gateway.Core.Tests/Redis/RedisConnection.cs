using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Gateway.Core.Tests.Redis;

/// <summary>A client of a few lines: one command at a time, its reply as text.</summary>
internal sealed class RedisConnection : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(10);

    private readonly TcpClient _client;
    private readonly BufferedStream _stream;

    public RedisConnection(int port)
    {
        _client = new TcpClient { NoDelay = true };
        _client.Connect(IPAddress.Loopback, port);
        _client.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        _stream = new BufferedStream(_client.GetStream());
    }

    /// <summary>The reply; an array's elements each on a line, nothing for a null.</summary>
    /// <exception cref="RedisReplyException">The reply is an error.</exception>
    public string Ask(params string[] command)
    {
        Send(command);
        return Read();
    }

    /// <summary>Sends commands in one piece, whose replies are read later, or never.</summary>
    public void Send(params string[][] commands)
    {
        var text = new StringBuilder();
        foreach (string[] command in commands)
        {
            text.Append($"*{command.Length}\r\n");
            foreach (string part in command) text.Append($"${Encoding.UTF8.GetByteCount(part)}\r\n{part}\r\n");
        }

        _stream.Write(Encoding.UTF8.GetBytes(text.ToString()));
        _stream.Flush();
    }

    public string Read()
    {
        string line = ReadLine();
        string rest = line[1..];
        return line[0] switch
        {
            '+' or ':' => rest,
            '-' => throw new RedisReplyException(rest),
            '$' => ReadBulk(int.Parse(rest)),
            '*' => string.Join('\n', Enumerable.Range(0, Math.Max(0, int.Parse(rest))).Select(_ => Read())),
            _ => throw new InvalidDataException(line),
        };
    }

    public void Dispose() => _client.Dispose();

    private string ReadBulk(int length)
    {
        if (length < 0) return "";

        byte[] bytes = new byte[length + 2];
        _stream.ReadExactly(bytes);
        return Encoding.UTF8.GetString(bytes, 0, length);
    }

    private string ReadLine()
    {
        var bytes = new List<byte>();
        while (bytes is not [.., (byte)'\r', (byte)'\n'])
        {
            int next = _stream.ReadByte();
            if (next < 0) throw new EndOfStreamException();
            bytes.Add((byte)next);
        }

        return Encoding.UTF8.GetString([.. bytes[..^2]]);
    }
}

/// <summary>What Redis says when it refuses.</summary>
public sealed class RedisReplyException(string message) : Exception(message);
