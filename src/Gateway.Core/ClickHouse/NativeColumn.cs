using System.Buffers.Binary;
using System.Text;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// One column of a <see cref="NativeBlock"/>, growing in chunks: nothing is copied when it grows, and a value may lie
/// across two of them.
/// </summary>
public sealed class NativeColumn
{
    /// <summary>A multiple of every fixed size, so that only strings lie across a border.</summary>
    internal const int ChunkBytes = 64 * 1024;

    private readonly Stack<byte[]> _freeChunks;
    private readonly List<byte[]> _fullChunks = [];
    private byte[] _chunk = [];
    private int _used;

    internal NativeColumn(string name, string type, Stack<byte[]> freeChunks)
    {
        Name = name;
        Type = type;
        Header = [.. Prefixed(name), .. Prefixed(type)];
        _freeChunks = freeChunks;
    }

    public string Name { get; }

    /// <summary>ClickHouse's name of the type that the values are written in.</summary>
    public string Type { get; }

    /// <summary>Name and type, as they stand before the values.</summary>
    internal byte[] Header { get; }

    /// <summary>Date: days since 1970-01-01.</summary>
    public void WriteUInt16(ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(Reserve(sizeof(ushort)), value);

    public void WriteUInt32(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Reserve(sizeof(uint)), value);

    public void WriteUInt64(ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(Reserve(sizeof(ulong)), value);

    /// <summary>DateTime64(6): microseconds since 1970-01-01 UTC.</summary>
    public void WriteInt64(long value) => BinaryPrimitives.WriteInt64LittleEndian(Reserve(sizeof(long)), value);

    /// <summary>UUID: two u64, the high one first.</summary>
    public void WriteUuid(ReadOnlySpan<byte> value) => value.CopyTo(Reserve(16));

    public void WriteString(ReadOnlySpan<byte> value)
    {
        // Most are short, and lie in one chunk.
        if (value.Length < 0x80 && value.Length < _chunk.Length - _used)
        {
            _chunk[_used] = (byte)value.Length;
            value.CopyTo(_chunk.AsSpan(_used + 1));
            _used += 1 + value.Length;
            return;
        }

        BeginString(value.Length);
        AppendToString(value);
    }

    /// <summary>Starts a string of which the pieces follow, <paramref name="length"/> bytes in all.</summary>
    public void BeginString(int length)
    {
        uint rest = (uint)length;
        for (; rest >= 0x80; rest >>= 7) Reserve(1)[0] = (byte)(rest | 0x80);
        Reserve(1)[0] = (byte)rest;
    }

    public void AppendToString(ReadOnlySpan<byte> piece)
    {
        while (piece.Length > _chunk.Length - _used)
        {
            int fits = _chunk.Length - _used;
            piece[..fits].CopyTo(_chunk.AsSpan(_used));
            _used += fits;
            piece = piece[fits..];
            NextChunk();
        }

        piece.CopyTo(_chunk.AsSpan(_used));
        _used += piece.Length;
    }

    internal void Clear()
    {
        foreach (byte[] chunk in _fullChunks) _freeChunks.Push(chunk);
        _fullChunks.Clear();
        if (_chunk.Length > 0) _freeChunks.Push(_chunk);
        _chunk = [];
        _used = 0;
    }

    internal void AppendTo(List<ReadOnlyMemory<byte>> pieces)
    {
        foreach (byte[] chunk in _fullChunks) pieces.Add(chunk);
        if (_used > 0) pieces.Add(_chunk.AsMemory(0, _used));
    }

    private Span<byte> Reserve(int size)
    {
        if (_used == _chunk.Length) NextChunk();
        var space = _chunk.AsSpan(_used, size);
        _used += size;
        return space;
    }

    private void NextChunk()
    {
        if (_chunk.Length > 0) _fullChunks.Add(_chunk);
        _chunk = _freeChunks.TryPop(out byte[]? free) ? free : GC.AllocateUninitializedArray<byte>(ChunkBytes);
        _used = 0;
    }

    private static byte[] Prefixed(string text)
    {
        // Written in one byte, as lengths below 128 are.
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(bytes.Length, 0x80, nameof(text));
        return [(byte)bytes.Length, .. bytes];
    }
}
