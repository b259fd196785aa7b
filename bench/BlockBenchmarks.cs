using System.Buffers;
using System.Buffers.Binary;
using System.Text;
using BenchmarkDotNet.Attributes;
using Gateway.Core.Events;
using Gateway.Core.Shipping;

namespace Gateway.Bench;

/// <summary>From journal records to one Native block; the time is that of one event.</summary>
[MemoryDiagnoser]
public class BlockBenchmarks
{
    private const int Events = 20_000;

    private readonly EventBlock _block = new(Guid.NewGuid());
    private byte[] _payload = [];
    private long _expectedBytes;

    /// <summary>Events in one request, and so in one record.</summary>
    [Params(1, 100)]
    public int Batch { get; set; }

    [Params(1, 50)]
    public int Projects { get; set; }

    [GlobalSetup]
    public void Setup()
    {
        _payload = Payload(Batch);
        _expectedBytes = Build();
        if (_block.Rows != Events) throw new InvalidOperationException($"{_block.Rows} rows in place of {Events}.");
    }

    [Benchmark(OperationsPerInvoke = Events)]
    public long Build()
    {
        _block.Clear();
        for (int i = 0; i < Events / Batch; i++) _block.Add((ulong)i, (ulong)(i * 31 % Projects), i, _payload);
        long bytes = _block.Write(0, _block.Rows).Length;
        if (_expectedBytes != 0 && bytes != _expectedBytes) throw new InvalidOperationException("Not the same block.");
        return bytes;
    }

    private static byte[] Payload(int events)
    {
        var payload = new ArrayBufferWriter<byte>();
        payload.Write((byte[])[EventPayload.Version, 0, 8]);
        payload.Write("10.0.0.1"u8);
        Int32(payload, events);
        Int32(payload, 0);
        for (int i = 0; i < events; i++)
        {
            byte[] row = Row();
            Int32(payload, row.Length);
            payload.Write(row);
        }

        return payload.WrittenSpan.ToArray();
    }

    private static byte[] Row()
    {
        var row = new ArrayBufferWriter<byte>();
        row.Write((byte[])[EventPayload.EventKind, 0, 1, 2]);
        row.Write(new byte[8 + 16]);
        Short(row, "$pageview");
        Short(row, "0190a5dd-ac96-774b-bcce-b302099a8057");
        string[] promoted =
        [
            "https://shop.example/a/page?with=query", "shop.example", "/a/page", "google.com",
            "Chrome", "Linux", "Desktop", "web",
        ];
        row.Write((byte[])[(byte)promoted.Length]);
        for (byte i = 0; i < promoted.Length; i++)
        {
            row.Write((byte[])[i]);
            Short(row, promoted[i]);
        }

        byte[] properties = Encoding.UTF8.GetBytes("{\"$lib\":\"web\",\"text\":\"" + new string('x', 400) + "\"}");
        Int32(row, properties.Length);
        row.Write(properties);
        return row.WrittenSpan.ToArray();
    }

    private static void Short(ArrayBufferWriter<byte> writer, string text)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(writer.GetSpan(2), (ushort)text.Length);
        writer.Advance(2);
        writer.Write(Encoding.UTF8.GetBytes(text));
    }

    private static void Int32(ArrayBufferWriter<byte> writer, int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(writer.GetSpan(4), value);
        writer.Advance(4);
    }
}
