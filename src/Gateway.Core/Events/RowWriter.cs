using System.Buffers.Binary;
using System.Text;

namespace Gateway.Core.Events;

/// <summary>
/// Writes one row into room that was reserved for it. Sizes are little-endian and stand before their bytes.
/// </summary>
internal ref struct RowWriter(Span<byte> room)
{
    private readonly Span<byte> _room = room;

    public int Length { get; private set; }

    public void Skip(int count) => Length += count;

    public void Truncate(int length) => Length = length;

    public void WriteByte(byte value) => _room[Length++] = value;

    public void WriteUInt16(ushort value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(_room[Length..], value);
        Length += sizeof(ushort);
    }

    public void WriteInt32(int value)
    {
        BinaryPrimitives.WriteInt32LittleEndian(_room[Length..], value);
        Length += sizeof(int);
    }

    public void WriteInt64(long value)
    {
        BinaryPrimitives.WriteInt64LittleEndian(_room[Length..], value);
        Length += sizeof(long);
    }

    public void WriteUuid(EventUuid uuid)
    {
        uuid.Write(_room[Length..]);
        Length += EventUuid.Bytes;
    }

    public void Write(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(_room[Length..]);
        Length += bytes.Length;
    }

    public void WriteLong(ReadOnlySpan<byte> bytes)
    {
        WriteInt32(bytes.Length);
        Write(bytes);
    }

    public void WriteShort(string text)
    {
        int length = Encoding.UTF8.GetBytes(text, _room[(Length + sizeof(ushort))..]);
        WriteUInt16((ushort)length);
        Length += length;
    }

    public ReadOnlySpan<byte> WriteShort(ReadOnlySpan<byte> text)
    {
        WriteUInt16((ushort)text.Length);
        Write(text);
        return _room.Slice(Length - text.Length, text.Length);
    }

    /// <summary>
    /// Writes a value's text without escapes, and returns it. One longer than its 16-bit size can say is returned whole
    /// all the same: the caller's limit is lower, and refuses it.
    /// </summary>
    public ReadOnlySpan<byte> WriteShort(ReadOnlySpan<byte> json, JsonSlice value)
    {
        int start = Length + sizeof(ushort);
        int length = value.IsMissing ? 0 : value.CopyText(json, _room[start..]);
        WriteUInt16((ushort)length);
        Length += length;
        return _room.Slice(start, length);
    }

    /// <summary>
    /// False, with the writer past a size that is wrong, when the text is empty or too long for 16 bits.
    /// </summary>
    public bool TryWriteShort(ReadOnlySpan<byte> json, JsonSlice value) =>
        WriteShort(json, value).Length is > 0 and <= ushort.MaxValue;

    /// <summary>Appends a member to a JSON object that is still open.</summary>
    public void WriteMember(ReadOnlySpan<byte> key, ReadOnlySpan<byte> value, ref bool isFirst)
    {
        if (!isFirst) WriteByte((byte)',');
        isFirst = false;
        Write(key);
        Write(value);
    }

    public readonly void PatchByte(int at, byte value) => _room[at] = value;

    public readonly void PatchInt32(int at, int value) =>
        BinaryPrimitives.WriteInt32LittleEndian(_room[at..], value);
}
