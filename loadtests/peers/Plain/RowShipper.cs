namespace Gateway.Peers.Plain;

/// <summary>
/// Inserts each batch. Without a store shipping is held, as the gateway's is where the way to the ack is compared: no
/// processor time goes into rows that are written out for a store which is away, and what waits is as much as the
/// buffer holds. The gateway's rows wait in its journal; here the collector carries them along.
/// </summary>
internal sealed partial class RowShipper(
    RowBuffer buffer, ILogger<RowShipper> log, TimeProvider time, EventStore? store = null) : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    protected override Task ExecuteAsync(CancellationToken stoppingToken) =>
        Task.WhenAll(CloseBatchesAsync(stoppingToken), ShipAsync(stoppingToken));

    private async Task CloseBatchesAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(LongestWait, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) buffer.CloseBatch();
    }

    private async Task ShipAsync(CancellationToken stoppingToken)
    {
        if (store is null) return;

        await foreach (var batch in buffer.ReadBatchesAsync(stoppingToken))
        {
            try
            {
                await store.InsertAsync(batch, stoppingToken);
            }
            catch (HttpRequestException error)
            {
                LogLost(batch.Count, error.Message);
            }
        }
    }

    [LoggerMessage(LogLevel.Error, "{Rows} rows are lost: {Reason}")]
    private partial void LogLost(int rows, string reason);
}
