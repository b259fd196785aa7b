using System.Buffers;

namespace Gateway.Engine.Chdb;

/// <summary>A result, or one chunk of a result, in libchdb's memory until it is disposed of.</summary>
internal sealed unsafe class ChdbResult : IDisposable
{
    private readonly NativeMemory _data;
    private nint _result;

    private ChdbResult(nint result)
    {
        _result = result;
        _data = new NativeMemory(LibChdb.ResultData(result), checked((int)LibChdb.ResultLength(result)));
    }

    public ReadOnlyMemory<byte> Data => _data.Memory;

    public ulong RowsRead => LibChdb.ResultRowsRead(_result);

    public ulong BytesRead => LibChdb.ResultBytesRead(_result);

    public ulong RowsWritten => LibChdb.ResultRowsWritten(_result);

    public ulong BytesWritten => LibChdb.ResultBytesWritten(_result);

    /// <exception cref="ChdbException">The result is an error; it has been given back.</exception>
    public static ChdbResult Take(nint result)
    {
        if (result == 0) throw new ChdbException(ErrorCode.Unknown, "The engine gave no result.");

        byte* error = LibChdb.ResultError(result);
        if (error is null) return new ChdbResult(result);

        var exception = ChdbException.Parse(error);
        LibChdb.DestroyResult(result);
        throw exception;
    }

    public void Dispose()
    {
        if (_result != 0) LibChdb.DestroyResult(_result);
        _result = 0;
    }

    /// <summary>Lets a stream write libchdb's bytes without a copy in between.</summary>
    private sealed class NativeMemory(byte* data, int length) : MemoryManager<byte>
    {
        private readonly byte* _data = data;

        public override Span<byte> GetSpan() => new(_data, length);

        public override MemoryHandle Pin(int elementIndex = 0) => new(_data + elementIndex);

        public override void Unpin()
        {
            // It never moves.
        }

        protected override void Dispose(bool disposing)
        {
            // The result owns it.
        }
    }
}
