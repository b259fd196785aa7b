using System.Net;
using Gateway.Core.Admission;
using Gateway.Core.ClickHouse;
using Gateway.Core.Events;
using Gateway.Core.Journal;
using Gateway.Core.Ledger;
using Gateway.Core.Redis;
using Gateway.Core.Shipping;
using Gateway.Core.Tenancy;
using Gateway.Core.Tenancy.Database;

namespace Gateway.Hosting;

/// <summary>Everything under <c>Gateway:</c> and the connection strings, checked at start.</summary>
internal sealed record GatewayOptions
{
    // The largest body as rows: its text, promoted values once more, and less than 100 bytes for each event.
    private const int MaxPayloadBytes = 512 << 20;

    // A body is held as sent, as inflated and as rows.
    private const long BodyCopies = 4;

    private static readonly string[] ConnectionNames = ["ClickHouse", "Postgres", "Redis"];

    /// <summary>Folder of everything that this gateway keeps on disk.</summary>
    public required string Data { get; init; }

    public required JournalSettings Journal { get; init; }

    public required LedgerSettings Ledger { get; init; }

    /// <summary>Folders of journals that other gateways left, to be shipped by this one.</summary>
    public required IReadOnlyList<string> AttachedJournals { get; init; }

    public required LimitSettings Limits { get; init; }

    /// <summary>How much capture does at once, and whether projects take turns.</summary>
    public required AdmissionOptions Admission { get; init; }

    public required EngineSettings Engine { get; init; }

    /// <summary>How often deleted projects are looked for in ClickHouse again.</summary>
    public required TimeSpan SweepEvery { get; init; }

    /// <summary>Values for the first start; they count only while the database is empty.</summary>
    public required BootstrapOptions Bootstrap { get; init; }

    /// <summary>Whether strangers may make themselves an account; else only by invite.</summary>
    public required bool AllowSignUp { get; init; }

    /// <summary>What a new organization has: one of <see cref="Plans"/>.</summary>
    public required string DefaultPlan { get; init; }

    /// <summary>Proxies whose <c>X-Forwarded-For</c> is believed.</summary>
    public required IReadOnlyList<IPNetwork> TrustedProxies { get; init; }

    /// <summary>A ClickHouse server's URL; null means the embedded engine.</summary>
    public string? ClickHouse { get; init; }

    /// <summary>PostgreSQL, shared by several gateways; null means SQLite.</summary>
    public PostgresOptions? Postgres { get; init; }

    /// <summary>Shared by gateways on one PostgreSQL: the fence's authority, a cache of tokens; null: none.</summary>
    public RedisOptions? Redis { get; init; }

    /// <summary>Whether the fence asks Redis first, when there is one; else the database alone.</summary>
    public required bool FencesByRedis { get; init; }

    /// <summary>The fence's authority is the installation's from now on, whatever it was before.</summary>
    public bool ChangesFence { get; init; }

    /// <summary>The events store that is met is this installation's from now on, whatever it was before.</summary>
    public bool AdoptEventsStore { get; init; }

