using System.Data.Common;
using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// People: what they are called, their password, and what <c>@current</c> means for them. Passwords come and go as
/// hashes: to hash one is slow on purpose, and is done by whoever asks, outside of any transaction.
/// </summary>
public sealed class Users
{
    public const int MaxNameLength = 200;
    public const int MinPasswordLength = 8;
    public const int MaxPasswordLength = 128;

    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;

    internal Users(ControlChanges changes, AccessQueries access) => (_changes, _access) = (changes, access);

    /// <summary>What is wrong with a password that somebody chose, without repeating it; null: nothing.</summary>
    public static string? PasswordMistake(string password)
    {
        if (password.Any(char.IsControl)) return "may not hold control characters.";

        return password.EnumerateRunes().Count() is >= MinPasswordLength and <= MaxPasswordLength
            ? null
            : $"must have {MinPasswordLength} to {MaxPasswordLength} characters.";
    }

    /// <summary>What an address's password is checked against; null: no such user, or one without.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public ValueTask<Credentials?> FindCredentialsAsync(string email, CancellationToken cancellationToken) =>
        _changes.ReadAsync<Credentials?>(
            async connection => await connection.QuerySingleOrDefaultAsync<Credentials>(
                """
                SELECT id AS UserId, password_hash AS Hash FROM users
                WHERE email = @Email AND password_hash IS NOT NULL
                """,
                new { Email = email }),
            cancellationToken);

    /// <summary>The same for whoever is signed in; a key does not get so far.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public ValueTask<Outcome<Credentials>> FindCredentialsAsync(Caller caller, CancellationToken cancellationToken) =>
        _changes.ReadAsync<Outcome<Credentials>>(
            async connection =>
            {
                var actor = await _access.WhoAsync(connection, null, caller, Scopes.UserWrite);
                if (actor.Refusal is { } refusal) return refusal;
                if (caller.SessionId is null) return KeyChangesNoPassword();

                string? hash = await connection.ExecuteScalarAsync<string?>(
                    "SELECT password_hash FROM users WHERE id = @UserId", new { actor.Value.UserId });
                return new Credentials { UserId = actor.Value.UserId, Hash = hash ?? "" };
            },
            cancellationToken);

    /// <summary>The caller as they see themselves.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public async ValueTask<Outcome<UserProfile>> ReadAsync(Caller caller, CancellationToken cancellationToken)
    {
        if (_access.Refuse(caller) is { } refusal) return refusal;

        var profile = await _changes.ReadAsync(
            async connection => await ProfileAsync(connection, caller), cancellationToken);
        if (profile.Refusal is null) await _changes.NoteUseAsync(profile.Value.Actor, cancellationToken);
        return profile;
    }

    /// <summary>Changes what is given. A new password ends all other sessions of the user.</summary>
    /// <exception cref="TokenStoreException">Not recorded, or recorded and not known to be in force: 503.</exception>
    public async Task<Outcome<UserProfile>> UpdateAsync(
        Caller caller, UserUpdate update, CancellationToken cancellationToken)
    {
        // Who may not is turned away before the one writer's place is taken.
        var before = await _changes.ReadAsync(
            async connection => await _access.WhoAsync(connection, null, caller, Scopes.UserWrite), cancellationToken);
        if (before.Refusal is { } refusal) return refusal;

        var written = await _changes.RunAsync<Done>(
            async change =>
            {
                var actor = await _access.WhoAsync(change.Connection, change.Transaction, caller, Scopes.UserWrite);
                if (actor.Refusal is { } lost) return lost;

                long userId = actor.Value.UserId;
                await change.ExecuteAsync(
                    """
                    UPDATE users SET first_name = COALESCE(@FirstName, first_name),
                        last_name = COALESCE(@LastName, last_name)
                    WHERE id = @UserId
                    """,
                    new { update.FirstName, update.LastName, UserId = userId });
                return await EnterOrganizationAsync(change, caller, userId, update.CurrentOrganization)
                    ?? await EnterProjectAsync(change, caller, userId, update.CurrentProject)
                    ?? await ChangePasswordAsync(change, caller, actor.Value, update.Password)
                    ?? (Outcome<Done>)default(Done);
            },
            cancellationToken);
        return written.Outcome.Refusal is { } refused ? refused : await ReadAsync(caller, cancellationToken);
    }

