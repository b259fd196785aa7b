using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Text;
using Gateway.LoadTests;

// dotnet run --project loadtests -c Release -- URL TOKEN [RATE] [SECONDS]
if (args.Length < 2)
{
    Console.Error.WriteLine("usage: URL PROJECT_TOKEN [REQUESTS_PER_SECOND] [SECONDS]");
    return 2;
}

var (url, token) = (new Uri(args[0]), args[1]);
if (!url.IsLoopback)
{
    Console.Error.WriteLine("Load is sent to this machine only.");
    return 2;
}

int rate = args.Length > 2 ? int.Parse(args[2], CultureInfo.InvariantCulture) : 1_000;
int seconds = args.Length > 3 ? int.Parse(args[3], CultureInfo.InvariantCulture) : 10;

Scenario[] scenarios =
[
    new("token check: unknown", "/i/v0/e/", HttpStatusCode.Unauthorized, () => Single("an-unknown-token")),
    new("single event", "/i/v0/e/", HttpStatusCode.OK, () => Single(token)),
    new("batch of 100, gzip", "/batch/", HttpStatusCode.OK, () => Gzip(Batch(token, 100))),
];

using var http = new HttpClient(new SocketsHttpHandler { MaxConnectionsPerServer = 256 }) { BaseAddress = url };
bool clean = true;
foreach (var scenario in scenarios)
{
    // A batch is a hundred events: the same events a second would be a hundred times the work.
    int scaled = scenario.Path == "/batch/" ? Math.Max(1, rate / 20) : rate;
    await new ScenarioRunner(http).RunAsync(scenario, new(scaled, TimeSpan.FromSeconds(2)), TextWriter.Null);
    var report = await new ScenarioRunner(http).RunAsync(
        scenario, new(scaled, TimeSpan.FromSeconds(seconds)), Console.Out);
    clean &= report is { Failed: 0, Dropped: 0 };
    Console.WriteLine(string.Create(CultureInfo.InvariantCulture,
        $"{scenario.Name}: {scaled}/s for {seconds} s: ok {report.Ok}, "
        + $"failed {report.Failed}, dropped {report.Dropped}, "
        + $"p50 {Milliseconds(report, 0.5)} ms, p99 {Milliseconds(report, 0.99)} ms, "
        + $"p99.9 {Milliseconds(report, 0.999)} ms"));
}

return clean ? 0 : 1;

static string Milliseconds(ScenarioReport report, double share) =>
    report.Latency.Percentile(share).TotalMilliseconds.ToString("0.00", CultureInfo.InvariantCulture);

static byte[] Single(string token) => Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}",{{Event()}}}""");

static byte[] Batch(string token, int count)
{
    string events = string.Join(',', Enumerable.Range(0, count).Select(_ => $"{{{Event()}}}"));
    return Encoding.UTF8.GetBytes($$"""{"api_key":"{{token}}","batch":[{{events}}]}""");
}

static string Event() =>
    $$"""
    "event":"$pageview","distinct_id":"user-{{Random.Shared.Next(10_000)}}","uuid":"{{Guid.CreateVersion7()}}",
    "timestamp":"{{DateTime.UtcNow:yyyy-MM-ddTHH:mm:ss.fffZ}}","properties":{"$lib":"web","$lib_version":"1.449.2",
    "$browser":"Chrome","$os":"Linux","$current_url":"https://shop.example/products/{{Random.Shared.Next(500)}}",
    "$host":"shop.example","$pathname":"/products","price":19.5,"in_stock":true}
    """;

static byte[] Gzip(byte[] bytes)
{
    using var output = new MemoryStream();
    using (var gzip = new GZipStream(output, CompressionLevel.Fastest)) gzip.Write(bytes);
    return output.ToArray();
}
