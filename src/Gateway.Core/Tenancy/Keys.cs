using System.Data.Common;
using System.Globalization;
using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <param name="Label">For people.</param>
/// <param name="Scopes">What it may do.</param>
/// <param name="Organizations">Uuids of those that it is bound to.</param>
/// <param name="Projects">Ids of those that it is bound to; both empty: it is bound to nothing.</param>
public sealed record NewKey(
    string Label, IReadOnlyList<string> Scopes, IReadOnlyList<string> Organizations, IReadOnlyList<string> Projects);

/// <summary>A personal API key as its owner sees it. Not a record: its text would show the value.</summary>
public sealed class PersonalKey
{
    public long Id { get; init; }

    public string Label { get; init; } = "";

    /// <summary>Such as <c>phx_...abcd</c>.</summary>
    public string Mask { get; init; } = "";

    /// <summary>Separated by spaces.</summary>
    public string Scopes { get; init; } = "";

    /// <summary>Microseconds since 1970 UTC.</summary>
    public long CreatedAt { get; init; }

    public long? LastUsedAt { get; init; }

    public IReadOnlyList<string> Organizations { get; internal set; } = [];

    public IReadOnlyList<long> Projects { get; internal set; } = [];

    /// <summary>Set once, when it is made or rolled; only its hash is kept.</summary>
    public string? Value { get; internal set; }
}

/// <summary>
/// Personal API keys: a user's own, made and ended by a session or by a key that may do everything. One that is rolled
/// or revoked opens nothing when the call returns.
/// </summary>
public sealed class Keys
{
    public const int MostOfUser = 10;

    private const string Select =
        """
        SELECT id AS Id, label AS Label, mask AS Mask, scopes AS Scopes, created_at AS CreatedAt,
               last_used_at AS LastUsedAt
        FROM personal_api_keys WHERE user_id = @UserId AND revoked_at IS NULL
        """;

    private readonly ControlChanges _changes;
    private readonly AccessQueries _access;
    private readonly Gatekeeper _gate;
    private readonly TokenFormat _format;

    internal Keys(ControlChanges changes, AccessQueries access, Gatekeeper gate, TokenFormat format) =>
        (_changes, _access, _gate, _format) = (changes, access, gate, format);

    public ValueTask<Outcome<List<PersonalKey>>> ListAsync(Caller caller, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.Unlimited(caller),
            async (connection, actor) =>
            {
                var keys = (await connection.QueryAsync<PersonalKey>(
                    $"{Select} ORDER BY id", new { actor.UserId })).AsList();
                foreach (var key in keys) await ReadBindingsAsync(connection, null, key);
                return keys;
            },
            cancellationToken);

    public ValueTask<Outcome<PersonalKey?>> ReadAsync(
        Caller caller, string id, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.Unlimited(caller),
            (connection, actor) => FindAsync(connection, null, actor, id),
            cancellationToken);

    public Task<Outcome<PersonalKey>> CreateAsync(
        Caller caller, NewKey wanted, CancellationToken cancellationToken) =>
        _changes.ChangeAsync<Actor, PersonalKey>(
            _gate.Unlimited(caller),
            async (change, actor) =>
            {
                string? unknown = wanted.Scopes.FirstOrDefault(scope => !Scopes.Known.Contains(scope));
                if (unknown is not null || wanted.Scopes.Count == 0)
                {
                    return Refusal.Invalid(
                        "scopes", $"Give at least one of {string.Join(", ", Scopes.Known)}, and no other.");
                }

                long count = await change.ScalarAsync<long>(
                    "SELECT COUNT(*) FROM personal_api_keys WHERE user_id = @UserId AND revoked_at IS NULL",
                    new { actor.UserId });
                if (count >= MostOfUser)
                {
                    return Refusal.Forbidden(
                        $"You have {count} personal API keys, and {MostOfUser} is the limit: revoke one first.",
                        "key_limit_reached");
                }

                string value = _format.NewPersonalKey();
                long id = await change.ScalarAsync<long>(
                    """
                    INSERT INTO personal_api_keys (user_id, sha256, mask, label, scopes, created_at)
                    VALUES (@UserId, @Sha256, @Mask, @Label, @Scopes, @Now) RETURNING id
                    """,
                    new
                    {
                        actor.UserId,
                        Sha256 = TokenFormat.Sha256Of(value),
                        Mask = TokenFormat.Mask(value),
                        wanted.Label,
                        Scopes = string.Join(' ', wanted.Scopes.Distinct()),
                        change.Now,
                    });
                if (await BindAsync(change, caller, id, wanted) is { } refusal) return refusal;

                return await DoneAsync(change, actor, id, "key.created", value);
            },
            cancellationToken);

    /// <summary>A new value for the same key; the old one opens nothing from the return on.</summary>
    public Task<Outcome<PersonalKey>> RollAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        ChangeAsync<PersonalKey>(
            caller,
            id,
            async (change, actor, key) =>
            {
                string value = _format.NewPersonalKey();
                await Invites.WithdrawAsync(change, actor, "key_id = @Id", new { key.Id });
                await change.ExecuteAsync(
                    """
                    UPDATE personal_api_keys SET sha256 = @Sha256, mask = @Mask, created_at = @Now, last_used_at = NULL
                    WHERE id = @Id
                    """,
                    new
                    {
                        Sha256 = TokenFormat.Sha256Of(value),
                        Mask = TokenFormat.Mask(value),
                        change.Now,
                        key.Id,
                    });
                return await DoneAsync(change, actor, key.Id, "key.rolled", value);
            },
            cancellationToken);

