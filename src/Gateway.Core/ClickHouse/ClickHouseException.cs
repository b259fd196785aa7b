using System.Net;

namespace Gateway.Core.ClickHouse;

/// <summary>
/// ClickHouse refused a statement, or could not be asked. The only exception that <see cref="ClickHouseClient"/>
/// throws for what happens out there; a cancelled token stays an <see cref="OperationCanceledException"/>.
/// </summary>
public sealed class ClickHouseException : Exception
{
    public ClickHouseException(string message, int code, HttpStatusCode? status)
        : base(message)
    {
        Code = code;
        Status = status;
    }

    public ClickHouseException(string message, Exception? inner = null)
        : base(message, inner)
    {
    }

    /// <summary>ClickHouse's error code; 0 when the answer held none, or when there was no answer.</summary>
    public int Code { get; }

    /// <summary>Null when no answer came: refused, cut or timed out. The statement may have been carried out.</summary>
    public HttpStatusCode? Status { get; }
}
