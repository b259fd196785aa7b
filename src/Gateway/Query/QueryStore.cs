using Gateway.Core.ClickHouse;
using Gateway.Core.Query;

namespace Gateway.Query;

/// <summary>Runs compiled queries, and nothing else, in ClickHouse.</summary>
internal sealed class QueryStore(ClickHouseClient client)
{
    private const string Format = "RowBinary";

    // Asked once, when the store is first there; the embedded engine and a server do not change under a gateway.
    private volatile IReadOnlyDictionary<string, string>? _settings;

    /// <summary>Starts a query; its rows stream. Cancelling the token or disposing the response cancels it.</summary>
    /// <exception cref="ClickHouseException">It was refused, or ClickHouse is away.</exception>
    public async Task<ClickHouseResponse> RunAsync(
        CompiledQuery query, string queryId, CancellationToken cancellationToken)
    {
        var settings = _settings ??= await AskSettingsAsync(cancellationToken);
        return await client.QueryAsync(query.Sql, query.Parameters, settings, Format, queryId, cancellationToken);
    }

    private async Task<IReadOnlyDictionary<string, string>> AskSettingsAsync(CancellationToken cancellationToken)
    {
        var known = await client.KnownSettingsAsync([QuerySettings.ExactSkipIndexes], cancellationToken);
        return CompiledQuery.Settings(known.Contains(QuerySettings.ExactSkipIndexes));
    }
}
