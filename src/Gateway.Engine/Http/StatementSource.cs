using System.Text;
using Gateway.Engine.Chdb;
using Gateway.Engine.Sql;

namespace Gateway.Engine.Http;

/// <summary>
/// A statement and the data that follows it. ClickHouse takes the argument <c>query</c> and the body as one text, so
/// the body is read on until it is plain where the statement ends; data is never read here.
/// </summary>
internal sealed class StatementSource
{
    private const int FirstReadBytes = 16 * 1024;
    private const int MaxStatementBytes = 16 * 1024 * 1024;

    private readonly Stream _body;
    private byte[] _text;
    private int _length;
    private bool _whole;

    private StatementSource(string sql, Stream body)
    {
        _body = body;
        _text = new byte[Encoding.UTF8.GetMaxByteCount(sql.Length) + FirstReadBytes];
        _length = Encoding.UTF8.GetBytes(sql, _text);
        if (_length > 0) _text[_length++] = (byte)'\n';
    }

    public Statement Statement { get; private set; }

    /// <summary>The statement, without the data and FORMAT of an INSERT.</summary>
    public ReadOnlyMemory<byte> Sql => _text.AsMemory(0, Statement.Length);

    public bool IsEmpty => _whole && _text.AsSpan(0, _length).Trim(" \t\r\n"u8).IsEmpty;

    /// <exception cref="ChdbException">The statement is too long.</exception>
    public static async Task<StatementSource> ReadAsync(string sql, Stream body, CancellationToken cancellationToken)
    {
        var source = new StatementSource(sql, body);
        source.Statement = StatementReader.Read(source._text.AsSpan(0, source._length), whole: false);
        while (source.Statement.Kind != StatementKind.InsertData && !source._whole)
        {
            await source.ReadMoreAsync(cancellationToken);
            source.Statement = StatementReader.Read(source._text.AsSpan(0, source._length), source._whole);
        }

        return source;
    }

    /// <summary>Fills the buffer with the data that follows the statement; 0 at its end.</summary>
    public async ValueTask<int> ReadDataAsync(Memory<byte> buffer, CancellationToken cancellationToken)
    {
        int known = Math.Min(buffer.Length, _length - Statement.DataStart);
        if (known <= 0) return await _body.ReadAtLeastAsync(buffer, buffer.Length, false, cancellationToken);

        _text.AsMemory(Statement.DataStart, known).CopyTo(buffer);
        Statement = Statement with { DataStart = Statement.DataStart + known };
        return known;
    }

    private async ValueTask ReadMoreAsync(CancellationToken cancellationToken)
    {
        if (_length > MaxStatementBytes)
        {
            throw new ChdbException(ErrorCode.QueryIsTooLarge, "The statement is too large. (QUERY_IS_TOO_LARGE)");
        }

        // Twice as much each time: the text is looked through anew after each read.
        int wanted = Math.Max(FirstReadBytes, _length);
        if (_text.Length < _length + wanted) Array.Resize(ref _text, _length + wanted);
        int count = await _body.ReadAtLeastAsync(_text.AsMemory(_length, wanted), wanted, false, cancellationToken);
        _length += count;
        _whole = count < wanted;
    }
}
