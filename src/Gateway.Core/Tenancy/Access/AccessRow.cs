using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Access;

/// <summary>One row of <see cref="AccessSql"/>, as Dapper fills it.</summary>
internal sealed class AccessRow
{
    public long? KeyId { get; init; }

    /// <summary>Null for a session.</summary>
    public string? Scopes { get; init; }

    public string? Mask { get; init; }

    public long? LastUsedAt { get; init; }

    public long IsBound { get; init; }

    public long UserId { get; init; }

    public string UserUuid { get; init; } = "";

    public string Email { get; init; } = "";

    public long? CurrentOrganizationId { get; init; }

    public long? CurrentProjectId { get; init; }

    public long? OrganizationRowId { get; init; }

    public string OrganizationUuid { get; init; } = "";

    public string OrganizationName { get; init; } = "";

    public string Plan { get; init; } = "";

    public long OrganizationCreatedAt { get; init; }

    public long MemberLevel { get; init; }

    public long? ProjectId { get; init; }

    public string ProjectUuid { get; init; } = "";

    public string ProjectName { get; init; } = "";

    public string TimeZone { get; init; } = "";

    public long AnonymizeIps { get; init; }

    public string AllowedOrigins { get; init; } = "";

    public long DefaultLevel { get; init; }

    public long EventsPerSecond { get; init; }

    public long BytesPerSecond { get; init; }

    public long ProjectCreatedAt { get; init; }

    public long? AccessLevel { get; init; }

    public string? Token { get; init; }

    public Actor ToActor(Caller caller) => new()
    {
        UserId = UserId,
        UserUuid = Guid.Parse(UserUuid),
        Email = Email,
        Via = Mask ?? "session",
        Ip = caller.Ip,
        IsBound = IsBound == 1,
        IsUnlimited = Scopes is null || (IsBound == 0 && Access.Scopes.Hold(Scopes, Access.Scopes.All)),
        Use = KeyId is { } id ? new KeyUse(id, LastUsedAt) : null,
    };

    public ProjectAccess ToProject(Actor actor) => new()
    {
        Actor = actor,
        ProjectId = (ulong)ProjectId!.Value,
        Uuid = Guid.Parse(ProjectUuid),
        OrganizationRowId = OrganizationRowId!.Value,
        OrganizationId = Guid.Parse(OrganizationUuid),
        Name = ProjectName,
        TimeZone = TimeZone,
        AnonymizeIps = AnonymizeIps == 1,
        AllowedOrigins = AllowedOrigins.Split(' ', StringSplitOptions.RemoveEmptyEntries),
        DefaultLevel = (ProjectLevel)DefaultLevel,
        Quota = new ProjectQuota(EventsPerSecond, BytesPerSecond),
        CreatedAt = UnixTime.FromUnixMicroseconds(ProjectCreatedAt),
        ApiToken = Token,
        MemberLevel = (MemberLevel)MemberLevel,
        Level = MemberLevel >= (long)Access.MemberLevel.Admin
            ? ProjectLevel.Admin
            : (ProjectLevel)(AccessLevel ?? DefaultLevel),
    };

    public OrganizationAccess ToOrganization(Actor actor) => new()
    {
        Actor = actor,
        RowId = OrganizationRowId!.Value,
        Id = Guid.Parse(OrganizationUuid),
        Name = OrganizationName,
        Plan = Plan,
        CreatedAt = UnixTime.FromUnixMicroseconds(OrganizationCreatedAt),
        Level = (MemberLevel)MemberLevel,
    };
}
