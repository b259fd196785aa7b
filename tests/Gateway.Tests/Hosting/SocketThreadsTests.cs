using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Net.Sockets;
using System.Text;
using Gateway.Tests.Running;

namespace Gateway.Tests.Hosting;

/// <summary>Which threads do the work of requests, by the processor time that the system says they took.</summary>
public sealed class SocketThreadsTests
{
    private const string Sockets = ".NET Sockets";
    private const string Pool = ".NET TP Worker";
    private const string Good = $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","event":"e","distinct_id":"d"}""";

    // Fewer nanoseconds tell nothing.
    private const long LeastTime = 20_000_000;

    [Fact]
    public async Task Single_events_are_taken_by_the_threads_that_hear_of_sockets()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        byte[] body = Encoding.UTF8.GetBytes(Good);
        await PostAllAsync(gateway, body, 2000);

        Assert.InRange(await ShareAsync(gateway, () => PostAllAsync(gateway, body, 4000)), 0.2, 1);
    }

    /// <summary>Each comes behind a single event, on its connection.</summary>
    [Fact]
    public async Task Large_batches_are_parsed_elsewhere()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var connection = await ConnectAsync(gateway);
        byte[] batch = LargeBatch();
        double share = await ShareAsync(gateway, async () =>
        {
            for (int i = 0; i < 40; i++)
            {
                await SendAsync(connection, "/i/v0/e/", Encoding.UTF8.GetBytes(Good), HttpStatusCode.OK);
                await SendAsync(connection, "/batch/", batch, HttpStatusCode.OK);
            }
        });
        Assert.InRange(share, 0, 0.3);
    }

    /// <summary>Behind a single event, with the body in a piece of its own and in one with the head.</summary>
    [Theory]
    [InlineData(0)]
    [InlineData(20)]
    public async Task Passwords_are_checked_elsewhere(int pauseMilliseconds)
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var connection = await ConnectAsync(gateway);
        double share = await ShareAsync(gateway, async () =>
        {
            for (int i = 0; i < 8; i++)
            {
                byte[] login = Encoding.UTF8.GetBytes(
                    $$"""{"email":"nobody{{i}}@example.com","password":"not the password"}""");
                await SendAsync(connection, "/i/v0/e/", Encoding.UTF8.GetBytes(Good), HttpStatusCode.OK);
                await SendAsync(
                    connection, "/api/login/", login, HttpStatusCode.Unauthorized, pauseMilliseconds);
            }
        });
        Assert.InRange(share, 0, 0.3);
    }

    /// <summary>What is refused waits for nothing: many in a row would keep a socket's thread for one client.</summary>
    [Fact]
    public async Task Whoever_sends_one_bad_request_after_the_other_keeps_no_thread_that_hears_of_sockets()
    {
        await using var gateway = await GatewayProcess.StartAsync();
        using var connection = await ConnectAsync(gateway);
        await SendAsync(connection, "/i/v0/e/", Encoding.UTF8.GetBytes(Good), HttpStatusCode.OK);

        const int Bad = 20_000;
        byte[] requests = [.. Enumerable.Repeat(Request("/i/v0/e/", "{bad}"u8.ToArray()), Bad).SelectMany(one => one)];
        double share = await ShareAsync(gateway, async () =>
        {
            var sending = connection.SendAsync(requests);
            await ReadAnswersAsync(connection, Bad, HttpStatusCode.BadRequest);
            await sending;
        });
        Assert.InRange(share, 0, 0.3);
    }

    /// <summary>What the sockets' threads took meanwhile, of what they and the pool's took.</summary>
    private static async Task<double> ShareAsync(GatewayProcess gateway, Func<Task> work)
    {
        var before = Times(gateway);
        await work();
        long sockets = 0;
        long all = 0;
        foreach (var (thread, (name, time)) in Times(gateway))
        {
            long taken = time - before.GetValueOrDefault(thread).Time;
            all += taken;
            if (name == Sockets) sockets += taken;
        }

        Assert.True(all >= LeastTime, $"{all} ns are too few to tell.");
        return (double)sockets / all;
    }

    /// <summary>By thread, in nanoseconds. One that ended is missed, which takes nothing from the others.</summary>
    private static Dictionary<string, (string Name, long Time)> Times(GatewayProcess gateway)
    {
        var times = new Dictionary<string, (string, long)>();
        foreach (string thread in Directory.EnumerateDirectories($"/proc/{gateway.Id}/task"))
        {
            try
            {
                string name = File.ReadAllText(Path.Combine(thread, "comm")).Trim();
                if (name is not (Sockets or Pool)) continue;

                string ran = File.ReadAllText(Path.Combine(thread, "schedstat")).Split(' ')[0];
                times[thread] = (name, long.Parse(ran, CultureInfo.InvariantCulture));
            }
            catch (Exception error) when (error is IOException or UnauthorizedAccessException)
            {
            }
        }

        return times;
    }

    private static Task PostAllAsync(GatewayProcess gateway, byte[] body, int count) => Parallel.ForEachAsync(
        Enumerable.Range(0, count),
        new ParallelOptions { MaxDegreeOfParallelism = 8 },
        async (_, cancel) =>
        {
            using var content = new ByteArrayContent(body);
            using var answer = await gateway.Http.PostAsync("/i/v0/e/", content, cancel);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        });

    private static async Task<Socket> ConnectAsync(GatewayProcess gateway)
    {
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        await socket.ConnectAsync(gateway.Address.Host, gateway.Address.Port);
        return socket;
    }

    private static byte[] Request(string path, byte[] body) =>
    [
        .. Encoding.ASCII.GetBytes(
            $"POST {path} HTTP/1.1\r\nHost: gateway\r\nContent-Type: application/json\r\n"
            + $"Content-Length: {body.Length}\r\n\r\n"),
        .. body,
    ];

    private static async Task SendAsync(
        Socket connection, string path, byte[] body, HttpStatusCode expected, int pauseMilliseconds = 0)
    {
        byte[] request = Request(path, body);
        int first = pauseMilliseconds > 0 ? request.Length - body.Length : request.Length;
        await connection.SendAsync(request.AsMemory(0, first));

        // The pause is what is tested: the rest comes as a piece of its own.
        if (pauseMilliseconds > 0) await Task.Delay(pauseMilliseconds);
        if (first < request.Length) await connection.SendAsync(request.AsMemory(first));
        await ReadAnswersAsync(connection, 1, expected);
    }

    /// <summary>Whole answers, each of which says its length.</summary>
    private static async Task ReadAnswersAsync(Socket connection, int count, HttpStatusCode expected)
    {
        byte[] buffer = new byte[1 << 16];
        string status = $"HTTP/1.1 {(int)expected} ";
        string rest = "";
        while (count > 0)
        {
            int read = await connection.ReceiveAsync(buffer);
            Assert.NotEqual(0, read);
            rest += Encoding.UTF8.GetString(buffer, 0, read);
            int at = 0;
            while (LengthOf(rest, at) is { } length && rest.Length - at >= length)
            {
                Assert.StartsWith(status, rest[at..(at + status.Length)], StringComparison.Ordinal);
                at += length;
                count--;
            }

            rest = rest[at..];
        }

        Assert.Equal("", rest);
    }

    /// <summary>Of the answer that begins there, with its head; null while the head is not whole.</summary>
    private static int? LengthOf(string text, int at)
    {
        const string Field = "Content-Length: ";
        int head = text.IndexOf("\r\n\r\n", at, StringComparison.Ordinal);
        if (head < 0) return null;
        if (text.IndexOf("Transfer-Encoding: chunked", at, head - at, StringComparison.Ordinal) >= 0)
            return text.IndexOf("\r\n0\r\n\r\n", head, StringComparison.Ordinal) is var end and >= 0 ? end + 7 - at : null;

        int field = text.IndexOf(Field, at, head - at, StringComparison.Ordinal) + Field.Length;
        int line = text.IndexOf("\r\n", field, StringComparison.Ordinal);
        return head + 4 + int.Parse(text.AsSpan(field, line - field), CultureInfo.InvariantCulture) - at;
    }

    /// <summary>Small as it is sent, so that it is there at once, and large as it is parsed.</summary>
    private static byte[] LargeBatch()
    {
        const string Event = """{"event":"e","distinct_id":"d","properties":{"a":1,"b":2,"c":[1,2,3],"d":{"e":true}}}""";
        string events = string.Join(',', Enumerable.Repeat(Event, 10_000));
        return Gzipped.Of(
            $$"""{"api_key":"{{GatewayProcess.ProjectToken}}","batch":[{{events}}]}""", CompressionLevel.SmallestSize);
    }
}
