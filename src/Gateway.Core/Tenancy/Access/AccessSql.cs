namespace Gateway.Core.Tenancy.Access;

/// <summary>
/// The one place where SQL says who may enter what. Each statement begins at the key or the session, and gives one row
/// with nulls when there is somebody who may enter nothing, and none when there is nobody.
/// </summary>
internal static class AccessSql
{
    private const string KeyColumns =
        """
        c.id AS KeyId, c.scopes AS Scopes, c.mask AS Mask, c.last_used_at AS LastUsedAt,
        CASE WHEN EXISTS (SELECT 1 FROM key_bindings b WHERE b.key_id = c.id) THEN 1 ELSE 0 END AS IsBound
        """;

    private const string SessionColumns =
        "NULL AS KeyId, NULL AS Scopes, NULL AS Mask, NULL AS LastUsedAt, 0 AS IsBound";

    private const string UserColumns =
        """
        u.id AS UserId, u.uuid AS UserUuid, u.email AS Email,
        u.current_organization_id AS CurrentOrganizationId, u.current_project_id AS CurrentProjectId
        """;

    private const string OrganizationColumns =
        """
        o.id AS OrganizationRowId, o.uuid AS OrganizationUuid, o.name AS OrganizationName, o.plan AS Plan,
        o.created_at AS OrganizationCreatedAt, m.level AS MemberLevel
        """;

    private const string ProjectColumns =
        """
        p.id AS ProjectId, p.uuid AS ProjectUuid, p.name AS ProjectName, p.time_zone AS TimeZone,
        p.anonymize_ips AS AnonymizeIps, p.allowed_origins AS AllowedOrigins, p.default_level AS DefaultLevel,
        p.events_per_second AS EventsPerSecond, p.bytes_per_second AS BytesPerSecond,
        p.created_at AS ProjectCreatedAt, t.token AS Token,
        (SELECT a.level FROM project_access a WHERE a.project_id = p.id AND a.user_id = u.id) AS AccessLevel
        """;

    private const string OfKey =
        "FROM personal_api_keys c JOIN users u ON u.id = c.user_id";

    private const string OfSession =
        "FROM sessions c JOIN users u ON u.id = c.user_id";

    private const string ThisKey = "WHERE c.sha256 = @Sha256 AND c.revoked_at IS NULL";

    private const string ThisSession = "WHERE c.sha256 = @Sha256 AND c.expires_at > @Now";

    /// <summary>A member's own level, else the project's for all; organization admins pass.</summary>
    private const string MayEnter =
        """
        (m.level >= 8 OR COALESCE(
            (SELECT a.level FROM project_access a WHERE a.project_id = p.id AND a.user_id = u.id),
            p.default_level) > 0)
        """;

    /// <summary>What a session asks for is bound to nothing; a key's rows, when it has any, must name it.</summary>
    private const string KeyOpensOrganization =
        """
        (NOT EXISTS (SELECT 1 FROM key_bindings b WHERE b.key_id = c.id)
         OR EXISTS (SELECT 1 FROM key_bindings b WHERE b.key_id = c.id AND b.organization_id = o.id))
        """;

    private const string KeyOpensProject =
        """
        (NOT EXISTS (SELECT 1 FROM key_bindings b WHERE b.key_id = c.id)
         OR EXISTS (SELECT 1 FROM key_bindings b
                    WHERE b.key_id = c.id AND (b.project_id = p.id OR b.organization_id = p.organization_id)))
        """;

    public static string Who(Caller caller) => $"SELECT {Columns(caller)}, {UserColumns}";

    public static string From(Caller caller) => caller.Key is null
        ? $"{OfSession} {ThisSession}"
        : $"{OfKey} {ThisKey}";

    /// <summary>Parameters: Sha256, Now, Limit, and ProjectId or OrganizationId where asked for.</summary>
    public static string Projects(Caller caller, bool onlyOne, bool ofOrganization) =>
        $"""
        SELECT {Columns(caller)}, {UserColumns}, {OrganizationColumns}, {ProjectColumns}
        {(caller.Key is null ? OfSession : OfKey)}
        LEFT JOIN memberships m ON m.user_id = u.id
        LEFT JOIN organizations o ON o.id = m.organization_id AND o.deleted_at IS NULL
            {(ofOrganization ? "AND o.id = @OrganizationId" : "")}
        LEFT JOIN projects p ON p.organization_id = o.id AND p.deleted_at IS NULL AND {MayEnter}
            {(caller.Key is null ? "" : $"AND {KeyOpensProject}")}
            {(onlyOne ? "AND p.id = @ProjectId" : "")}
        LEFT JOIN project_tokens t ON t.project_id = p.id AND t.revoked_at IS NULL
        {(caller.Key is null ? ThisSession : ThisKey)}
        ORDER BY CASE WHEN p.id = u.current_project_id THEN 0 WHEN p.id IS NOT NULL THEN 1 ELSE 2 END, p.id
        LIMIT @Limit
        """;

    /// <summary>Parameters: Sha256, Now, Limit, and Organization (a uuid) where asked for.</summary>
    public static string Organizations(Caller caller, bool onlyOne, bool withDeleted) =>
        $"""
        SELECT {Columns(caller)}, {UserColumns}, {OrganizationColumns}
        {(caller.Key is null ? OfSession : OfKey)}
        LEFT JOIN memberships m ON m.user_id = u.id
        LEFT JOIN organizations o ON o.id = m.organization_id {(withDeleted ? "" : "AND o.deleted_at IS NULL")}
            {(caller.Key is null ? "" : $"AND {KeyOpensOrganization}")}
            {(onlyOne ? "AND o.uuid = @Organization" : "")}
        {(caller.Key is null ? ThisSession : ThisKey)}
        ORDER BY CASE WHEN o.id = u.current_organization_id THEN 0 WHEN o.id IS NOT NULL THEN 1 ELSE 2 END, o.id
        LIMIT @Limit
        """;

    private static string Columns(Caller caller) => caller.Key is null ? SessionColumns : KeyColumns;
}