    /// <summary>
    /// Reads and checks the whole configuration. Every error names its key; none holds a secret's value.
    /// </summary>
    public static GatewayOptions Read(IConfiguration configuration, out IReadOnlyList<string> errors)
    {
        var reader = new OptionsReader(configuration.GetSection("Gateway"));
        var options = new GatewayOptions
        {
            Data = Path.GetFullPath(reader.Text("Data") ?? "data"),
            Journal = new JournalSettings(
                reader.Number("Journal:QuotaBytes", 10L << 30, 64 << 20, long.MaxValue),
                reader.OptionalNumber("Journal:MinFreeBytes", 0, long.MaxValue),
                (int)reader.Number("Journal:SegmentBytes", 64 << 20, 1 << 20, 1 << 30)),
            Ledger = new LedgerSettings(
                (int)reader.Number("Ledger:CheckSeconds", 2, 1, 86_400),
                (int)reader.Number("Ledger:KeepDays", 7, 1, 3650),
                reader.Number("Quarantine:QuotaBytes", 256 << 20, 1 << 20, long.MaxValue)),
            AttachedJournals = [.. reader.List("AttachJournals").Select(Path.GetFullPath)],
            Limits = LimitSettings.Read(reader),
            Admission = new AdmissionOptions(
                (int)reader.Number("Limits:CaptureSlots", Math.Max(1, Environment.ProcessorCount - 1), 1, 1024),
                (int)reader.Number("Limits:WaitingRequests", 8192, 1, 1_000_000))
            {
                IsFair = reader.Flag("FairShare", standard: true),
            },
            Engine = new EngineSettings(reader.OptionalNumber("Engine:MemoryBytes", 256 << 20, long.MaxValue)),
            SweepEvery = TimeSpan.FromSeconds(reader.Number("Erasure:SweepSeconds", 60, 1, 3600)),
            Bootstrap = new BootstrapOptions
            {
                ProjectToken = reader.Text("Bootstrap:ProjectToken"),
                ApiKey = reader.Text("Bootstrap:ApiKey"),
                Email = reader.Text("Bootstrap:Email"),
                Password = reader.Text("Bootstrap:Password"),
            },
            AllowSignUp = reader.Flag("AllowSignUp"),
            DefaultPlan = reader.Text("DefaultPlan") ?? Plans.Unlimited,
            TrustedProxies = reader.Networks("TrustedProxies"),
            ClickHouse = Blank(configuration.GetConnectionString("ClickHouse")),
            Postgres = ReadPostgres(configuration, reader),
            Redis = ReadRedis(configuration, reader),
            FencesByRedis = ReadFence(reader),
            ChangesFence = reader.Flag("ChangeFence"),
            AdoptEventsStore = reader.Flag("AdoptEventsStore"),
        };

        if (options.ClickHouse is not null && !ClickHouseOptions.TryParse(options.ClickHouse, out _, out string? error))
            reader.Fail($"ConnectionStrings:ClickHouse: {error}");
        if (options.DefaultPlan is not (Plans.Free or Plans.Unlimited))
            reader.Fail($"Gateway:DefaultPlan is '{options.DefaultPlan}'; it must be free or unlimited.");
        foreach (string mistake in options.Bootstrap.Errors()) reader.Fail(mistake);

        CheckTogether(options, reader);
        reader.RefuseUnknownKeys();
        foreach (string name in configuration.GetSection("ConnectionStrings").GetChildren().Select(child => child.Key))
        {
            if (!ConnectionNames.Contains(name, StringComparer.OrdinalIgnoreCase))
                reader.Fail($"ConnectionStrings:{name} is not known. Known: {string.Join(", ", ConnectionNames)}.");
        }

        errors = reader.Errors;
        return options;
    }

    /// <summary>The journal's own options, from these settings.</summary>
    public JournalOptions ForJournal() => new(Path.Combine(Data, "journal"))
    {
        SegmentBytes = Journal.SegmentBytes,
        QuotaBytes = Journal.QuotaBytes,
        MinFreeBytes = Journal.MinFreeBytes,
        MaxPayloadBytes = MaxPayloadBytes,
    };

    /// <summary>The ledger's own options, from these settings.</summary>
    public LedgerOptions ForLedger() => new()
    {
        Keep = TimeSpan.FromDays(Ledger.KeepDays),
        QuarantineBytes = Ledger.QuarantineBytes,
    };

    /// <summary>The shipper's own options, from these settings.</summary>
    public ShipperOptions ForShipper() => new()
    {
        CheckEvery = TimeSpan.FromSeconds(Ledger.CheckSeconds),
        UncheckedBytes = Journal.SegmentBytes,
    };

    /// <summary>
    /// What the bodies of one project may have of <see cref="LimitSettings.InFlightBytes"/>: half, or what its largest
    /// one needs.
    /// </summary>
    public long ShareBytes => Admission.IsFair
        ? Math.Max(Limits.InFlightBytes / 2, BodyCopies * Limits.BodyBytes)
        : Limits.InFlightBytes;

    private static PostgresOptions? ReadPostgres(IConfiguration configuration, OptionsReader reader)
    {
        if (Blank(configuration.GetConnectionString("Postgres")) is not { } text) return null;
        if (PostgresOptions.TryParse(text, out var options, out string? error)) return options;

        reader.Fail($"ConnectionStrings:Postgres: {error}");
        return null;
    }

    private static RedisOptions? ReadRedis(IConfiguration configuration, OptionsReader reader)
    {
        if (Blank(configuration.GetConnectionString("Redis")) is not { } text) return null;
        if (RedisOptions.TryParse(text, out var options, out string? error)) return options;

        reader.Fail($"ConnectionStrings:Redis {error}");
        return null;
    }

