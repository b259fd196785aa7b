using System.Data.Common;
using System.Globalization;
using System.Text;
using Dapper;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy;

/// <summary>
/// Who may enter: read from the database for each request, in one statement. The scope is judged before the project
/// is looked at, so no answer tells whether somebody else's project exists.
/// </summary>
internal sealed class AccessQueries(TokenFormat format, Func<string, bool> isProjectToken)
{
    private const int MaxKeyLength = 128;
    private const string Current = "@current";

    private const string KeyAndProjects =
        """
        SELECT k.id AS KeyId, k.scopes AS Scopes, k.last_used_at AS LastUsedAt, m.level AS Level,
               p.id AS ProjectId, p.uuid AS Uuid, o.uuid AS Organization, p.name AS Name,
               p.time_zone AS TimeZone, p.anonymize_ips AS AnonymizeIps, p.created_at AS CreatedAt, t.token AS Token
        FROM personal_api_keys k
        LEFT JOIN memberships m ON m.user_id = k.user_id
        LEFT JOIN organizations o ON o.id = m.organization_id
        LEFT JOIN projects p ON p.organization_id = o.id AND p.deleted_at IS NULL
        """;

    private const string OnlyOneProject = " AND p.id = @ProjectId";

    private const string OfThisKey =
        """

        LEFT JOIN project_tokens t ON t.project_id = p.id AND t.revoked_at IS NULL
        WHERE k.sha256 = @Sha256 AND k.revoked_at IS NULL
        ORDER BY CASE WHEN p.id IS NULL THEN 1 ELSE 0 END, p.id
        LIMIT @Limit
        """;

    /// <summary>Why a key cannot be anyone's, judged without the database; null when it may be one.</summary>
    public AccessResult? Refuse(string? key)
    {
        if (string.IsNullOrEmpty(key))
            return AccessResult.Unauthenticated("Give a personal API key: Authorization: Bearer phx_….");

        if (!key.StartsWith(TokenFormat.PersonalPrefix, StringComparison.Ordinal))
        {
            return AccessResult.Unauthenticated(
                key.StartsWith(TokenFormat.ProjectPrefix, StringComparison.Ordinal) || isProjectToken(key)
                    ? "A project token can only send events. Reading needs a personal API key (phx_…)."
                    : "The personal API key is not valid.");
        }

        return key.Length > MaxKeyLength || !Ascii.IsValid(key) || IsMistyped(key) ? UnknownKey() : null;
    }

    /// <summary>One project, by its id or <c>@current</c>, for a key that <see cref="Refuse"/> let pass.</summary>
    public async Task<(AccessResult Result, KeyUse? Use)> AuthorizeAsync(
        DbConnection connection, DbTransaction? transaction, string key, string idOrCurrent, string scope)
    {
        // A text that is no id is looked for as 0, which no project has: its answers are those of any unknown id.
        long? id = idOrCurrent == Current ? null : ParseId(idOrCurrent);
        var (refusal, rows) = await ReadAsync(connection, transaction, key, id, scope, limit: 1);
        if (refusal is not null) return (refusal.Value, null);

        var result = rows[0].ProjectId is null ? AccessResult.NotFound() : AccessResult.Granted(rows[0].ToProject());
        return (result, rows[0].ToUse());
    }

    /// <summary>All projects that the key's owner may enter.</summary>
    public async Task<(ProjectList List, KeyUse? Use)> ListAsync(
        DbConnection connection, string key, string scope, int limit)
    {
        var (refusal, rows) = await ReadAsync(connection, null, key, null, scope, limit);
        if (refusal is not null) return (new ProjectList(refusal.Value, []), null);

        var projects = rows.Where(row => row.ProjectId is not null).Select(row => row.ToProject()).ToList();
        return (new ProjectList(new AccessResult(AccessStatus.Granted, null, ""), projects), rows[0].ToUse());
    }

    private static async Task<(AccessResult? Refusal, List<Row> Rows)> ReadAsync(
        DbConnection connection, DbTransaction? transaction, string key, long? projectId, string scope, int limit)
    {
        var parameters = new { Sha256 = TokenFormat.Sha256Of(key), ProjectId = projectId, Limit = limit };
        string sql = KeyAndProjects + (projectId is null ? "" : OnlyOneProject) + OfThisKey;
        var rows = (await connection.QueryAsync<Row>(sql, parameters, transaction)).AsList();
        if (rows.Count == 0) return (UnknownKey(), rows);

        return Scopes.Hold(rows[0].Scopes, scope)
            ? (null, rows)
            : (AccessResult.Forbidden($"The personal API key lacks the scope {scope}."), rows);
    }

    private static AccessResult UnknownKey() => AccessResult.Unauthenticated("The personal API key is not valid.");

    private static long ParseId(string text) =>
        long.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out long id) ? id : 0;

    private bool IsMistyped(string key)
    {
        Span<byte> text = stackalloc byte[MaxKeyLength];
        text = text[..Encoding.ASCII.GetBytes(key, text)];
        return TokenFormat.IsPersonalKey(text) && !format.HasOurMac(text);
    }

    private sealed class Row
    {
        public long KeyId { get; init; }

        public string Scopes { get; init; } = "";

        public long? LastUsedAt { get; init; }

        public long? ProjectId { get; init; }

        public string Uuid { get; init; } = "";

        public string Organization { get; init; } = "";

        public string Name { get; init; } = "";

        public string TimeZone { get; init; } = "";

        public long AnonymizeIps { get; init; }

        public long CreatedAt { get; init; }

        public long Level { get; init; }

        public string? Token { get; init; }

        public KeyUse ToUse() => new(KeyId, LastUsedAt);

        public ProjectAccess ToProject() => new()
        {
            ProjectId = (ulong)ProjectId!.Value,
            Uuid = Guid.Parse(Uuid),
            OrganizationId = Guid.Parse(Organization),
            Name = Name,
            TimeZone = TimeZone,
            AnonymizeIps = AnonymizeIps == 1,
            CreatedAt = UnixTime.FromUnixMicroseconds(CreatedAt),
            ApiToken = Token,
            Level = (MemberLevel)Level,
        };
    }
}

/// <summary>A key that opened something, and when it was last written down that it did.</summary>
internal readonly record struct KeyUse(long KeyId, long? LastUsedAt);
