using System.Diagnostics;
using System.Globalization;
using Gateway.Core.Tests.Redis;
using Gateway.Tests.Engine;
using Xunit.Abstractions;

namespace Gateway.Tests.Promises;

/// <summary>
/// Three gateways and their Redis under load, which are stopped and go on at random, while tokens are regenerated as fast
/// as they can be. How long is for STORM_SECONDS to say; the line of figures goes to the file STORM_FIGURES as well, with
/// the progress.
/// </summary>
[Collection(EngineCollection.Name)]
public sealed class StormTests(EngineFixture engine, ITestOutputHelper output)
{
    private const int DefaultSeconds = 15;

    private static readonly TimeSpan ProgressEvery = TimeSpan.FromSeconds(10);

    [Fact]
    public async Task Through_random_stops_no_dead_token_is_acked_and_nothing_is_lost()
    {
        string? asked = Environment.GetEnvironmentVariable("STORM_SECONDS");
        var duration = TimeSpan.FromSeconds(asked is null ? DefaultSeconds : int.Parse(asked, CultureInfo.InvariantCulture));

        using var redis = RedisServer.Start();
        await using var trio = await Trio.StartAsync(engine, redis);
        var storm = new Storm(trio);
        await storm.PrepareAsync();

        var clock = Stopwatch.StartNew();
        using var stop = new CancellationTokenSource(duration);
        var raging = storm.RageAsync(stop.Token);
        while (await Task.WhenAny(raging, Task.Delay(ProgressEvery)) != raging)
            Tell($"{clock.Elapsed.TotalSeconds:0} s: regenerations {storm.History.Regenerations}, acks {storm.History.Acked}");

        await raging;
        double seconds = clock.Elapsed.TotalSeconds;
        var findings = await storm.CheckAsync();

        Tell($"storm: regenerations {storm.History.Regenerations}, acks {storm.History.Acked}, "
            + $"violations {findings.Violations.Count}, lost {findings.Lost.Count}, double {findings.Doubles.Count}, "
            + $"refused wrongly {findings.RefusedWrongly.Count}, seconds {seconds:0}");
        Assert.True(findings.AreNone, findings.ToString());
        Assert.True(storm.History.Regenerations > duration.TotalSeconds / 3, "There were too few to say anything.");
        Assert.Equal(Trio.Size, storm.AckingGateways);
        output.WriteLine(storm.ToString());
    }

    private void Tell(string line)
    {
        output.WriteLine(line);
        if (Environment.GetEnvironmentVariable("STORM_FIGURES") is { Length: > 0 } file)
            File.AppendAllText(file, line + "\n");
    }
}