    /// <summary>Whether nobody can sign in: at a first start, or one of before there were passwords.</summary>
    /// <exception cref="TokenStoreException">The database cannot be read: 503.</exception>
    public ValueTask<bool> HasNoPasswordAsync(CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            async connection => await connection.ExecuteScalarAsync<long>(
                "SELECT COUNT(*) FROM users WHERE password_hash IS NOT NULL") == 0,
            cancellationToken);

    /// <summary>Gives the first owner a password, and an address if one is given; only while nobody has any.</summary>
    /// <returns>The owner's address.</returns>
    /// <exception cref="TokenStoreException">It cannot be written: 503.</exception>
    public async Task<Outcome<string>> GiveFirstPasswordAsync(
        string hash, string? email, CancellationToken cancellationToken)
    {
        var written = await _changes.RunAsync<string>(
            async change =>
            {
                string? owner = await change.ScalarAsync<string>(
                    """
                    UPDATE users SET password_hash = @Hash, email = COALESCE(@Email, email)
                    WHERE id = (SELECT MIN(user_id) FROM memberships WHERE level = 15)
                      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.password_hash IS NOT NULL)
                      AND NOT EXISTS (SELECT 1 FROM users u WHERE u.email = @Email AND u.id <> users.id)
                    RETURNING email
                    """,
                    new { Hash = hash, Email = email });
                return owner is null ? Refusal.Forbidden("Somebody has a password already.") : owner;
            },
            cancellationToken);
        return written.Outcome;
    }

    /// <summary>A new person; the address must be free.</summary>
    internal static async Task<Actor> InsertAsync(
        ControlWrite change, string email, NewUser user, string via, string ip)
    {
        var uuid = Guid.NewGuid();
        long id = await change.ScalarAsync<long>(
            """
            INSERT INTO users (uuid, email, first_name, last_name, password_hash, created_at, last_login_at)
            VALUES (@Uuid, @Email, @FirstName, @LastName, @PasswordHash, @Now, @Now) RETURNING id
            """,
            new
            {
                Uuid = uuid.ToString(),
                Email = email,
                user.FirstName,
                user.LastName,
                user.PasswordHash,
                change.Now,
            });
        return new Actor
        {
            UserId = id,
            UserUuid = uuid,
            Email = email,
            Via = via,
            Ip = ip,
            IsBound = false,
            IsUnlimited = false,
        };
    }

    private static Refusal KeyChangesNoPassword() =>
        Refusal.Forbidden("A password is changed by whoever is signed in with it, not with a key.");

    private static async Task<Refusal?> ChangePasswordAsync(
        ControlWrite change, Caller caller, Actor actor, PasswordChange? password)
    {
        if (password is null) return null;
        if (caller.SessionId is null) return KeyChangesNoPassword();

        int found = await change.ExecuteAsync(
            "UPDATE users SET password_hash = @NewHash WHERE id = @UserId AND password_hash = @Hash",
            new { password.NewHash, actor.UserId, password.Verified.Hash });
        if (found == 0) return Refusal.Invalid("current_password", "The password has just been changed.");

        // Whoever knew the old one may have let others in with it.
        await Sessions.CloseOthersAsync(change, actor.UserId, caller);
        await Invites.WithdrawAsync(change, actor, "created_by = @UserId", new { actor.UserId });
        await AuditLog.AppendToAllAsync(change, actor, "user.password_changed", $"user {actor.UserUuid}");
        return null;
    }

