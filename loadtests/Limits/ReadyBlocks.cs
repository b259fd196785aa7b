using System.Buffers;
using System.Buffers.Binary;
using Gateway.Core.Events;
using Gateway.Core.Shipping;

namespace Gateway.LoadTests.Limits;

/// <summary>
/// Blocks as the shipper makes them of such bodies, made beforehand and sent again and again. Each time the uuids of a
/// block are moved on, so that no row is ever another one's duplicate; their order stays that of their times.
/// </summary>
internal sealed class ReadyBlocks
{
    private const int Blocks = 4;
    private const int UuidBytes = 16;

    // As far apart as bodies arrive when a gateway is busy: sorting them costs the engine as much.
    private const long BodyMicros = 333;

    private readonly byte[][] _blocks;
    private readonly int _uuids;
    private readonly ulong _step;
    private int _sent;

    /// <param name="bodies">Of events that have no uuid.</param>
    /// <param name="projects">To which they belong, in turn.</param>
    /// <param name="rows">Of one block.</param>
    public ReadyBlocks(IReadOnlyList<byte[]> bodies, IReadOnlyList<long> projects, int rows)
    {
        Rows = rows;
        var block = new EventBlock(Guid.NewGuid());
        using var parser = new CaptureParser(new CaptureLimits());
        long first = DateTimeOffset.UtcNow.ToUnixTimeMilliseconds() * 1000;
        long now = first;
        ulong sequence = 0;
        _blocks = new byte[Blocks][];
        for (int i = 0; i < Blocks; i++)
        {
            block.Clear();
            for (; block.Rows < rows; sequence++, now += BodyMicros)
            {
                int number = (int)(sequence % (ulong)bodies.Count);
                var refused = parser.Parse(bodies[number], new RequestFacts { ClientIp = "127.0.0.1"u8 }, now);
                if (refused is not null) throw new InvalidOperationException($"A body is refused: {refused}");
                ulong project = (ulong)projects[number % projects.Count];
                block.Add(sequence, project, now, parser.Payload.ToArray());
            }

            _blocks[i] = block.Write(0, rows).ToArray();
        }

        // Their first 48 bits are milliseconds.
        _step = (ulong)(((now - first) / 1000) + 1) << 16;
        _uuids = _blocks[0].AsSpan().IndexOf("\x04uuid\x04UUID"u8) + "\x04uuid\x04UUID"u8.Length;
        if (Array.Exists(_blocks, other => other.AsSpan(0, _uuids).IndexOf("\x04UUID"u8) != _uuids - 5))
            throw new InvalidOperationException("The uuids lie elsewhere in another block.");
    }

    public int Rows { get; }

    /// <summary>Good until the next call.</summary>
    public ReadOnlySequence<byte> Next()
    {
        byte[] block = _blocks[_sent++ % Blocks];
        for (int at = _uuids; at < _uuids + (Rows * UuidBytes); at += UuidBytes)
        {
            var high = block.AsSpan(at, sizeof(ulong));
            BinaryPrimitives.WriteUInt64LittleEndian(high, BinaryPrimitives.ReadUInt64LittleEndian(high) + _step);
        }

        return new ReadOnlySequence<byte>(block);
    }
}
