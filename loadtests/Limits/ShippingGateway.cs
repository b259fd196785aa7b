using System.Diagnostics;
using System.Globalization;
using Gateway.Core.ClickHouse;
using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Limits;

/// <summary>Of the processor, by each of the two processes.</summary>
internal readonly record struct CpuTimes(TimeSpan Gateway, TimeSpan Engine)
{
    public static CpuTimes operator -(CpuTimes after, CpuTimes before) =>
        new(after.Gateway - before.Gateway, after.Engine - before.Engine);

    /// <summary>For each of so many events.</summary>
    public string Describe(long events) => string.Create(
        CultureInfo.InvariantCulture,
        $"CPU s per million events: gateway {Gateway.TotalMicroseconds / events:0.00}, "
        + $"engine {Engine.TotalMicroseconds / events:0.00}");
}

/// <summary>A gateway that ships into an engine of its own, and what is asked of both.</summary>
internal sealed class ShippingGateway : IDisposable
{
    private static readonly TimeSpan Poll = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan StandstillLimit = TimeSpan.FromSeconds(60);

    private readonly Engine _engine;

    private ShippingGateway(Engine engine, GatewayServer gateway)
    {
        (_engine, Gateway) = (engine, gateway);
        Store = new ClickHouseClient(ClickHouseOptions.Parse(engine.ConnectionString))
        {
            StatementTimeout = TimeSpan.FromMinutes(10),
        };
    }

    public GatewayServer Gateway { get; }

    public ClickHouseClient Store { get; }

    public CpuTimes CpuTimes => new(Gateway.CpuTime, _engine.CpuTime);

    /// <summary>Returns when it takes events; the quota of its journal is out of reach.</summary>
    public static async Task<ShippingGateway> StartAsync(
        CancellationToken cancellationToken, params (string Key, string Value)[] settings)
    {
        var engine = await Engine.StartAsync(cancellationToken);
        try
        {
            var gateway = await GatewayServer.StartAsync(
                cancellationToken,
                [
                    ("ConnectionStrings:ClickHouse", engine.ConnectionString),
                    ("Gateway:Journal:QuotaBytes", $"{64L << 30}"),
                    .. settings,
                ]);
            await gateway.WaitUntilAsync(HasBooks, cancellationToken);
            return new ShippingGateway(engine, gateway);
        }
        catch
        {
            engine.Dispose();
            throw;
        }
    }

    /// <summary>
    /// A gateway takes events before it has counted what waits in its journal; until then it tells nothing of that.
    /// </summary>
    public static bool HasBooks(Metrics metrics) => metrics["gateway_quarantine_quota_bytes"] > 0;

    /// <summary>Once the gateway has met the store: it makes none before.</summary>
    public async Task<Project[]> MakeProjectsAsync(int count, CancellationToken cancellationToken)
    {
        using var management = new Management(Gateway.Address, GatewayServer.ApiKey);
        return await management.MakeProjectsAsync(count, cancellationToken);
    }

    /// <summary>Until all that was acked is stored and can be queried.</summary>
    public async Task DrainAsync(CancellationToken cancellationToken)
    {
        var (least, since) = (double.MaxValue, Stopwatch.GetTimestamp());
        while (true)
        {
            double waiting = (await Gateway.ScrapeAsync(cancellationToken))["gateway_journal_bytes_waiting"];
            if (waiting == 0) return;

            if (waiting < least) (least, since) = (waiting, Stopwatch.GetTimestamp());
            if (Stopwatch.GetElapsedTime(since) > StandstillLimit)
                throw new InvalidOperationException($"Nothing is shipped any more, with {waiting} bytes waiting.");
            await Task.Delay(Poll, cancellationToken);
        }
    }

    /// <summary>Until all is stored and the engine has merged what it means to merge by itself.</summary>
    public async Task SettleAsync(CancellationToken cancellationToken)
    {
        await DrainAsync(cancellationToken);
        while (await NumberAsync("SELECT count() FROM system.merges", cancellationToken) > 0)
            await Task.Delay(Poll, cancellationToken);
    }

    /// <summary>Events that the gateway says it has taken since it started.</summary>
    public async Task<long> AcceptedAsync(CancellationToken cancellationToken) =>
        (long)(await Gateway.ScrapeAsync(cancellationToken))["gateway_events_accepted_total"];

    /// <summary>Events as queries see them.</summary>
    public Task<long> CountStoredAsync(CancellationToken cancellationToken) =>
        NumberAsync("SELECT count() FROM events FINAL WHERE project_id != 0", cancellationToken);

    public void Dispose()
    {
        Store.Dispose();
        Gateway.Dispose();
        _engine.Dispose();
    }

    private async Task<long> NumberAsync(string sql, CancellationToken cancellationToken) => long.Parse(
        await Store.QueryTextAsync(sql, cancellationToken: cancellationToken), CultureInfo.InvariantCulture);
}
