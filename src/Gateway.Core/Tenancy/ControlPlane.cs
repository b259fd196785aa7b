using System.Data.Common;
using System.Text;
using Dapper;
using Gateway.Core.Tokens;
using Microsoft.Extensions.Logging;

namespace Gateway.Core.Tenancy;

/// <param name="Folder">Where the database is kept; made private to its owner.</param>
/// <param name="Bootstrap">Values for the first start.</param>
public sealed record ControlPlaneOptions(string Folder, BootstrapOptions Bootstrap);

/// <summary>
/// Organizations, projects, tokens and keys, and what capture needs of them: <see cref="Tokens"/> and
/// <see cref="Fence"/>. The truth is the database; a change is reported as done only when it is in force.
/// </summary>
public sealed class ControlPlane : IAsyncDisposable
{
    /// <summary>As many as an organization may have; a list is not paged below it.</summary>
    public const int MaxListedProjects = 1500;

    private static readonly TimeSpan UseNotedEvery = TimeSpan.FromMinutes(1);

    private readonly ControlDatabase _database;
    private readonly SqlTokenStore _store;
    private readonly IEpochAuthority _authority;
    private readonly TokenFormat _format;
    private readonly AccessQueries _access;
    private readonly ChangeFollower _follower;
    private readonly TimeProvider _time;

    private ControlPlane(
        ControlDatabase database,
        Installation installation,
        BootstrapResult? bootstrapped,
        IEpochAuthority authority,
        TimeProvider time,
        ILoggerFactory loggers)
    {
        _database = database;
        _store = new SqlTokenStore(database);
        _authority = authority;
        _format = new TokenFormat(installation.Secret);
        _time = time;

        var table = new TokenTable();
        _follower = new ChangeFollower(table, _store);
        Tokens = new TokenCheck(_format, table, _follower, _store);
        Fence = new Fence(authority, table, _follower, _store, loggers.CreateLogger<Fence>());
        _access = new AccessQueries(_format, IsProjectToken);
        InstallationId = installation.Id;
        Bootstrapped = bootstrapped;
    }

    /// <summary>Whose token is it?</summary>
    public TokenCheck Tokens { get; }

    /// <summary>Does what was looked up still hold?</summary>
    public Fence Fence { get; }

    /// <summary>Random, made by the first start.</summary>
    public string InstallationId { get; }

    /// <summary>What this start made, or null when it was not the first.</summary>
    public BootstrapResult? Bootstrapped { get; }

    /// <exception cref="ControlPlaneException">It cannot be opened; the message is for the operator.</exception>
    public static Task<ControlPlane> OpenAsync(
        ControlPlaneOptions options, TimeProvider time, ILoggerFactory loggers, CancellationToken cancellationToken) =>
        OpenAsync(options, epoch => new ProcessAuthority(epoch), time, loggers, cancellationToken);

