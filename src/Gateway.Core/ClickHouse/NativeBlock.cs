using System.Buffers;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// Builds one block of ClickHouse's Native format, column by column, and is used again for the next one.
/// Integers little-endian, <c>varuint</c> = 7 bits a byte, low first:
/// <code>
/// columns   varuint
/// rows      varuint
/// column, that many times:
///   name    varuint length + UTF-8
///   type    varuint length + UTF-8
///   values  rows of them: fixed sizes as they are, String = varuint length + bytes
/// </code>
/// Not thread-safe. What it keeps between blocks is bounded by the greatest block it built.
/// </summary>
public sealed class NativeBlock
{
    private readonly Stack<byte[]> _freeChunks = new();
    private readonly List<ReadOnlyMemory<byte>> _pieces = [];
    private readonly NativeColumn[] _columns;

    public NativeBlock(IEnumerable<(string Name, string Type)> columns) =>
        _columns = [.. columns.Select(column => new NativeColumn(column.Name, column.Type, _freeChunks))];

    /// <summary>Each must be given as many values as the others.</summary>
    public ReadOnlySpan<NativeColumn> Columns => _columns;

    public void Clear()
    {
        foreach (var column in _columns) column.Clear();
    }

    /// <summary>The block's bytes, good until the next <see cref="Clear"/>.</summary>
    public ReadOnlySequence<byte> Finish(int rows)
    {
        _pieces.Clear();
        byte[] counts = [.. VarUInt(_columns.Length), .. VarUInt(rows)];
        _pieces.Add(counts);
        foreach (var column in _columns)
        {
            _pieces.Add(column.Header);
            column.AppendTo(_pieces);
        }

        return Piece.Join(_pieces);
    }

    private static IEnumerable<byte> VarUInt(int value)
    {
        uint rest = (uint)value;
        for (; rest >= 0x80; rest >>= 7) yield return (byte)(rest | 0x80);
        yield return (byte)rest;
    }

    private sealed class Piece : ReadOnlySequenceSegment<byte>
    {
        public static ReadOnlySequence<byte> Join(List<ReadOnlyMemory<byte>> pieces)
        {
            var first = new Piece { Memory = pieces[0] };
            var last = first;
            foreach (var memory in pieces.Skip(1))
            {
                var next = new Piece { Memory = memory, RunningIndex = last.RunningIndex + last.Memory.Length };
                last.Next = next;
                last = next;
            }

            return new ReadOnlySequence<byte>(first, 0, last, last.Memory.Length);
        }
    }
}
