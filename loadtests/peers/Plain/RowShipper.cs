namespace Gateway.Peers.Plain;

/// <summary>
/// Inserts each batch. Without a store shipping is held, as the gateway's is where the way to the ack is compared: a
/// batch is let go once it is complete. That is the cheapest that holding can be: the gateway's rows wait on its disk,
/// while here the collector would have to carry along all that waits.
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
        await foreach (var batch in buffer.ReadBatchesAsync(stoppingToken))
        {
            if (store is null) continue;

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
