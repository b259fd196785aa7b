using System.Buffers;
using System.Data.Common;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Dapper;
using Gateway.Core.Tenancy.Access;
using Gateway.Core.Tenancy.Database;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Who did what, when and from where: one chain for each organization, written in the transaction of what it tells of.
/// A row's hash covers its own fields and the hash before it:
/// <code>
/// hash    SHA-256, hexadecimal, of the JSON array
///         [organization's row, hash before, number, at, actor, actor_via, ip, action, target, detail]
/// first   follows the empty text
/// head    count and hash of the last row, kept apart; whoever noted one down can tell later that none is missing
/// </code>
/// </summary>
public sealed class AuditLog
{
    public const int MaxPage = 1000;

    private const string Columns =
        """
        number AS Number, at AS At, actor AS Actor, actor_via AS ActorVia, ip AS Ip, action AS Action,
        target AS Target, detail AS Detail, hash AS Hash
        """;

    private readonly ControlChanges _changes;
    private readonly Gatekeeper _gate;

    internal AuditLog(ControlChanges changes, Gatekeeper gate) => (_changes, _gate) = (changes, gate);

    /// <summary>The newest rows first.</summary>
    /// <param name="caller">An admin or owner.</param>
    /// <param name="organization">Its uuid or <c>@current</c>.</param>
    /// <param name="before">Only rows with a smaller number; null: from the newest on.</param>
    /// <param name="limit">At most <see cref="MaxPage"/>.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public ValueTask<Outcome<AuditPage>> ReadAsync(
        Caller caller, string organization, long? before, int limit, CancellationToken cancellationToken) =>
        _changes.ReadAsync(
            _gate.LateOrganization(caller, organization, Scopes.OrganizationRead),
            async (connection, access) =>
            {
                var head = await HeadAsync(connection, null, access.RowId);
                var rows = await connection.QueryAsync<AuditRow>(
                    $"""
                    SELECT {Columns} FROM audit_log
                    WHERE organization_id = @Id AND number < @Before ORDER BY number DESC LIMIT @Limit
                    """,
                    new { Id = access.RowId, Before = before ?? long.MaxValue, Limit = Math.Clamp(limit, 1, MaxPage) });
                return new AuditPage(head, rows.AsList());
            },
            cancellationToken);

    /// <summary>
    /// Goes through the whole chain and finds the first row that is not as it was written, page by page: a long log
    /// must not hold a connection.
    /// </summary>
    /// <param name="caller">An admin or owner.</param>
    /// <param name="organization">Its uuid or <c>@current</c>.</param>
    /// <param name="noted">A head that was noted down earlier; null: none.</param>
    /// <param name="cancellationToken">Ends the wait.</param>
    public async ValueTask<Outcome<AuditCheck>> CheckAsync(
        Caller caller, string organization, AuditHead? noted, CancellationToken cancellationToken)
    {
        // A row is committed with the head that names it, so one that was there before the head was read is named by
        // it. Rows that are added after that lie behind it.
        var begun = await _changes.ReadAsync(
            _gate.LateOrganization(caller, organization, Scopes.OrganizationRead),
            async (connection, access) =>
            {
                long newest = await connection.ExecuteScalarAsync<long>(
                    "SELECT COALESCE(MAX(number), 0) FROM audit_log WHERE organization_id = @Id",
                    new { Id = access.RowId });
                return (Id: access.RowId, Newest: newest, Head: await HeadAsync(connection, null, access.RowId));
            },
            cancellationToken);
        if (begun.Refusal is { } refusal) return refusal;

        var (id, newest, head) = begun.Value;
        var walk = new AuditWalk(id, head, noted);
        while (!walk.IsOver)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var rows = await _changes.ReadAsync(
                async connection => (await connection.QueryAsync<AuditRow>(
                    $"""
                    SELECT {Columns} FROM audit_log
                    WHERE organization_id = @Id AND number > @Done AND number <= @Count ORDER BY number LIMIT @Limit
                    """,
                    new { Id = id, walk.Done, head.Count, Limit = MaxPage })).AsList(),
                cancellationToken);
            walk.Over(rows);
        }

        return walk.End(newest);
    }

    /// <summary>Adds a row; what it tells of is committed with it, or neither is.</summary>
    /// <param name="change">The change that it belongs to.</param>
    /// <param name="organizationId">The organization's row.</param>
    /// <param name="actor">Who does it.</param>
    /// <param name="action">Such as <c>project.created</c>.</param>
    /// <param name="target">What it was done to, such as <c>project 7</c>.</param>
    /// <param name="detail">Facts as JSON; never a token, a key or a password.</param>
    internal static async Task AppendAsync(
        ControlWrite change, long organizationId, Actor actor, string action, string target, object? detail = null)
    {
        // A head that was taken away or set back must not stop what it is to tell of; the check finds it.
        var head = await HeadAsync(change.Connection, change.Transaction, organizationId);
        long last = await change.ScalarAsync<long>(
            "SELECT COALESCE(MAX(number), 0) FROM audit_log WHERE organization_id = @Id", new { Id = organizationId });
        var row = new AuditRow
        {
            Number = Math.Max(head.Count, last) + 1,
            At = change.Now,
            Actor = actor.Email,
            ActorVia = actor.Via,
            Ip = actor.Ip,
            Action = action,
            Target = target,
            Detail = detail is null ? "{}" : JsonSerializer.Serialize(detail, JsonSerializerOptions.Web),
        };
        string hash = HashOf(organizationId, head.Hash, row);
        await change.ExecuteAsync(
            """
            INSERT INTO audit_log (organization_id, number, at, actor, actor_via, ip, action, target, detail, hash)
            VALUES (@OrganizationId, @Number, @At, @Actor, @ActorVia, @Ip, @Action, @Target, @Detail, @Hash)
            """,
            new
            {
                OrganizationId = organizationId,
                row.Number,
                row.At,
                row.Actor,
                row.ActorVia,
                row.Ip,
                row.Action,
                row.Target,
                row.Detail,
                Hash = hash,
            });
        await change.ExecuteAsync(
            """
            INSERT INTO audit_heads (organization_id, count, hash) VALUES (@Id, @Count, @Hash)
            ON CONFLICT (organization_id) DO UPDATE SET count = excluded.count, hash = excluded.hash
            """,
            new { Id = organizationId, Count = row.Number, Hash = hash });
    }

    /// <summary>What somebody does to their own way in concerns every organization that it leads into.</summary>
    /// <param name="change">The change that it belongs to.</param>
    /// <param name="actor">Who does it.</param>
    /// <param name="action">Such as <c>key.created</c>.</param>
    /// <param name="target">What it was done to.</param>
    /// <param name="detail">Facts that each of the organizations may know.</param>
    /// <param name="keyId">A key, which may be bound to some of them; null: it concerns all.</param>
    internal static async Task AppendToAllAsync(
        ControlWrite change, Actor actor, string action, string target, object? detail = null, long keyId = 0)
    {
        var organizations = await change.RowsAsync<long>(
            """
            SELECT m.organization_id FROM memberships m
            JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
            WHERE m.user_id = @UserId AND (
                NOT EXISTS (SELECT 1 FROM key_bindings b WHERE b.key_id = @KeyId)
                OR EXISTS (
                    SELECT 1 FROM key_bindings b LEFT JOIN projects p ON p.id = b.project_id
                    WHERE b.key_id = @KeyId
                      AND (b.organization_id = m.organization_id OR p.organization_id = m.organization_id)))
            ORDER BY m.organization_id
            """,
            new { actor.UserId, KeyId = keyId });
        foreach (long id in organizations) await AppendAsync(change, id, actor, action, target, detail);
    }

    /// <summary>A token as the log may name it: enough to tell two apart, nothing to post with.</summary>
    internal static string Fingerprint(string token) =>
        Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(token)).AsSpan(0, 6));

    private static async Task<AuditHead> HeadAsync(DbConnection connection, DbTransaction? transaction, long id) =>
        await connection.QuerySingleOrDefaultAsync<AuditHead>(
            "SELECT count AS Count, hash AS Hash FROM audit_heads WHERE organization_id = @Id",
            new { Id = id },
            transaction) ?? new AuditHead();

    internal static string HashOf(long organizationId, string before, AuditRow row)
    {
        var text = new ArrayBufferWriter<byte>();
        using (var json = new Utf8JsonWriter(text))
        {
            json.WriteStartArray();
            json.WriteNumberValue(organizationId);
            json.WriteStringValue(before);
            json.WriteNumberValue(row.Number);
            json.WriteNumberValue(row.At);
            json.WriteStringValue(row.Actor);
            json.WriteStringValue(row.ActorVia);
            json.WriteStringValue(row.Ip);
            json.WriteStringValue(row.Action);
            json.WriteStringValue(row.Target);
            json.WriteStringValue(row.Detail);
            json.WriteEndArray();
        }

        return Convert.ToHexStringLower(SHA256.HashData(text.WrittenSpan));
    }
}

