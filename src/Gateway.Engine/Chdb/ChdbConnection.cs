using System.Text;

namespace Gateway.Engine.Chdb;

/// <summary>One connection to the engine in this process: one statement at a time, on one thread at a time.</summary>
internal sealed unsafe class ChdbConnection : IDisposable
{
    private nint* _connection;

    private ChdbConnection(nint* connection) => _connection = connection;

    /// <summary>libchdb's own connection is what its handle points to, while it is open.</summary>
    private nint Handle => *_connection;

    /// <summary>Connects with libchdb's command line, <c>--path=…</c> and <c>--setting=value</c>.</summary>
    /// <returns>Null when libchdb refuses, for which it gives no reason.</returns>
    public static ChdbConnection? TryOpen(params ReadOnlySpan<string> arguments)
    {
        using var texts = new NativeTexts(["clickhouse", .. arguments]);
        using var handlers = SignalGuard.Save();

        nint* connection = LibChdb.Connect(texts.Count, texts.Pointers);
        return connection is null || *connection == 0 ? null : new ChdbConnection(connection);
    }

    /// <summary>Runs any statement; its result comes whole.</summary>
    public ChdbResult Query(ReadOnlySpan<byte> sql, string format, IReadOnlyList<QueryParameter> parameters)
    {
        using var names = NativeTexts.Names(parameters);
        using var values = NativeTexts.Values(parameters);
        Span<byte> formatName = Encoding.UTF8.GetBytes(format);

        fixed (byte* text = sql, name = formatName)
        {
            return ChdbResult.Take(names.Count == 0
                ? LibChdb.Query(Handle, text, (nuint)sql.Length, name, (nuint)formatName.Length)
                : LibChdb.QueryWithParameters(
                    Handle, text, (nuint)sql.Length, name, (nuint)formatName.Length,
                    names.Pointers, names.Lengths, values.Pointers, values.Lengths, (nuint)names.Count));
        }
    }

    public ChdbResult Query(string sql) => Query(Encoding.UTF8.GetBytes(sql), "TabSeparated", []);

    /// <summary>Starts a SELECT, and nothing else: libchdb refuses other statements here, before they run.</summary>
    public ChdbSelect Select(ReadOnlySpan<byte> sql, string format, IReadOnlyList<QueryParameter> parameters)
    {
        using var names = NativeTexts.Names(parameters);
        using var values = NativeTexts.Values(parameters);
        Span<byte> formatName = Encoding.UTF8.GetBytes(format);

        fixed (byte* text = sql, name = formatName)
        {
            return ChdbSelect.Take(Handle, LibChdb.StreamQuery(
                Handle, text, (nuint)sql.Length, name, (nuint)formatName.Length,
                names.Pointers, names.Lengths, values.Pointers, values.Lengths, (nuint)names.Count));
        }
    }

    /// <summary>Starts an INSERT whose statement has neither FORMAT nor data.</summary>
    public ChdbInsert Insert(ReadOnlySpan<byte> sql, string format, IReadOnlyList<QueryParameter> parameters)
    {
        using var names = NativeTexts.Names(parameters);
        using var values = NativeTexts.Values(parameters);
        Span<byte> formatName = Encoding.UTF8.GetBytes(format);

        fixed (byte* text = sql, name = formatName)
        {
            return ChdbInsert.Take(LibChdb.InsertBegin(
                Handle, text, (nuint)sql.Length, name, (nuint)formatName.Length,
                names.Pointers, names.Lengths, values.Pointers, values.Lengths, (nuint)names.Count));
        }
    }

    public void Dispose()
    {
        if (_connection is not null) LibChdb.CloseConnection(_connection);
        _connection = null;
    }
}