    public Task<Outcome<PersonalKey>> RenameAsync(
        Caller caller, string id, string label, CancellationToken cancellationToken) =>
        ChangeAsync<PersonalKey>(
            caller,
            id,
            async (change, actor, key) =>
            {
                await change.ExecuteAsync(
                    "UPDATE personal_api_keys SET label = @Label WHERE id = @Id", new { Label = label, key.Id });
                await AuditLog.AppendToAllAsync(
                    change, actor, "key.renamed", $"key {key.Id}", new { from = key.Label, to = label }, key.Id);
                return await AnswerAsync(change, actor, key.Id, value: null);
            },
            cancellationToken);

    public Task<Outcome<Done>> RevokeAsync(Caller caller, string id, CancellationToken cancellationToken) =>
        ChangeAsync<Done>(
            caller,
            id,
            async (change, actor, key) =>
            {
                await change.ExecuteAsync(
                    "UPDATE personal_api_keys SET revoked_at = @Now WHERE id = @Id", new { change.Now, key.Id });
                await Invites.WithdrawAsync(change, actor, "key_id = @Id", new { key.Id });
                await AuditLog.AppendToAllAsync(
                    change, actor, "key.revoked", $"key {key.Id}", new { key.Mask }, key.Id);
                change.Touch("key", key.Id);
                return default(Done);
            },
            cancellationToken);

    /// <summary>Changes one of the caller's keys.</summary>
    private Task<Outcome<T>> ChangeAsync<T>(
        Caller caller,
        string id,
        Func<ControlWrite, Actor, PersonalKey, Task<Outcome<T>>> work,
        CancellationToken cancellationToken) =>
        _changes.ChangeAsync<Actor, T>(
            _gate.Unlimited(caller),
            async (change, actor) =>
            {
                var key = await FindAsync(change.Connection, change.Transaction, actor, id);
                return key is null
                    ? Refusal.NotFound("There is no such personal API key.")
                    : await work(change, actor, key);
            },
            cancellationToken);

    private async Task<Refusal?> BindAsync(ControlWrite change, Caller caller, long id, NewKey wanted)
    {
        const string Bind =
            """
            INSERT INTO key_bindings (key_id, organization_id, project_id)
            VALUES (@KeyId, @OrganizationId, @ProjectId)
            """;
        foreach (string uuid in wanted.Organizations.Distinct())
        {
            var organization = await _access.OrganizationAsync(
                change.Connection, change.Transaction, caller, uuid, Scopes.All);
            if (organization.Refusal is not null || uuid == AccessQueries.Current)
                return Refusal.Invalid("scoped_organizations", "There is no such organization among yours.");

            var row = new { KeyId = id, OrganizationId = (long?)organization.Value.RowId, ProjectId = (long?)null };
            await change.ExecuteAsync(Bind, row);
        }

        foreach (string project in wanted.Projects.Distinct())
        {
            var access = await _access.ProjectAsync(
                change.Connection, change.Transaction, caller, project, Scopes.All);
            if (access.Refusal is not null || project == AccessQueries.Current)
                return Refusal.Invalid("scoped_projects", "There is no such project among yours.");

            var row = new { KeyId = id, OrganizationId = (long?)null, ProjectId = (long?)access.Value.ProjectId };
            await change.ExecuteAsync(Bind, row);
        }

        return null;
    }

    private static async Task<PersonalKey> DoneAsync(
        ControlWrite change, Actor actor, long id, string action, string value)
    {
        var key = await AnswerAsync(change, actor, id, value);
        await AuditLog.AppendToAllAsync(
            change, actor, action, $"key {id}", new { key.Label, key.Mask, key.Scopes }, id);
        change.Touch("key", id);
        return key;
    }

    private static async Task<PersonalKey> AnswerAsync(ControlWrite change, Actor actor, long id, string? value)
    {
        string text = id.ToString(CultureInfo.InvariantCulture);
        var key = await FindAsync(change.Connection, change.Transaction, actor, text);
        key!.Value = value;
        return key;
    }

    private static async Task<PersonalKey?> FindAsync(
        DbConnection connection, DbTransaction? transaction, Actor actor, string id)
    {
        if (!long.TryParse(id, NumberStyles.None, CultureInfo.InvariantCulture, out long keyId)) return null;

        var key = await connection.QuerySingleOrDefaultAsync<PersonalKey>(
            $"{Select} AND id = @KeyId", new { actor.UserId, KeyId = keyId }, transaction);
        if (key is not null) await ReadBindingsAsync(connection, transaction, key);
        return key;
    }

    private static async Task ReadBindingsAsync(
        DbConnection connection, DbTransaction? transaction, PersonalKey key)
    {
        key.Organizations = (await connection.QueryAsync<string>(
            """
            SELECT o.uuid FROM key_bindings b JOIN organizations o ON o.id = b.organization_id
            WHERE b.key_id = @Id ORDER BY o.id
            """,
            new { key.Id },
            transaction)).AsList();
        key.Projects = (await connection.QueryAsync<long>(
            "SELECT project_id FROM key_bindings WHERE key_id = @Id AND project_id IS NOT NULL ORDER BY project_id",
            new { key.Id },
            transaction)).AsList();
    }
}
