namespace Gateway.Engine.Chdb;

/// <summary>An INSERT whose data comes in chunks, cut anywhere. Disposed of before it is done, it ends.</summary>
internal sealed unsafe class ChdbInsert : IDisposable
{
    private nint _stream;
    private bool _done;

    private ChdbInsert(nint stream) => _stream = stream;

    /// <exception cref="ChdbException">The statement was refused; the stream has been given back.</exception>
    public static ChdbInsert Take(nint stream)
    {
        byte* error = LibChdb.InsertError(stream);
        if (error is null) return new ChdbInsert(stream);

        var exception = ChdbException.Parse(error);
        LibChdb.DestroyInsert(stream);
        throw exception;
    }

    /// <returns>False when the data so far is refused: <see cref="Done"/> says why.</returns>
    public bool Append(ReadOnlySpan<byte> data)
    {
        fixed (byte* bytes = data) return LibChdb.InsertAppend(_stream, bytes, (nuint)data.Length) == 0;
    }

    /// <summary>Stores what was appended.</summary>
    /// <exception cref="ChdbException">The data was refused.</exception>
    public ChdbResult Done()
    {
        _done = true;
        return ChdbResult.Take(LibChdb.InsertDone(_stream));
    }

    public void Dispose()
    {
        if (_stream == 0) return;

        if (!_done) LibChdb.InsertCancel(_stream);
        LibChdb.DestroyInsert(_stream);
        _stream = 0;
    }
}