    private async Task<Refusal?> EnterOrganizationAsync(ControlWrite change, Caller caller, long userId, Guid? uuid)
    {
        if (uuid is null) return null;

        var organization = await _access.OrganizationAsync(
            change.Connection, change.Transaction, caller, uuid.Value.ToString(), Scopes.UserWrite);
        if (organization.Refusal is not null)
            return Refusal.Invalid("current_organization", "There is no such organization.", "does_not_exist");

        long rowId = organization.Value.RowId;
        await change.ExecuteAsync(
            "UPDATE users SET current_organization_id = @RowId WHERE id = @UserId",
            new { RowId = rowId, UserId = userId });

        // Its first project that they may enter, if any, so that both mean the same place.
        var ids = await change.RowsAsync<long>(
            "SELECT id FROM projects WHERE organization_id = @RowId AND deleted_at IS NULL ORDER BY id",
            new { RowId = rowId });
        foreach (long id in ids)
        {
            if (await EnterProjectAsync(change, caller, userId, id) is null) return null;
        }

        return null;
    }

    private async Task<Refusal?> EnterProjectAsync(ControlWrite change, Caller caller, long userId, long? id)
    {
        if (id is null) return null;

        string text = id.Value.ToString(System.Globalization.CultureInfo.InvariantCulture);
        var project = await _access.ProjectAsync(
            change.Connection, change.Transaction, caller, text, Scopes.UserWrite);
        if (project.Refusal is not null)
            return Refusal.Invalid("current_project", "There is no such project.", "does_not_exist");

        await change.ExecuteAsync(
            """
            UPDATE users SET current_project_id = @Id, current_organization_id = @OrganizationRowId WHERE id = @UserId
            """,
            new { Id = id, project.Value.OrganizationRowId, UserId = userId });
        return null;
    }

    private async Task<Outcome<UserProfile>> ProfileAsync(DbConnection connection, Caller caller)
    {
        var actor = await _access.WhoAsync(connection, null, caller, Scopes.UserRead);
        if (actor.Refusal is { } refusal) return refusal;

        // Each is judged by itself: what was lost between two of them is in neither.
        var organizations = await _access.OrganizationsAsync(connection, caller, Scopes.UserRead);
        if (organizations.Refusal is not null) return organizations.Refusal;
        var projects = await _access.ProjectsAsync(connection, caller, Scopes.UserRead);
        if (projects.Refusal is not null) return projects.Refusal;

        var row = await connection.QuerySingleAsync<Row>(
            """
            SELECT first_name AS FirstName, last_name AS LastName, created_at AS CreatedAt,
                last_login_at AS LastLoginAt, CASE WHEN password_hash IS NULL THEN 0 ELSE 1 END AS HasPassword,
                current_organization_id AS OrganizationId, current_project_id AS ProjectId
            FROM users WHERE id = @UserId
            """,
            new { actor.Value.UserId });

        // As AccessSql understands @current: the wish where it may be entered, else the first.
        var organization = organizations.Value.Find(one => one.RowId == row.OrganizationId)
            ?? organizations.Value.FirstOrDefault();
        var project = projects.Value.Find(one => (long)one.ProjectId == row.ProjectId)
            ?? projects.Value.FirstOrDefault();
        return new UserProfile
        {
            Actor = actor.Value,
            FirstName = row.FirstName,
            LastName = row.LastName,
            HasPassword = row.HasPassword == 1,
            CreatedAt = UnixTime.FromUnixMicroseconds(row.CreatedAt),
            LastLoginAt = row.LastLoginAt is { } at ? UnixTime.FromUnixMicroseconds(at) : null,
            Organization = organization is null ? null : Short(organization, projects.Value),
            Project = project is null ? null : Short(project),
            Organizations = [.. organizations.Value.Select(one => Short(one, projects.Value))],
        };
    }

    private static UserOrganization Short(OrganizationAccess organization, List<ProjectAccess> projects) => new(
        organization.Id,
        organization.Name,
        organization.Level,
        [.. projects.Where(project => project.OrganizationId == organization.Id).Select(Short)]);

    private static UserProject Short(ProjectAccess project) =>
        new(project.ProjectId, project.Uuid, project.OrganizationId, project.Name, project.TimeZone);

    private sealed class Row
    {
        public string FirstName { get; init; } = "";

        public string LastName { get; init; } = "";

        public long CreatedAt { get; init; }

        public long? LastLoginAt { get; init; }

        public long HasPassword { get; init; }

        public long? OrganizationId { get; init; }

        public long? ProjectId { get; init; }
    }
}
