using Gateway.Core.ClickHouse;
using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>Runs compiled queries, and nothing else, in ClickHouse.</summary>
internal sealed class QueryStore(ClickHouseClient client)
{
    private const string Format = "RowBinary";

    // Asked when the store is first there, and again when it has become another that knows less.
    private volatile IReadOnlyDictionary<string, string>? _settings;

    /// <summary>Starts a query; its rows stream. Cancelling the token or disposing the response cancels it.</summary>
    /// <exception cref="ClickHouseException">It was refused, or ClickHouse is away.</exception>
    public async Task<ClickHouseResponse> RunAsync(
        CompiledQuery query, string queryId, CancellationToken cancellationToken)
    {
        var settings = _settings ??= await AskSettingsAsync(cancellationToken);
        try
        {
            return await RunAsync(query, settings, queryId, cancellationToken);
        }
        catch (ClickHouseException refused) when (refused.Code == ClickHouseErrorCodes.UnknownSetting)
        {
            _settings = settings = await AskSettingsAsync(cancellationToken);
            return await RunAsync(query, settings, queryId, cancellationToken);
        }
    }

    private Task<ClickHouseResponse> RunAsync(
        CompiledQuery query,
        IReadOnlyDictionary<string, string> settings,
        string queryId,
        CancellationToken cancellationToken) =>
        client.QueryAsync(query.Sql, query.Parameters, settings, Format, queryId, cancellationToken);

    private async Task<IReadOnlyDictionary<string, string>> AskSettingsAsync(CancellationToken cancellationToken)
    {
        var known = await client.KnownSettingsAsync([QuerySettings.ExactSkipIndexes], cancellationToken);
        return CompiledQuery.Settings(known.Contains(QuerySettings.ExactSkipIndexes));
    }
}