    internal static async Task<ControlPlane> OpenAsync(
        ControlPlaneOptions options,
        Func<long, IEpochAuthority> authorityAt,
        TimeProvider time,
        ILoggerFactory loggers,
        CancellationToken cancellationToken)
    {
        var database = await ControlDatabase.OpenAsync(options.Folder, time, cancellationToken);
        try
        {
            var (installation, made) =
                await Installation.ReadOrMakeAsync(database, options.Bootstrap, time, cancellationToken);

            // What was recorded by a process that died before it was in force is in force from here on.
            long epoch = await new SqlTokenStore(database).ReadEpochAsync(cancellationToken);
            var plane = new ControlPlane(database, installation, made, authorityAt(epoch), time, loggers);
            await plane._follower.ReloadAsync(cancellationToken);
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

    /// <summary>May the bearer of this key enter this project? Read from the database for each request.</summary>
    /// <param name="key">What the request bears, without the scheme; null when nothing.</param>
    /// <param name="idOrCurrent">A project's id as the route has it, or <c>@current</c>.</param>
    /// <param name="scope">One of <see cref="Scopes"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<AccessResult> AuthorizeAsync(
        string? key, string idOrCurrent, string scope, CancellationToken cancellationToken)
    {
        if (_access.Refuse(key) is { } refusal) return refusal;

        var (result, use) = await _database.ReadAsync<(AccessResult, KeyUse?)>(
            async connection => await _access.AuthorizeAsync(connection, null, key!, idOrCurrent, scope),
            cancellationToken);
        await NoteUseAsync(use, cancellationToken);
        return result;
    }

    /// <summary>The projects that the bearer of this key may enter.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<ProjectList> ListProjectsAsync(string? key, CancellationToken cancellationToken)
    {
        if (_access.Refuse(key) is { } refusal) return new ProjectList(refusal, []);

        var (list, use) = await _database.ReadAsync<(ProjectList, KeyUse?)>(
            async connection => await _access.ListAsync(connection, key!, Scopes.ProjectRead, MaxListedProjects),
            cancellationToken);
        await NoteUseAsync(use, cancellationToken);
        return list;
    }

    /// <summary>
    /// Gives a project a new token. When this returns, no request received from then on is accepted with the old one,
    /// and none of its events is stored.
    /// </summary>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public async Task<TokenReset> ResetTokenAsync(string? key, string idOrCurrent, CancellationToken cancellationToken)
    {
        // Who may not is turned away before the one writer's place is taken.
        var access = RequireAdmin(await AuthorizeAsync(key, idOrCurrent, Scopes.ProjectWrite, cancellationToken));
        if (access.Status != AccessStatus.Granted) return new TokenReset(access, default, 0);

        return await ChangeAsync(
            transaction => ResetTokenAsync(transaction, key!, idOrCurrent),
            reset => reset.Epoch,
            cancellationToken);
    }

    public async ValueTask DisposeAsync()
    {
        _follower.Dispose();
        await _database.DisposeAsync();
    }

    private async Task<TokenReset> ResetTokenAsync(DbTransaction transaction, string key, string idOrCurrent)
    {
        // Again, in the transaction: access may have been lost since.
        var (access, _) = await _access.AuthorizeAsync(
            transaction.Connection!, transaction, key, idOrCurrent, Scopes.ProjectWrite);
        access = RequireAdmin(access);
        if (access.Status != AccessStatus.Granted) return new TokenReset(access, default, 0);

        var now = _time.GetUtcNow();
        long at = now.ToUnixMicroseconds();
        long projectId = (long)access.Project!.ProjectId;
        long? oldId = await ProjectQueries.RevokeTokenAsync(transaction, projectId, at);
        long newId = await ProjectQueries.InsertTokenAsync(
            transaction, projectId, _format.NewProjectToken(), isImported: false, at);

        var (after, _) = await _access.AuthorizeAsync(
            transaction.Connection!, transaction, key, idOrCurrent, Scopes.ProjectWrite);
        Touched[] touched = oldId is null
            ? [new Touched("token", newId, newId)]
            : [new Touched("token", oldId.Value, oldId), new Touched("token", newId, newId)];
        long epoch = await ChangeLog.RaiseAsync(transaction, touched);
        return new TokenReset(after, UnixTime.FromUnixMicroseconds(at), epoch);
    }

    /// <summary>A transaction, then the authority, and only then the answer.</summary>
    private async Task<T> ChangeAsync<T>(
        Func<DbTransaction, Task<T>> work, Func<T, long> epochOf, CancellationToken cancellationToken)
    {
        T result;
        try
        {
            result = await _database.WriteAsync(work, cancellationToken);
        }
        catch (TokenStoreException)
        {
            // A commit that failed may have gone through all the same; then it must come into force.
            await CarryOverAsync();
            throw;
        }

        // Recorded: from here on nothing may stop it from coming into force.
        await _authority.RaiseAsync(epochOf(result), CancellationToken.None);
        return result;
    }

    private async Task CarryOverAsync()
    {
        try
        {
            long recorded = await _store.ReadEpochAsync(CancellationToken.None);
            await _authority.RaiseAsync(recorded, CancellationToken.None);
        }
        catch (TokenStoreException)
        {
            // Nothing was reported as done; the next change, or the next start, carries it over.
        }
    }

    private static AccessResult RequireAdmin(AccessResult access) =>
        access.Project is { Level: < MemberLevel.Admin }
            ? AccessResult.Forbidden("Only an admin or owner of the organization may do this.")
            : access;

    /// <summary>Written down once a minute at most; it must not cost anyone the answer.</summary>
    private async ValueTask NoteUseAsync(KeyUse? use, CancellationToken cancellationToken)
    {
        if (use is not { } key) return;

        long now = _time.GetUtcNow().ToUnixMicroseconds();
        long before = now - (long)UseNotedEvery.TotalMicroseconds;
        if (key.LastUsedAt > before) return;

        try
        {
            await _database.WriteAsync(
                transaction => transaction.Connection!.ExecuteAsync(
                    """
                    UPDATE personal_api_keys SET last_used_at = @Now
                    WHERE id = @KeyId AND (last_used_at IS NULL OR last_used_at <= @Before)
                    """,
                    new { key.KeyId, Now = now, Before = before },
                    transaction),
                cancellationToken);
        }
        catch (TokenStoreException)
        {
            // A full disk or a busy writer: noted another time.
        }
    }

    private bool IsProjectToken(string text)
    {
        if (text.Length > TokenFormat.MaxTokenBytes || !Ascii.IsValid(text)) return false;

        Span<byte> token = stackalloc byte[TokenFormat.MaxTokenBytes];
        token = token[..Encoding.ASCII.GetBytes(text, token)];
        return Tokens.TryCheck(token, out var lookup) && lookup.State == TokenState.Live;
    }
}
