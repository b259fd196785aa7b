using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Gateway.Core.Admission;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>
/// More than one gateway can do at once: some wait, some are told to come back, all of it is counted, and it goes on by
/// itself.
/// </summary>
public sealed class OverloadTests
{
    private const int Clients = 24;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task Past_what_may_wait_the_answer_is_503_and_nothing_acked_is_lost(bool isFair)
    {
        await using var gateway = await GatewayProcess.StartAsync(settings:
        [
            ("Gateway:FairShare", isFair ? "true" : "false"),
            ("Gateway:Limits:CaptureSlots", "1"),
            ("Gateway:Limits:WaitingRequests", "2"),
        ]);

        int acked = 0;
        int refused = 0;
        byte[] batch = Batch(500);
        await Eventually.HoldsAsync(
            async () =>
            {
                await Task.WhenAll(Enumerable.Range(0, Clients).Select(async _ =>
                {
                    using var answer = await gateway.Http.PostAsync("/batch/", new ByteArrayContent(batch));
                    if (answer.StatusCode == HttpStatusCode.OK)
                    {
                        Interlocked.Increment(ref acked);
                        return;
                    }

                    Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
                    Assert.True(answer.Headers.RetryAfter!.Delta > TimeSpan.Zero);
                    var error = await answer.Content.ReadFromJsonAsync<JsonElement>();
                    Assert.Equal("overloaded", error.GetProperty("code").GetString());
                    Interlocked.Increment(ref refused);
                }));
                return refused > 0 && acked > 0;
            },
            TimeSpan.FromSeconds(60), () => "some were too many");

        // Nothing is left behind: no slot, nobody in line, no byte.
        Assert.Equal(0, await gateway.MetricAsync("gateway_admission_slots_busy"));
        Assert.Equal(0, await gateway.MetricAsync("gateway_admission_waiting"));
        Assert.Equal(0, await gateway.MetricAsync("gateway_admission_unwritten_bytes"));
        await Eventually.HoldsAsync(
            async () => await gateway.MetricAsync("gateway_capture_bytes_in_flight") == 0,
            TimeSpan.FromSeconds(30), () => "its bytes are released");
        Assert.Equal(1, await gateway.MetricAsync("gateway_admission_slots"));
        Assert.Equal(refused, await gateway.MetricAsync("gateway_admission_refused_total"));
        Assert.Equal(500d * acked, await gateway.MetricAsync("gateway_events_accepted_total"));

        using var after = await gateway.Http.PostAsync("/batch/", new ByteArrayContent(batch));
        Assert.Equal(HttpStatusCode.OK, after.StatusCode);
    }

    /// <summary>Where the disk is slow, the line in which all wait for it stays short, and turns are taken before it.</summary>
    [Fact]
    public async Task While_much_waits_for_the_disk_the_rest_waits_for_its_turn()
    {
        const int Slots = 2;
        const int Batches = 24;
        const string OnDisk = "before-write";
        await using var gateway = await GatewayProcess.StartAsync(
            testBuild: true, settings: [("Gateway:Limits:CaptureSlots", $"{Slots}")]);
        byte[] batch = Batch(500);
        gateway.Arm(OnDisk, StopPoints.Wait);

        var posts = Enumerable.Range(0, Batches)
            .Select(_ => gateway.Http.PostAsync("/batch/", new ByteArrayContent(batch))).ToList();
        double waiting = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                waiting = await gateway.MetricAsync("gateway_admission_waiting");
                return waiting > 0 && await gateway.MetricAsync("gateway_admission_slots_busy") == 0;
            },
            TimeSpan.FromSeconds(30), () => "some wait although no slot is taken");

        // Whoever gives its slot back may be overtaken by the next one before it is counted.
        double unwritten = await gateway.MetricAsync("gateway_admission_unwritten_bytes");
        const long Most = AdmissionOptions.MaxUnwritten;
        Assert.InRange(unwritten, Most, Most + (2 * Slots * batch.Length));

        gateway.Release(OnDisk);
        foreach (var post in posts)
        {
            using var answer = await post;
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        }

        Assert.Equal(0, await gateway.MetricAsync("gateway_admission_waiting"));
        Assert.Equal(0, await gateway.MetricAsync("gateway_admission_unwritten_bytes"));
        Assert.Equal(500d * Batches, await gateway.MetricAsync("gateway_events_accepted_total"));
    }

    private static byte[] Batch(int events) => Encoding.UTF8.GetBytes(JsonSerializer.Serialize(new
    {
        api_key = GatewayProcess.ProjectToken,
        batch = Enumerable.Range(0, events).Select(number => new
        {
            @event = "e",
            distinct_id = "d",
            properties = Enumerable.Range(0, 30).ToDictionary(key => $"key{key}", key => $"value {number} {key}"),
        }),
    }));
}
