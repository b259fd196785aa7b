using System.Security.Cryptography;
using System.Text;
using Gateway.Core.Redis;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tenancy;

/// <param name="Folder">Of all that this gateway keeps, the SQLite file too; made private to its owner.</param>
/// <param name="Bootstrap">Values for the first start.</param>
/// <param name="Postgres">The database that several gateways share; null: SQLite, for one.</param>
public sealed record ControlPlaneOptions(string Folder, BootstrapOptions Bootstrap, PostgresOptions? Postgres = null)
{
    /// <summary>What a new organization has: one of <see cref="Plans"/>.</summary>
    public string DefaultPlan { get; init; } = Plans.Unlimited;

    /// <summary>Shared by the gateways of one PostgreSQL; null: none.</summary>
    public RedisOptions? Redis { get; init; }

    /// <summary>Redis is the fence's authority and not only a cache of tokens.</summary>
    public bool FencesByRedis { get; init; } = true;

    /// <summary>Another authority than the installation's is not refused, but taken from now on.</summary>
    public bool ChangesFence { get; init; }

    internal string Authority => Postgres is null ? Installation.ProcessAuthority
        : Redis is not null && FencesByRedis ? Installation.RedisAuthority
        : Installation.DatabaseAuthority;
}

/// <summary>
/// Organizations, projects, members and keys, and what capture needs of them: <see cref="Tokens"/> and
/// <see cref="Fence"/>. The truth is the database; a change is reported as done only when it is in force.
/// </summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private readonly ControlDatabase _database;
    private readonly ChangeFollower _follower;
    private readonly IEpochAuthority _authority;
    private readonly CarryOver _carryOver;
    private readonly TimeProvider _time;
    private readonly ILogger _meetingLog;
    private readonly byte[] _secret;

    private ControlPlane(
        ControlPlaneOptions options,
        ControlDatabase database,
        Installation installation,
        BootstrapResult? bootstrapped,
        SharedRedis? redis,
        IEpochAuthority authority,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _database = database;
        _time = time;
        _meetingLog = loggers.CreateLogger<FenceMeeting>();
        var store = new SqlTokenStore(database);
        var format = new TokenFormat(installation.Secret);
        var table = new TokenTable();
        _follower = new ChangeFollower(table, store);
        _authority = authority;
        _carryOver = new CarryOver(store, authority, _follower);
        Redis = redis;
        if (redis is not null) redis.Hinted = _carryOver.Wake;
        Tokens = new TokenCheck(format, table, _follower, store, redis?.Tokens);
        Fence = new Fence(authority, table, _follower, store, loggers.CreateLogger<Fence>());
        _secret = installation.Secret;
        InstallationId = installation.Id;
        Bootstrapped = bootstrapped;

        var changes = new ControlChanges(database, store, authority, time);
        var access = new AccessQueries(format, IsProjectToken, time);
        var gate = new Gatekeeper(access);
        Organizations = new Organizations(changes, access, gate, format, options.DefaultPlan);
        Members = new Members(changes, gate);
        Invites = new Invites(changes, gate, time);
        Projects = new Projects(changes, access, gate, format);
        ProjectMembers = new ProjectMembers(changes, gate);
        Moves = new Moves(changes, access, gate);
        Keys = new Keys(changes, access, gate, format);
        AuditLog = new AuditLog(changes, gate);
        EventsStore = new EventsStore(database, installation.Id);
        Users = new Users(changes, access);
        Sessions = new Sessions(changes);
        SignUps = new SignUps(changes, access, format, time, options.DefaultPlan);
        CookieKeys = new CookieKeys(changes);
        Erasure = new Erasure(changes, time);
        RevokedTokens = new RevokedTokens(database);
    }

    /// <summary>Whose token is it?</summary>
    public TokenCheck Tokens { get; }

    /// <summary>Does what was looked up still hold?</summary>
    public Fence Fence { get; }

    /// <summary>What the gateways share there; null without it.</summary>
    public SharedRedis? Redis { get; }

    public Organizations Organizations { get; }

    public Members Members { get; }

    public Invites Invites { get; }

    public Projects Projects { get; }

    public ProjectMembers ProjectMembers { get; }

    public Moves Moves { get; }

    public Keys Keys { get; }

    public AuditLog AuditLog { get; }

    /// <summary>Are these events ours?</summary>
    public EventsStore EventsStore { get; }

    public Users Users { get; }

    public Sessions Sessions { get; }

    public SignUps SignUps { get; }

    public CookieKeys CookieKeys { get; }

    /// <summary>What is left to do of deleted projects.</summary>
    public Erasure Erasure { get; }

    /// <summary>Whose token was it?</summary>
    public RevokedTokens RevokedTokens { get; }

    /// <summary>Random, made by the first start.</summary>
    public string InstallationId { get; }

    /// <summary>What this start made, or null when it was not the first.</summary>
    public BootstrapResult? Bootstrapped { get; }

    /// <exception cref="ControlPlaneException">It cannot be opened; the message is for the operator.</exception>
    public static Task<ControlPlane> OpenAsync(
        ControlPlaneOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        OpenAsync(options, authorityAt: null, time, loggers, cancellationToken);

    internal static async Task<ControlPlane> OpenAsync(
        ControlPlaneOptions options,
        Func<EpochStamp, IEpochAuthority>? authorityAt,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var database = await OpenDatabaseAsync(options, time, cancellationToken);
        SharedRedis? redis = null;
        try
        {
            var (installation, made) = await Installation.ReadOrMakeAsync(database, options, cancellationToken);
            if (options.Redis is { } server)
            {
                byte[] signingKey = DeriveKey(installation.Secret, "tokens in Redis");
                redis = new SharedRedis(
                    server, installation.Id, signingKey, time, loggers.CreateLogger<SharedRedis>());
            }

            // What was recorded by a process that died before it was in force is in force from here on.
            var store = new SqlTokenStore(database);
            var stamp = await store.ReadEpochAsync(cancellationToken);
            var authority = authorityAt?.Invoke(stamp) ?? AuthorityOf(options, redis, database, store, stamp);
            var plane = new ControlPlane(options, database, installation, made, redis, authority, time, loggers);
            await plane._follower.ReloadAsync(cancellationToken);
            await plane.Sessions.CleanUpAsync(cancellationToken);
            return plane;
        }
        catch (Exception exception)
        {
            if (redis is not null) await redis.DisposeAsync();
            await database.DisposeAsync();
            if (exception is not TokenStoreException) throw;

            throw new ControlPlaneException(
                $"{exception.Message} {exception.InnerException?.Message}".TrimEnd(), exception);
        }
    }

    /// <summary>
    /// Brings what is recorded into force, also what others left, until it is cancelled. A gateway that does not run
    /// this is right all the same; what a caller left undone waits for the next one.
    /// </summary>
    public Task CarryOverAsync(CancellationToken cancellationToken) => _carryOver.RunAsync(cancellationToken);

    /// <summary>
    /// Where Redis is the authority: sees to it that it is the one that the others ask, until it is cancelled; as long
    /// as that is not known, the database is asked.
    /// </summary>
    /// <param name="gatewayId">This gateway, which is written down in the database already.</param>
    /// <param name="met">Called when Redis is the authority; at once where it is not to be.</param>
    /// <param name="cancellationToken">Ends it.</param>
    /// <exception cref="ControlPlaneException">It is another one; the message is for the operator.</exception>
    public async Task MeetRedisAsync(string gatewayId, Action met, CancellationToken cancellationToken)
    {
        if (_authority is RedisAuthority authority)
        {
            var meeting = new FenceMeeting(_database, authority, _time, _meetingLog);
            await meeting.RunAsync(gatewayId, met, cancellationToken);
        }
        else
        {
            met();
        }
    }

    /// <summary>32 bytes for a purpose, which every gateway of this installation derives alike.</summary>
    public byte[] DeriveKey(string purpose) => DeriveKey(_secret, purpose);

    public async ValueTask DisposeAsync()
    {
        if (Redis is not null) await Redis.DisposeAsync();
        _carryOver.Dispose();
        _follower.Dispose();
        await _database.DisposeAsync();
    }

    private static IEpochAuthority AuthorityOf(
        ControlPlaneOptions options,
        SharedRedis? redis,
        ControlDatabase database,
        SqlTokenStore store,
        EpochStamp stamp) =>
        options.Authority switch
        {
            Installation.RedisAuthority => redis!.AuthorityOn(store, database.RaiseAboveAsync),
            Installation.DatabaseAuthority => new DatabaseAuthority(store),
            _ => new ProcessAuthority(stamp),
        };

    private static byte[] DeriveKey(byte[] secret, string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, secret, outputLength: 32, info: Encoding.UTF8.GetBytes(purpose));

    private static async Task<ControlDatabase> OpenDatabaseAsync(
        ControlPlaneOptions options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (options.Postgres is null) return await SqliteDatabase.OpenAsync(options.Folder, time, cancellationToken);

        PrivateFolder.Make(options.Folder);
        return await PostgresDatabase.OpenAsync(options.Postgres, time, cancellationToken);
    }

    private bool IsProjectToken(string text)
    {
        if (text.Length > TokenFormat.MaxTokenBytes || !Ascii.IsValid(text)) return false;

        Span<byte> token = stackalloc byte[TokenFormat.MaxTokenBytes];
        token = token[..Encoding.ASCII.GetBytes(text, token)];
        return Tokens.TryCheck(token, out var lookup) && lookup.State == TokenState.Live;
    }
}
