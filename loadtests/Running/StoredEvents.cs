using System.Globalization;
using Gateway.Core.ClickHouse;

namespace Gateway.LoadTests.Running;

/// <summary>What of all that was acked is in the store.</summary>
internal sealed class StoredEvents(Engine engine) : IDisposable
{
    // What an hour left behind is not counted in a moment.
    private readonly ClickHouseClient _store = new(ClickHouseOptions.Parse(engine.ConnectionString))
    {
        StatementTimeout = TimeSpan.FromMinutes(20),
    };

    /// <summary>Events that queries show, once nothing waits in these gateways' journals any more.</summary>
    public async Task<long> CountAsync(IEnumerable<GatewayServer> gateways, CancellationToken cancellationToken)
    {
        foreach (var gateway in gateways)
            await gateway.WaitUntilAsync(metrics => metrics["gateway_journal_bytes_waiting"] == 0, cancellationToken);
        string count = await _store.QueryTextAsync(
            "SELECT count() FROM events FINAL WHERE project_id != 0", cancellationToken: cancellationToken);
        return long.Parse(count, CultureInfo.InvariantCulture);
    }

    public void Dispose() => _store.Dispose();
}
