using Gateway.LoadTests.Running;

namespace Gateway.LoadTests.Compare;

/// <summary>
/// This gateway beside its peers, in one run on the same bodies: bare Kestrel, a plain ASP.NET gateway, and nginx with
/// Lua. What is compared is the way to the ack, so shipping is held: the gateway's events stay in its journal, the
/// plain one's are let go. All run all the time and idle while another is measured.
/// </summary>
internal static class Comparison
{
    private const int BatchEvents = 100;
    private const int FirstWarmUp = 8;
    private const int WarmUp = 1;

    // More than any disk here takes in a second; what is written goes away with the servers.
    private const long JournalBytesPerSecond = 256L << 20;

    private const string Conditions =
        """
        gateway: every ack durable (journal on disk, fdatasync before the answer), fence in the process, shipping held
        kestrel: reads the body and answers
        plain: JsonDocument, one Redis GET for each request, rows in memory; inserts held, complete batches let go
        nginx: Lua that inflates and decodes, tokens from Redis kept for 5 s, body to a buffered log, not durable
        """;

    public static async Task RunAsync(int rounds, int seconds, CancellationToken cancellationToken)
    {
        long journalBytes = (FirstWarmUp + WarmUp + (rounds * (WarmUp + seconds))) * JournalBytesPerSecond;
        RequireDisk(Path.GetTempPath(), journalBytes);
        Console.WriteLine(Machine.LoadAverage);
        Console.WriteLine(Conditions);

        var ratios = new List<string>();
        foreach (var load in (CaptureLoad[])[CaptureLoad.Single(), CaptureLoad.GzippedBatch(BatchEvents)])
        {
            var contestants = await MeasureAsync(load, journalBytes, rounds, seconds, cancellationToken);
            ComparisonReport.Print(load, contestants);
            ratios.AddRange(ComparisonReport.Ratios(load, contestants));
        }

        Console.WriteLine(Machine.LoadAverage);
        foreach (string ratio in ratios) Console.WriteLine(ratio);
    }

    private static async Task<Contestant[]> MeasureAsync(
        CaptureLoad load, long journalBytes, int rounds, int seconds, CancellationToken cancellationToken)
    {
        using var redis = await Redis.StartAsync(cancellationToken);
        await Peer.GiveTokenAsync(redis);
        using var gateway = await GatewayServer.StartAsync(
            cancellationToken, GatewayServer.HoldShipping(journalBytes));
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
            Contestant("plain", plain, redis),
            Contestant("nginx", nginx, redis),
            Contestant("kestrel", kestrel, redis: null),
        ];

        Console.WriteLine($"\nWarming up with: {load.Name}, {load.Good.Length} bytes ...");
        using var wrk = new Wrk(load.Good, load.Encoding);
        foreach (var contestant in contestants)
        {
            await contestant.VerifyAsync(load, cancellationToken);
            await contestant.RunAsync(wrk, load, FirstWarmUp, WarmUp, cancellationToken);
            contestant.Rounds.Clear();
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

    private static Contestant Contestant(string name, Peer peer, Redis? redis) => new()
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
