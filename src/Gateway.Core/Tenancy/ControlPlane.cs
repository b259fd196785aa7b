using System.Security.Cryptography;
using System.Text;
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
}

/// <summary>
/// Organizations, projects, members and keys, and what capture needs of them: <see cref="Tokens"/> and
/// <see cref="Fence"/>. The truth is the database; a change is reported as done only when it is in force.
/// </summary>
public sealed class ControlPlane : IAsyncDisposable
{
    private readonly ControlDatabase _database;
    private readonly ChangeFollower _follower;
    private readonly byte[] _secret;

    private ControlPlane(
        ControlPlaneOptions options,
        ControlDatabase database,
        Installation installation,
        BootstrapResult? bootstrapped,
        IEpochAuthority authority,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _database = database;
        var store = new SqlTokenStore(database);
        var format = new TokenFormat(installation.Secret);
        var table = new TokenTable();
        _follower = new ChangeFollower(table, store);
        Tokens = new TokenCheck(format, table, _follower, store);
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
    }

    /// <summary>Whose token is it?</summary>
    public TokenCheck Tokens { get; }

    /// <summary>Does what was looked up still hold?</summary>
    public Fence Fence { get; }

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
        Func<long, IEpochAuthority>? authorityAt,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var database = await OpenDatabaseAsync(options, time, cancellationToken);
        try
        {
            string authority = options.Postgres is null
                ? Installation.ProcessAuthority
                : Installation.DatabaseAuthority;
            var (installation, made) =
                await Installation.ReadOrMakeAsync(database, options, authority, cancellationToken);

            // What was recorded by a process that died before it was in force is in force from here on.
            var store = new SqlTokenStore(database);
            long epoch = await store.ReadEpochAsync(cancellationToken);
            var asked = authorityAt?.Invoke(epoch) ?? (options.Postgres is null
                ? new ProcessAuthority(epoch)
                : new DatabaseAuthority(store));
            var plane = new ControlPlane(options, database, installation, made, asked, time, loggers);
            await plane._follower.ReloadAsync(cancellationToken);
            await plane.Sessions.CleanUpAsync(cancellationToken);
            return plane;
        }
        catch (TokenStoreException exception)
        {
            await database.DisposeAsync();
            throw new ControlPlaneException(
                $"{exception.Message} {exception.InnerException?.Message}".TrimEnd(), exception);
        }
        catch
        {
            await database.DisposeAsync();
            throw;
        }
    }

    /// <summary>32 bytes for a purpose, which every gateway of this installation derives alike.</summary>
    public byte[] DeriveKey(string purpose) => HKDF.DeriveKey(
        HashAlgorithmName.SHA256, _secret, outputLength: 32, info: Encoding.UTF8.GetBytes(purpose));

    public async ValueTask DisposeAsync()
    {
        _follower.Dispose();
        await _database.DisposeAsync();
    }

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
