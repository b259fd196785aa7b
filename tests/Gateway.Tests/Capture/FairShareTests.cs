using System.Globalization;
using System.Net;
using System.Text;
using Gateway.Tests.Running;

namespace Gateway.Tests.Capture;

/// <summary>
/// One project's flood at a gateway that parses one request at a time, and what another project feels of it.
/// </summary>
public sealed class FairShareTests
{
    private const int Flooding = 50;

    /// <summary>As many must wait yet when the others come, that their places say something.</summary>
    private const int LeastWaiting = 30;

    private const int MostRounds = 4;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(90);

    private int _answered;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task One_project_waits_behind_anothers_flood_only_without_fair_share(bool isFair)
    {
        await using var gateway = await GatewayProcess.StartAsync(settings:
        [
            ("Gateway:FairShare", isFair ? "true" : "false"),
            ("Gateway:Limits:CaptureSlots", "1"),
        ]);
        string token = await MakeProjectAsync(gateway);
        byte[] one = Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}","event":"e","distinct_id":"d"}""");
        byte[] question = Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}","distinct_id":"d"}""");

        // From then on both tokens are known.
        using (var client = NewClient(gateway))
        {
            Assert.Equal(HttpStatusCode.OK, await PostAsync(client, "/i/v0/e/", one));
            byte[] flooding = Encoding.UTF8.GetBytes(
                $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}""");
            Assert.Equal(HttpStatusCode.OK, await PostAsync(client, "/i/v0/e/", flooding));
        }

        byte[] large = LargeBody();
        int[] places = [];
        int waiting = 0;
        int rounds = 0;
        await Eventually.HoldsAsync(
            async () =>
            {
                using var flood = NewClient(gateway);
                _answered = 0;
                var answers = Enumerable.Range(0, Flooding).Select(_ => FloodAsync(flood, large)).ToArray();
                await Eventually.HoldsAsync(
                    async () => await WaitingAsync(gateway) >= LeastWaiting
                        || Volatile.Read(ref _answered) > Flooding - LeastWaiting,
                    Patience, () => "the flood waits");

                int before = Volatile.Read(ref _answered);
                waiting = Flooding - before;
                places = await Task.WhenAll(
                    PlaceAsync(gateway, "/i/v0/e/", one, before), PlaceAsync(gateway, "/flags", question, before));
                await Task.WhenAll(answers);
                rounds++;

                // What is kept waits for the disk as well, and a busy machine may take long to open a connection.
                return waiting >= LeastWaiting && (rounds >= MostRounds || places.All(IsAsItShouldBe));
            },
            Patience, () => "many waited");

        Assert.All(places, place => Assert.True(
            IsAsItShouldBe(place), $"{place} of {waiting} were answered before, in round {rounds}"));

        bool IsAsItShouldBe(int place) => isFair ? place <= waiting / 2 : place >= waiting * 3 / 4;
    }

    /// <summary>One that had to wait is counted when it comes in, so at the end all are.</summary>
    [Fact]
    public async Task Small_events_are_taken_while_large_batches_wait_for_their_turns()
    {
        const int Small = 100;
        await using var gateway = await GatewayProcess.StartAsync(settings: [("Gateway:Limits:CaptureSlots", "1")]);
        byte[] small = Encoding.UTF8.GetBytes(
            $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}""");
        byte[] large = LargeBody();
        using var client = NewClient(gateway);
        using var other = NewClient(gateway);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(client, "/i/v0/e/", small));

        // One connection, whose first event was kept; the flood has others.
        var flood = Enumerable.Range(0, Flooding).Select(_ => FloodAsync(other, large)).ToArray();
        for (int i = 0; i < Small; i++)
            Assert.Equal(HttpStatusCode.OK, await PostAsync(client, "/i/v0/e/", small));
        await Task.WhenAll(flood);

        Assert.InRange(await gateway.MetricAsync("gateway_admission_wait_seconds_count"), 1, Flooding);
    }

    [Fact]
    public async Task A_question_about_flags_is_small_also_when_it_is_inflated()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        string padding = new('x', 2 << 20);
        byte[] question = Gzipped.Of($$"""{"token":"{{GatewayProcess.ProjectToken}}","x":"{{padding}}"}""");
        foreach (string path in (string[])["/flags", "/decide"])
        {
            Assert.Equal(
                HttpStatusCode.RequestEntityTooLarge, await PostAsync(gateway.Http, path, question));
            Assert.Equal(HttpStatusCode.OK, await PostAsync(
                gateway.Http, path, Gzipped.Of($$"""{"token":"{{GatewayProcess.ProjectToken}}"}""")));
        }

        await Eventually.HoldsAsync(
            async () => await gateway.MetricAsync("gateway_capture_bytes_in_flight") == 0,
            Patience, () => "its bytes are released");
        Assert.Equal(0, await gateway.MetricAsync("gateway_admission_slots_busy"));
    }

    /// <summary>
    /// A batch that is parsed to its very end and found to be no JSON: the answer waits for no disk, so that the order
    /// of answers is that of the parses.
    /// </summary>
    private static byte[] LargeBody()
    {
        var text = new StringBuilder($$"""{"api_key":"{{GatewayProcess.ProjectToken}}","batch":[""");
        for (int i = 0; i < 5000; i++)
        {
            text.Append(CultureInfo.InvariantCulture, $$"""{"event":"e","distinct_id":"d{{i}}","properties":{""");
            for (int key = 0; key < 30; key++)
                text.Append(CultureInfo.InvariantCulture, $"\"key{key}\":\"value {i * key}\",");
            text.Append("\"last\":1}},");
        }

        return Gzipped.Of(text.Append("{}]!").ToString());
    }

    private static HttpClient NewClient(GatewayProcess gateway) =>
        new(new SocketsHttpHandler { UseCookies = false, UseProxy = false }) { BaseAddress = gateway.Address };

    private static async Task<HttpStatusCode> PostAsync(HttpClient client, string path, byte[] body)
    {
        using var answer = await client.PostAsync(path, new ByteArrayContent(body));
        return answer.StatusCode;
    }

    private async Task FloodAsync(HttpClient client, byte[] body)
    {
        Assert.Equal(HttpStatusCode.BadRequest, await PostAsync(client, "/batch/", body));
        Interlocked.Increment(ref _answered);
    }

    /// <summary>How many of the flood were answered since, when this was; on a connection of its own.</summary>
    private async Task<int> PlaceAsync(GatewayProcess gateway, string path, byte[] body, int before)
    {
        using var client = NewClient(gateway);
        Assert.Equal(HttpStatusCode.OK, await PostAsync(client, path, body));
        return Volatile.Read(ref _answered) - before;
    }

    private static async Task<string> MakeProjectAsync(GatewayProcess gateway)
    {
        using var owner = ApiUser.Owner(gateway);
        var me = await owner.GetAsync("/api/users/@me/");
        string organization = me.GetProperty("organization").GetProperty("id").GetString()!;
        var project = await owner.DoAsync(
            HttpMethod.Post, $"/api/organizations/{organization}/projects/", new { name = "neighbour" });
        return project.GetProperty("api_token").GetString()!;
    }

    private static Task<long> WaitingAsync(GatewayProcess gateway) =>
        gateway.MetricAsync("gateway_admission_waiting");
}
