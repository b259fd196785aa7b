using System.Buffers.Binary;
using System.Text;
using Gateway.Core.Events;

namespace Gateway.Core.Tests.Shipping;

/// <summary>Writes a journal record's payload, row by row, in <see cref="EventPayload"/>'s format.</summary>
internal sealed class SampleRecord
{
    private readonly List<byte> _rows = [];
    private readonly string _ip;
    private int _count;
    private int _refused;

    public SampleRecord(string ip = "") => _ip = ip;

    public SampleRecord Event(
        string name,
        string distinctId = "d",
        Guid uuid = default,
        int day = 0,
        long timestamp = 0,
        string properties = "{}",
        bool hasOwnIp = false,
        params (int Index, string Value)[] promoted)
    {
        using var row = new MemoryStream();
        using var writer = new BinaryWriter(row);
        writer.Write(EventPayload.EventKind);
        writer.Write(hasOwnIp ? EventPayload.HasOwnIpFlag : (byte)0);
        writer.Write((ushort)day);
        writer.Write(timestamp);
        byte[] bytes = uuid.ToByteArray(bigEndian: true);
        writer.Write(BinaryPrimitives.ReadUInt64BigEndian(bytes));
        writer.Write(BinaryPrimitives.ReadUInt64BigEndian(bytes.AsSpan(8)));
        Short(writer, name);
        Short(writer, distinctId);
        writer.Write((byte)promoted.Length);
        foreach (var (index, value) in promoted)
        {
            writer.Write((byte)index);
            Short(writer, value);
        }

        byte[] json = Encoding.UTF8.GetBytes(properties);
        writer.Write(json.Length);
        writer.Write(json);
        return Row(row);
    }

    public SampleRecord Refused()
    {
        using var row = new MemoryStream();
        using var writer = new BinaryWriter(row);
        _refused++;
        writer.Write(EventPayload.RefusedKind);
        writer.Write((byte)RejectionReason.MissingEventName);
        writer.Write(0);
        Short(writer, "no name");
        writer.Write(2);
        writer.Write("{}"u8);
        return Row(row);
    }

    public byte[] ToPayload()
    {
        using var payload = new MemoryStream();
        using var writer = new BinaryWriter(payload);
        writer.Write(EventPayload.Version);
        writer.Write((byte)0);
        writer.Write((byte)_ip.Length);
        writer.Write(Encoding.UTF8.GetBytes(_ip));
        writer.Write(_count);
        writer.Write(_refused);
        writer.Write(_rows.ToArray());
        return payload.ToArray();
    }

    private SampleRecord Row(MemoryStream row)
    {
        _rows.AddRange(BitConverter.GetBytes((int)row.Length));
        _rows.AddRange(row.ToArray());
        _count++;
        return this;
    }

    private static void Short(BinaryWriter writer, string text)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        writer.Write((ushort)bytes.Length);
        writer.Write(bytes);
    }
}
