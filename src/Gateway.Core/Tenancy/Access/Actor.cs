using System.Diagnostics.CodeAnalysis;
using Gateway.Core.Tokens;

namespace Gateway.Core.Tenancy.Access;

/// <summary>What a judge found: somebody, and perhaps what they may enter.</summary>
internal interface IJudged
{
    /// <summary>Who it is.</summary>
    Actor Actor { get; }
}

/// <summary>Somebody who was found in the database: the user behind a key or a session.</summary>
public sealed record Actor : IJudged
{
    Actor IJudged.Actor => this;

    public required long UserId { get; init; }

    public required Guid UserUuid { get; init; }

    public required string Email { get; init; }

    /// <summary><c>session</c>, or the key's mask: by what they came in, for the audit log.</summary>
    public required string Via { get; init; }

    /// <summary>The client's address; empty when not known.</summary>
    public required string Ip { get; init; }

    /// <summary>True when a key of theirs asks that is bound to organizations or projects.</summary>
    public required bool IsBound { get; init; }

    /// <summary>Whether the key holds every scope and is bound to nothing; true for a session.</summary>
    public required bool IsUnlimited { get; init; }

    /// <summary>The key that was used, and when that was last written down; null for a session.</summary>
    internal KeyUse? Use { get; init; }
}

/// <summary>A key that opened something, and when it was last written down that it did.</summary>
internal readonly record struct KeyUse(long KeyId, long? LastUsedAt);

/// <summary>
/// A project that the caller may enter, as it was when the request came in. Not a record: its text would show the
/// token.
/// </summary>
public sealed class ProjectAccess : IJudged
{
    public ProjectAccess()
    {
    }

    [SetsRequiredMembers]
    private ProjectAccess(ProjectAccess from, OrganizationAccess to)
    {
        (Actor, ProjectId, Uuid, Name, TimeZone) = (from.Actor, from.ProjectId, from.Uuid, from.Name, from.TimeZone);
        (AnonymizeIps, AllowedOrigins, DefaultLevel) = (from.AnonymizeIps, from.AllowedOrigins, from.DefaultLevel);
        (Quota, CreatedAt, ApiToken) = (from.Quota, from.CreatedAt, from.ApiToken);
        (OrganizationRowId, OrganizationId, MemberLevel) = (to.RowId, to.Id, to.Level);
        Level = to.Level >= MemberLevel.Admin ? ProjectLevel.Admin : from.DefaultLevel;
    }

    public required Actor Actor { get; init; }

    public required ulong ProjectId { get; init; }

    public required Guid Uuid { get; init; }

    /// <summary>The row of its organization.</summary>
    internal long OrganizationRowId { get; init; }

    /// <summary>The organization's uuid.</summary>
    public required Guid OrganizationId { get; init; }

    public required string Name { get; init; }

    /// <summary>An IANA name; days and weeks of queries begin by it.</summary>
    public required string TimeZone { get; init; }

    /// <summary>No address of a client is kept, also none that the client itself sends.</summary>
    public required bool AnonymizeIps { get; init; }

    /// <summary>Origins whose pages may send events; none: all may.</summary>
    public required IReadOnlyList<string> AllowedOrigins { get; init; }

    /// <summary>What members are in it of whom it says nothing.</summary>
    public required ProjectLevel DefaultLevel { get; init; }

    /// <summary>What it may send at each gateway.</summary>
    public required ProjectQuota Quota { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The live project token.</summary>
    public required string? ApiToken { get; init; }

    /// <summary>The caller's level in the project's organization.</summary>
    public required MemberLevel MemberLevel { get; init; }

    /// <summary>The caller's level in the project; never none.</summary>
    public required ProjectLevel Level { get; init; }

    /// <summary>The same project in another organization, which has given nobody a level of their own in it.</summary>
    internal ProjectAccess MovedTo(OrganizationAccess organization) => new(this, organization);
}

/// <summary>An organization that the caller is a member of, as it was when the request came in.</summary>
public sealed record OrganizationAccess : IJudged
{
    public required Actor Actor { get; init; }

    internal long RowId { get; init; }

    public required Guid Id { get; init; }

    public required string Name { get; init; }

    public required string Plan { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The caller's level in it.</summary>
    public required MemberLevel Level { get; init; }
}
