using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Compare;

/// <summary>
/// This gateway beside its peers, in one run on the same bodies: bare Kestrel, a plain ASP.NET gateway, and nginx with
/// Lua. What is compared is the way to the ack, so shipping is held on both sides: the gateway's events stay in its
/// journal, and the plain one keeps in memory what its buffer holds, and makes no JSON of it. All run all the time and
/// idle while another is measured.
/// </summary>
internal static class Comparison
{
    private const int BatchEvents = 100;
    private const int WarmUp = 1;

    // Some 7000 batches; what is written goes away with the servers.
    private const long JournalBytesPerSecond = 256L << 20;

    private const string Conditions =
        """
        gateway: every ack durable (journal on disk, fdatasync before the answer), fence in the process, shipping held
        kestrel: reads the body and answers
        plain: JsonDocument, one Redis GET for each request, rows in memory; inserts held, the last 100 000 rows kept
        nginx: Lua that inflates and decodes, tokens from Redis kept for 5 s, body to a buffered log, not durable
        """;

    public static async Task RunAsync(int rounds, int seconds, CancellationToken cancellationToken)
    {
        int written = Contestant.FirstWarmUp + (rounds * (WarmUp + seconds));
        RequireDisk(Path.GetTempPath(), written * JournalBytesPerSecond);
        Console.WriteLine(Machine.LoadAverage);
        Console.WriteLine(Conditions);

        var ratios = new List<string>();
        foreach (var load in (CaptureLoad[])[CaptureLoad.Single(), CaptureLoad.GzippedBatch(BatchEvents)])
        {
            var contestants = await MeasureAsync(load, rounds, seconds, cancellationToken);
            ComparisonReport.Print(load, contestants);
            ratios.AddRange(ComparisonReport.Ratios(load, contestants));
        }

        Console.WriteLine(Machine.LoadAverage);
        foreach (string ratio in ratios) Console.WriteLine(ratio);
    }

    private static async Task<Contestant[]> MeasureAsync(
        CaptureLoad load, int rounds, int seconds, CancellationToken cancellationToken)
    {
        using var redis = await Redis.StartAsync(cancellationToken);
        await Peer.GiveTokenAsync(redis);
        using var gateway = await GatewayServer.StartAsync(cancellationToken, GatewayServer.ShippingHeld);
        using var kestrel = await Peer.StartKestrelAsync(cancellationToken);
        using var plain = await Peer.StartPlainAsync(redis, cancellationToken);
        using var nginx = await Peer.StartNginxAsync(redis, cancellationToken);

        // In a circle: the gateway never comes right after nginx, whose log the system still writes to the disk then.
        Contestant[] contestants =
        [
            new()
            {
                Name = "gateway",
                Capture = gateway.Capture,
                CpuTime = () => gateway.CpuTime,
                MemoryBytes = () => gateway.MemoryBytes,
            },
            Enter("plain", plain, redis),
            Enter("nginx", nginx, redis),
            Enter("kestrel", kestrel, redis: null),
        ];

        Console.WriteLine($"\nWarming up with: {load.Name}, {load.Good.Length} bytes ...");
        using var wrk = new Wrk(load.Good, load.Encoding);
        foreach (var contestant in contestants)
        {
            await contestant.VerifyAsync(load, cancellationToken);
            await contestant.WarmUpAsync(wrk, cancellationToken);
        }

        Console.WriteLine($"Requests a second, rounds of {seconds} s:");
        Console.WriteLine("round" + string.Concat(contestants.Select(contestant => $"{contestant.Name,11}")));
        for (int round = 0; round < rounds; round++)
        {
            for (int turn = 0; turn < contestants.Length; turn++)
            {
                var contestant = contestants[(round + turn) % contestants.Length];
                await contestant.RunAsync(wrk, load, WarmUp, seconds, cancellationToken);
            }

            Console.WriteLine($"{round + 1,5}" + string.Concat(
                contestants.Select(contestant => $"{contestant.Rounds[round].Requests,11:0}")));
        }

        return contestants;
    }

    private static Contestant Enter(string name, Peer peer, Redis? redis) => new()
    {
        Name = name,
        Capture = peer.Capture,
        CpuTime = () => peer.CpuTime,
        MemoryBytes = () => peer.MemoryBytes,
        RedisCpuTime = () => redis?.CpuTime ?? TimeSpan.Zero,
        ChecksBodies = redis is not null,
    };

    /// <exception cref="InvalidOperationException">A journal there would be in memory, or would not fit.</exception>
    private static void RequireDisk(string folder, long bytes)
    {
        var disk = new DriveInfo(folder);
        if (disk.DriveType == DriveType.Ram)
            throw new InvalidOperationException($"{folder} is in memory: set TMPDIR to a folder on a disk.");
        if (disk.AvailableFreeSpace < bytes)
        {
            throw new InvalidOperationException(
                $"{folder} has {disk.AvailableFreeSpace >> 30} GiB left, and the journal may need {bytes >> 30} GiB.");
        }
    }
}
