using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Http.Json;
using System.Text;
using Gateway.Tests.Running;

namespace Gateway.Tests.Hosting;

/// <summary>Which threads do the work of requests, by the processor time that the system says they took.</summary>
public sealed class SocketThreadsTests
{
    private const string Sockets = ".NET Sockets";
    private const string Pool = ".NET TP Worker";

    [Fact]
    public async Task Single_events_are_taken_by_the_threads_that_hear_of_sockets()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        byte[] body = Encoding.UTF8.GetBytes(
            $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}""");
        await PostAllAsync(gateway, "/i/v0/e/", body, 2000, atOnce: 8);

        double share = await ShareAsync(
            gateway, () => PostAllAsync(gateway, "/i/v0/e/", body, 4000, atOnce: 8));
        Assert.InRange(share, 0.2, 1);
    }

    /// <summary>One after the other: whoever waits for a turn goes on elsewhere in any case.</summary>
    [Fact]
    public async Task Large_batches_are_parsed_elsewhere()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        byte[] body = LargeBody();
        double share = await ShareAsync(
            gateway, () => PostAllAsync(gateway, "/batch/", body, 40, atOnce: 1));
        Assert.InRange(share, 0, 0.3);
    }

    [Fact]
    public async Task Passwords_are_checked_elsewhere()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        double share = await ShareAsync(gateway, async () =>
        {
            for (int i = 0; i < 8; i++)
            {
                using var answer = await gateway.Http.PostAsJsonAsync(
                    "/api/login/", new { email = $"nobody{i}@example.com", password = "not the password" });
                Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
            }
        });
        Assert.InRange(share, 0, 0.3);
    }

    /// <summary>What the sockets' threads took meanwhile, of what they and the pool's took.</summary>
    private static async Task<double> ShareAsync(GatewayProcess gateway, Func<Task> work)
    {
        double sockets = Ticks(gateway, Sockets);
        double pool = Ticks(gateway, Pool);
        await work();
        sockets = Ticks(gateway, Sockets) - sockets;
        pool = Ticks(gateway, Pool) - pool;
        Assert.True(sockets + pool >= 10, $"{sockets + pool} ticks are too few to tell.");
        return sockets / (sockets + pool);
    }

    /// <summary>Of all threads of this name, in hundredths of a second. A thread that ended meanwhile is missed.</summary>
    private static long Ticks(GatewayProcess gateway, string name)
    {
        long ticks = 0;
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{gateway.Id}/task"))
        {
            try
            {
                if (File.ReadAllText(Path.Combine(thread, "comm")).Trim() != name) continue;

                // The name, which may hold spaces, is in brackets; user and system time are the 12th and 13th behind.
                string[] fields = File.ReadAllText(Path.Combine(thread, "stat")).Split(") ")[^1].Split(' ');
                ticks += long.Parse(fields[11], CultureInfo.InvariantCulture)
                    + long.Parse(fields[12], CultureInfo.InvariantCulture);
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
            }
        }

        return ticks;
    }

    private static Task PostAllAsync(GatewayProcess gateway, string path, byte[] body, int count, int atOnce) =>
        Parallel.ForEachAsync(
            Enumerable.Range(0, count),
            new ParallelOptions { MaxDegreeOfParallelism = atOnce },
            async (_, cancel) =>
            {
                using var content = new ByteArrayContent(body);
                using var answer = await gateway.Http.PostAsync(path, content, cancel);
                Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            });

    /// <summary>Small as it is sent, so that it is there at once, and large as it is parsed.</summary>
    private static byte[] LargeBody()
    {
        const string Event = """{"event":"e","distinct_id":"d","properties":{"a":1,"b":2,"c":[1,2,3],"d":{"e":true}}}""";
        string events = string.Join(',', Enumerable.Repeat(Event, 10_000));
        using var bytes = new MemoryStream();
        using (var gzip = new GZipStream(bytes, CompressionLevel.SmallestSize))
        {
            gzip.Write(Encoding.UTF8.GetBytes(
                $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","batch":[{{events}}]}"""));
        }

        return bytes.ToArray();
    }
}
