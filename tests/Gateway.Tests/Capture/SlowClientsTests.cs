using System.Collections.Concurrent;
using Gateway.Hosting;
using Gateway.LoadTests.Slow;
using Gateway.Tests.Running;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;

namespace Gateway.Tests.Capture;

/// <summary>
/// Some hundred clients that hold connections: all are closed in time, and others are served meanwhile. What ten
/// thousand of them cost the others is measured by <c>make slow</c>.
/// </summary>
public sealed class SlowClientsTests
{
    private const int ForEachKind = 60;

    /// <summary>On top of what is promised, for a machine that is busy with other tests.</summary>
    private static readonly TimeSpan Slack = TimeSpan.FromSeconds(30);

    [Fact]
    public async Task Slow_clients_are_closed_in_time_and_others_are_served()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var end = new CancellationTokenSource();
        using var pieces = new SlowPieces();
        var ends = new ConcurrentBag<SlowEnd>();
        SlowKind[] slow = [SlowKind.Head, SlowKind.Body, SlowKind.Stalled, SlowKind.Chunked];
        int held = 0;
        var closing = slow.SelectMany(kind => Enumerable.Repeat(kind, ForEachKind)).Select(HoldAsync).ToArray();
        var idle = Enumerable.Repeat(SlowKind.Idle, ForEachKind).Select(HoldAsync).ToArray();

        await Eventually.HoldsAsync(
            () => Task.FromResult(Volatile.Read(ref held) == closing.Length + idle.Length),
            TimeSpan.FromSeconds(30), () => $"all hold their connection ({held} do)");
        var load = new Load();
        using var stop = new CancellationTokenSource();
        var others = load.PostUntilAsync(gateway.Address, stop.Token);
        await Task.WhenAll(closing).WaitAsync(SlowConnection.Limit(SlowKind.Body) + Slack);
        await stop.CancelAsync();
        await others;

        // One with a request behind it may wait for its next one longer than any of these.
        Assert.DoesNotContain(idle, one => one.IsCompleted);
        Assert.Equal(closing.Length, ends.Count);
        Assert.All(ends, one => Assert.Equal(SlowFate.Closed, one.Fate));
        Assert.All(ends, one => Assert.InRange(one.Held, TimeSpan.FromSeconds(2), SlowConnection.Limit(one.Kind) + Slack));
        Assert.NotEqual(0, load.Acked);
        Assert.DoesNotContain(load.Fates, fate => fate.Value != Fate.Acked);
        using var metrics = await gateway.Http.GetAsync("/metrics");
        string text = await metrics.Content.ReadAsStringAsync();
        Assert.Contains("gateway_capture_requests_total{outcome=\"failed\"} 0\n", text, StringComparison.Ordinal);
        Assert.Contains("gateway_capture_bytes_in_flight 0\n", text, StringComparison.Ordinal);
        await end.CancelAsync();

        async Task HoldAsync(SlowKind kind) => ends.Add(await SlowConnection.HoldAsync(
            gateway.Address,
            GatewayProcess.ProjectToken,
            kind,
            pieces,
            () => Interlocked.Increment(ref held),
            end.Token));
    }

    /// <summary>To see it would take longer than a test may: <c>make slow</c> does.</summary>
    [Fact]
    public async Task An_idle_connection_is_kept_longer_than_a_load_balancer_keeps_it_and_not_for_ever()
    {
        var builder = WebApplication.CreateBuilder();
        WebHostSetup.Configure(builder, GatewayOptions.Read(new ConfigurationBuilder().Build(), out _));
        await using var app = builder.Build();

        var limits = app.Services.GetRequiredService<IOptions<KestrelServerOptions>>().Value.Limits;
        Assert.InRange(limits.KeepAliveTimeout, TimeSpan.FromSeconds(61), SlowConnection.Limit(SlowKind.Idle));
        Assert.Equal(TimeSpan.FromSeconds(10), limits.RequestHeadersTimeout);
        Assert.Equal(1024, limits.MinRequestBodyDataRate?.BytesPerSecond);
        Assert.Equal(TimeSpan.FromSeconds(5), limits.MinRequestBodyDataRate?.GracePeriod);
    }
}
