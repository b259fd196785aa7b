namespace Gateway.Engine.Chdb;

/// <summary>A SELECT whose result comes in chunks. Disposing of it stops the query where it is.</summary>
internal sealed unsafe class ChdbSelect : IDisposable
{
    private readonly nint _connection;
    private nint _stream;
    private bool _ended;

    private ChdbSelect(nint connection, nint stream)
    {
        _connection = connection;
        _stream = stream;
    }

    /// <exception cref="ChdbException">The statement was refused; the stream has been given back.</exception>
    public static ChdbSelect Take(nint connection, nint stream)
    {
        byte* error = LibChdb.ResultError(stream);
        if (error is null) return new ChdbSelect(connection, stream);

        var exception = ChdbException.Parse(error);
        LibChdb.DestroyResult(stream);
        throw exception;
    }

    /// <returns>Null after the last chunk.</returns>
    public ChdbResult? Fetch()
    {
        try
        {
            var chunk = ChdbResult.Take(LibChdb.StreamFetch(_connection, _stream));
            if (!chunk.Data.IsEmpty) return chunk;

            chunk.Dispose();
            _ended = true;
            return null;
        }
        catch (ChdbException)
        {
            _ended = true;
            throw;
        }
    }

    public void Dispose()
    {
        if (_stream == 0) return;

        if (!_ended) LibChdb.StreamCancel(_connection, _stream);
        LibChdb.DestroyResult(_stream);
        _stream = 0;
    }
}
