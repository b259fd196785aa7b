using System.Net;

namespace Gateway.LoadTests.Running;

/// <summary>The gateway as built, in a process of its own, on a free port, with its data in a new folder.</summary>
internal sealed class GatewayServer : IDisposable
{
    /// <summary>Of the project that the first start makes.</summary>
    public const string ProjectToken = "phc_loadloadloadloadloadloadloadloadloadload12";

    public const string ApiKey = "phx_loadloadloadloadloadloadloadloadloadload12";

    /// <summary>Of ClickHouse that is not there: nobody listens on the first port of all.</summary>
    public const string NoStore = "http://nobody:nothing@127.0.0.1:1/default";

    private readonly Server _server;

    private GatewayServer(Server server, Uri address)
    {
        _server = server;
        var handler = new SocketsHttpHandler { UseProxy = false, UseCookies = false };
        Http = new HttpClient(handler) { BaseAddress = address };
    }

    public HttpClient Http { get; }

    public Uri Address => Http.BaseAddress!;

    /// <summary>Where events go.</summary>
    public Uri Capture => new(Address, "/i/v0/e/");

    public TimeSpan CpuTime => _server.CpuTime;

    public long MemoryBytes => _server.MemoryBytes;

    /// <summary>The settings with which all that it takes stays in its journal.</summary>
    public static (string Key, string Value)[] ShippingHeld =>
    [
        ("ConnectionStrings:ClickHouse", NoStore), ("Gateway:Journal:QuotaBytes", $"{64L << 30}"),
    ];

    /// <summary>Returns when it takes events.</summary>
    public static async Task<GatewayServer> StartAsync(
        CancellationToken cancellationToken, params (string Key, string Value)[] settings)
    {
        var address = new Uri($"http://127.0.0.1:{Server.FreePort()}");
        (string, string)[] own =
        [
            ("Gateway:Data", "data"),
            ("Gateway:Bootstrap:ProjectToken", ProjectToken),
            ("Gateway:Bootstrap:ApiKey", ApiKey),
            ("Gateway:Journal:MinFreeBytes", $"{1L << 30}"),
        ];
        var server = Server.Start(
            "gateway",
            ["dotnet", Built.Path("Gateway", "Gateway.dll"), "--urls", address.ToString()],
            [.. own.Concat(settings).Select(setting => (setting.Item1.Replace(":", "__"), setting.Item2))]);
        var gateway = new GatewayServer(server, address);
        await server.WaitUntilAsync(
            async () =>
            {
                using var answer = await gateway.Http.GetAsync("/_readiness", cancellationToken);
                return answer.StatusCode == HttpStatusCode.OK;
            },
            cancellationToken);
        return gateway;
    }

    /// <summary>Waits until its metrics say so.</summary>
    public Task WaitUntilAsync(Predicate<Metrics> isSo, CancellationToken cancellationToken) =>
        _server.WaitUntilAsync(async () => isSo(await ScrapeAsync(cancellationToken)), cancellationToken);

    /// <summary>Sends events until a group was vouched for by this authority.</summary>
    public Task WaitUntilFencedByAsync(string authority, CancellationToken cancellationToken) =>
        _server.WaitUntilAsync(
            async () =>
            {
                using var content = new ByteArrayContent(Events.Single(ProjectToken));
                using var answer = await Http.PostAsync(Capture, content, cancellationToken);
                return (await ScrapeAsync(cancellationToken))[Groups(authority)] > 0;
            },
            cancellationToken);

    public async Task<Metrics> ScrapeAsync(CancellationToken cancellationToken) =>
        Metrics.Parse(await Http.GetStringAsync("/metrics", cancellationToken));

    public static string Groups(string authority) => $"gateway_fence_groups_total{{authority=\"{authority}\"}}";

    public void Dispose()
    {
        Http.Dispose();
        _server.Dispose();
    }
}