    private static bool ReadFence(OptionsReader reader)
    {
        string fence = reader.Text("Fence") ?? "Redis";
        bool isDatabase = fence.Equals("Database", StringComparison.OrdinalIgnoreCase);
        if (!isDatabase && !fence.Equals("Redis", StringComparison.OrdinalIgnoreCase))
            reader.Fail($"Gateway:Fence is '{fence}'; it must be Redis or Database.");
        return !isDatabase;
    }

    /// <summary>What is right by itself may be wrong beside another setting.</summary>
    private static void CheckTogether(GatewayOptions options, OptionsReader reader)
    {
        if (options.Redis is null && reader.Text("Fence") is { } fence
            && fence.Equals("Redis", StringComparison.OrdinalIgnoreCase))
        {
            reader.Fail("Gateway:Fence is 'Redis', but ConnectionStrings:Redis names none.");
        }

        if (options is { Redis: not null, Postgres: null })
        {
            reader.Fail("ConnectionStrings:Redis is what gateways on one PostgreSQL share: set "
                + "ConnectionStrings:Postgres too, or remove it. A gateway on SQLite is alone, and needs none.");
        }

        foreach (string mistake in options.ForJournal().Validate()) reader.Fail($"Gateway:Journal: {mistake}");
        foreach (string mistake in options.Limits.ForParser().Errors()) reader.Fail($"Gateway:Limits: {mistake}");

        if (options.Ledger.QuarantineBytes < 4L * options.Limits.EventBytes)
        {
            reader.Fail($"Gateway:Quarantine:QuotaBytes is {options.Ledger.QuarantineBytes}; it must be at least four "
                + $"times Gateway:Limits:EventBytes, {4L * options.Limits.EventBytes}.");
        }

        // One that can never be held would be sent again for ever.
        long needed = BodyCopies * options.Limits.BodyBytes;
        if (options.Limits.InFlightBytes >= needed) return;

        reader.Fail($"Gateway:Limits:InFlightBytes is {options.Limits.InFlightBytes}; it must be at least four times "
            + $"Gateway:Limits:BodyBytes, {needed}.");
    }

    private static string? Blank(string? text) => string.IsNullOrWhiteSpace(text) ? null : text;
}

/// <param name="QuotaBytes">Bytes that may wait on disk before capture answers 503.</param>
/// <param name="MinFreeBytes">Disk that must stay free; null: the journal's own rule.</param>
/// <param name="SegmentBytes">Size of one segment file.</param>
internal sealed record JournalSettings(long QuotaBytes, long? MinFreeBytes, int SegmentBytes);

/// <param name="CheckSeconds">From one count of what was shipped in the store to the next.</param>
/// <param name="KeepDays">How long minutes are kept.</param>
/// <param name="QuarantineBytes">Rows that are put aside.</param>
internal sealed record LedgerSettings(int CheckSeconds, int KeepDays, long QuarantineBytes);

/// <param name="MemoryBytes">Memory cap of the embedded engine; null: a quarter of the machine.</param>
internal sealed record EngineSettings(long? MemoryBytes);

/// <summary>How much one client may send.</summary>
/// <param name="BodyBytes">A request's body, as sent and as inflated.</param>
/// <param name="EventBytes">One event's JSON.</param>
/// <param name="BatchEvents">Events in one request.</param>
/// <param name="NameCodePoints">Event name and distinct id, each.</param>
/// <param name="InFlightBytes">Bodies in memory at one time, all requests together.</param>
internal sealed record LimitSettings(
    int BodyBytes, int EventBytes, int BatchEvents, int NameCodePoints, long InFlightBytes)
{
    internal static LimitSettings Read(OptionsReader reader) => new(
        (int)reader.Number("Limits:BodyBytes", 20 << 20, 1 << 10, 128 << 20),
        (int)reader.Number("Limits:EventBytes", 1 << 20, 1 << 10, 64 << 20),
        (int)reader.Number("Limits:BatchEvents", 10_000, 1, 100_000),
        (int)reader.Number("Limits:NameCodePoints", 200, 1, 10_000),
        reader.Number("Limits:InFlightBytes", 128 << 20, 1 << 20, long.MaxValue));

    public CaptureLimits ForParser() => new()
    {
        MaxBodyBytes = BodyBytes,
        MaxEventBytes = EventBytes,
        MaxEvents = BatchEvents,
        MaxEventNameLength = NameCodePoints,
        MaxDistinctIdLength = NameCodePoints,
    };
}
