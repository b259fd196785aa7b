using System.Buffers;
using System.Buffers.Binary;
using System.Text;

namespace Gateway.Core.Query;

/// <summary>
/// Reads a result in ClickHouse's RowBinary row by row from a stream. A row begins with a mark: should anything but
/// rows follow, such as the text of an error, it is noticed before it is taken for data.
/// </summary>
public sealed class RowReader(Stream stream) : IDisposable
{
    public const byte Mark = 1;

    // One row holds at most a few texts of an event, each bounded at capture.
    private const int MaxRowBytes = 64 << 20;

    private byte[] _buffer = ArrayPool<byte>.Shared.Rent(64 * 1024);
    private int _start;
    private int _end;
    private int _wanted;

    /// <summary>Waits for more bytes than those already seen to be too few for a row; false at the end.</summary>
    /// <exception cref="InvalidDataException">The result broke off inside a row, or holds no rows.</exception>
    public async ValueTask<bool> FillAsync(CancellationToken cancellationToken)
    {
        if (_end - _start > _wanted) return true;

        if (_start > 0)
        {
            _buffer.AsSpan(_start.._end).CopyTo(_buffer);
            (_start, _end) = (0, _end - _start);
        }

        if (_end == _buffer.Length) Grow();

        int read = await stream.ReadAsync(_buffer.AsMemory(_end), cancellationToken);
        _end += read;
        if (read > 0) return true;
        if (_end > _start) throw new InvalidDataException("The result broke off inside a row.");
        return false;
    }

    public bool HasBytes => _end > _start;

    /// <summary>Begins a row over what has arrived.</summary>
    public RowFields Begin() => new(_buffer.AsSpan(_start.._end));

    /// <summary>Ends a row: past it when it was whole, else back to its start to wait for the rest.</summary>
    /// <returns>Whether it was whole.</returns>
    public bool Complete(in RowFields row)
    {
        if (row.IsTruncated)
        {
            _wanted = _end - _start;
            return false;
        }

        _start += row.Read;
        _wanted = 0;
        return true;
    }

    public void Dispose()
    {
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = [];
    }

    private void Grow()
    {
        if (_buffer.Length >= MaxRowBytes) throw new InvalidDataException("A row of the result is too large.");

        byte[] larger = ArrayPool<byte>.Shared.Rent(_buffer.Length * 2);
        _buffer.AsSpan(0, _end).CopyTo(larger);
        ArrayPool<byte>.Shared.Return(_buffer);
        _buffer = larger;
    }
}

/// <summary>The fields of one row, in order. After the row's end each reads as its default: see IsTruncated.</summary>
public ref struct RowFields
{
    private readonly ReadOnlySpan<byte> _bytes;

    internal RowFields(ReadOnlySpan<byte> bytes)
    {
        _bytes = bytes;
        byte mark = NextByte();
        if (!IsTruncated && mark != RowReader.Mark)
            throw new InvalidDataException("The result holds something else than rows.");
    }

    /// <summary>True when the row has not arrived whole.</summary>
    public bool IsTruncated { get; private set; }

    internal int Read { get; private set; }

    public byte NextByte() => Take(1) is { Length: > 0 } bytes ? bytes[0] : (byte)0;

    public ushort NextShort() =>
        Take(2) is { Length: > 0 } bytes ? BinaryPrimitives.ReadUInt16LittleEndian(bytes) : (ushort)0;

    public long NextLong() => Take(8) is { Length: > 0 } bytes ? BinaryPrimitives.ReadInt64LittleEndian(bytes) : 0;

    /// <summary>A String's bytes, valid until the row is completed.</summary>
    public ReadOnlySpan<byte> NextBytes()
    {
        uint length = 0;
        for (int shift = 0; shift < 35; shift += 7)
        {
            byte part = NextByte();
            length |= (uint)(part & 0x7F) << shift;
            if (part < 0x80) return Take((int)Math.Min(length, int.MaxValue));
        }

        throw new InvalidDataException("The result holds a length that cannot be.");
    }

    public string NextText() => Encoding.UTF8.GetString(NextBytes());

    /// <summary>A Nullable(String)'s bytes; false for NULL.</summary>
    public bool TryNextBytes(out ReadOnlySpan<byte> bytes)
    {
        bool isNull = NextByte() != 0;
        bytes = isNull ? default : NextBytes();
        return !isNull;
    }

    private ReadOnlySpan<byte> Take(int length)
    {
        if (IsTruncated || _bytes.Length - Read < length)
        {
            IsTruncated = true;
            return default;
        }

        var taken = _bytes.Slice(Read, length);
        Read += length;
        return taken;
    }
}