/// <summary>The end of a chain; count 0 and an empty hash: nothing was written yet.</summary>
public sealed class AuditHead
{
    public long Count { get; init; }

    /// <summary>Of the last row.</summary>
    public string Hash { get; init; } = "";
}

/// <summary>One thing that somebody did.</summary>
public sealed class AuditRow
{
    /// <summary>From 1 on, without a gap.</summary>
    public long Number { get; init; }

    /// <summary>Microseconds since 1970 UTC.</summary>
    public long At { get; init; }

    /// <summary>The e-mail address that they had.</summary>
    public string Actor { get; init; } = "";

    /// <summary><c>session</c>, or the mask of a personal API key.</summary>
    public string ActorVia { get; init; } = "";

    /// <summary>The client's address.</summary>
    public string Ip { get; init; } = "";

    public string Action { get; init; } = "";

    public string Target { get; init; } = "";

    /// <summary>JSON.</summary>
    public string Detail { get; init; } = "{}";

    public string Hash { get; init; } = "";
}

/// <param name="Head">The end of the chain when the page was read.</param>
/// <param name="Rows">Newest first.</param>
public sealed record AuditPage(AuditHead Head, IReadOnlyList<AuditRow> Rows);

/// <param name="Head">What was checked against.</param>
/// <param name="FirstBad">The number of the first row that is not as it was written; null: all are.</param>
/// <param name="Reason">What is wrong with it.</param>
public sealed record AuditCheck(AuditHead Head, long? FirstBad, string? Reason);
