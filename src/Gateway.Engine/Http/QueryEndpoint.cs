using System.Buffers;
using System.Globalization;
using Gateway.Engine.Chdb;
using Gateway.Engine.Sql;
using Microsoft.AspNetCore.Connections;

namespace Gateway.Engine.Http;

/// <summary>ClickHouse's HTTP interface: a statement, its parameters and its data in, the result out.</summary>
internal sealed class QueryEndpoint(ChdbEngine engine, Credentials credentials)
{
    /// <summary>What is handed to an INSERT at a time; a thread is changed for each.</summary>
    private const int AppendBytes = 512 * 1024;

    public async Task PingAsync(HttpContext http)
    {
        await engine.PingAsync();
        await http.Response.WriteAsync("Ok.\n", http.RequestAborted);
    }

    public async Task QueryAsync(HttpContext http)
    {
        try
        {
            await AnswerAsync(http);
        }
        catch (ChdbException exception)
        {
            await RefuseAsync(http, exception);
        }
        catch (InvalidDataException exception)
        {
            await RefuseAsync(http, new ChdbException(ErrorCode.ZlibInflateFailed, exception.Message));
        }
        catch (BadHttpRequestException exception)
        {
            await RefuseAsync(http, new ChdbException(ErrorCode.CannotReadAllData, exception.Message));
        }
        catch (OperationCanceledException) when (!http.RequestAborted.IsCancellationRequested)
        {
            await RefuseAsync(http, new ChdbException(ErrorCode.QueryWasCancelled, "The engine stops."));
        }
        catch (Exception exception) when (exception is OperationCanceledException or ConnectionResetException)
        {
            // The client has gone away: nobody is left to be told.
        }
    }

    private async Task AnswerAsync(HttpContext http)
    {
        credentials.Check(http.Request);
        var request = await QueryRequest.ReadAsync(http.Request);
        await using var body = request.Body;
        var source = await StatementSource.ReadAsync(request.Sql, request.Body, http.RequestAborted);
        if (source.IsEmpty)
        {
            await http.Response.WriteAsync("Ok.\n", http.RequestAborted);
            return;
        }

        if (source.Statement.WritesFile)
        {
            throw new ChdbException(
                ErrorCode.IntoOutfileNotAllowed, "INTO OUTFILE is not allowed. (INTO_OUTFILE_NOT_ALLOWED)");
        }

        bool isInsert = source.Statement.Kind == StatementKind.InsertData;
        await using var session = await engine.BeginAsync(request.QueryId, isInsert, http.RequestAborted);
        await using var response = new QueryResponse(http, engine, request);
        await session.PrepareAsync(request.Preparation());
        await (source.Statement.Kind switch
        {
            StatementKind.InsertData => InsertAsync(session, source, request, response),
            StatementKind.Select when !request.WaitEndOfQuery => SelectAsync(session, source, request, response),
            _ => ExecuteAsync(session, source, request, response),
        });
    }

    private static async Task SelectAsync(
        QuerySession session, StatementSource source, QueryRequest request, QueryResponse response)
    {
        // An error up to the first chunk still has its status.
        var chunk = await session.SelectAsync(source.Sql, request.Format, request.Parameters);
        response.SetHeaders(source.Statement.Format ?? request.Format, chunk);
        while (chunk is not null)
        {
            using (chunk) await response.WriteAsync(chunk.Data, session.Cancelled);
            try
            {
                chunk = await session.FetchAsync();
            }
            catch (ChdbException exception)
            {
                await response.FailAsync(exception);
                return;
            }
        }
    }

    private static async Task ExecuteAsync(
        QuerySession session, StatementSource source, QueryRequest request, QueryResponse response)
    {
        using var result = source.Statement.Kind == StatementKind.Select
            ? await session.ReadAsync(source.Sql, request.Format, request.Parameters)
            : await session.ExecuteAsync(source.Sql, request.Format, request.Parameters);
        response.SetHeaders(source.Statement.Format ?? request.Format, result);
        await response.WriteAsync(result.Data, session.Cancelled);
    }

    private static async Task InsertAsync(
        QuerySession session, StatementSource source, QueryRequest request, QueryResponse response)
    {
        byte[] buffer = ArrayPool<byte>.Shared.Rent(AppendBytes);
        try
        {
            await session.BeginInsertAsync(source.Sql, source.Statement.Format!, request.Parameters);
            // When reading fails, the body being cut short say, the session is disposed of with its insert not ended.
            int count;
            do
            {
                count = await source.ReadDataAsync(buffer, session.Cancelled);
            }
            while (count > 0 && await session.AppendAsync(buffer.AsMemory(0, count)));

            using var result = await session.EndInsertAsync();
            response.SetHeaders(source.Statement.Format!, result);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(buffer);
        }
    }

    private async Task RefuseAsync(HttpContext http, ChdbException exception)
    {
        // An error of a client that has gone away is nobody's; a started answer cannot become another.
        if (http.RequestAborted.IsCancellationRequested || http.Response.HasStarted)
        {
            http.Abort();
            return;
        }

        http.Response.Clear();
        http.Response.StatusCode = (int)HttpStatus.Of(exception.Code);
        http.Response.ContentType = "text/plain; charset=UTF-8";
        http.Response.Headers["X-ClickHouse-Exception-Code"] = exception.Code.ToString(CultureInfo.InvariantCulture);
        if (exception.Code == ErrorCode.RequiredPassword)
        {
            http.Response.Headers.WWWAuthenticate = "Basic realm=\"ClickHouse server HTTP API\"";
        }

        await http.Response.WriteAsync(exception.ToText(engine.Version), http.RequestAborted);
    }
}
