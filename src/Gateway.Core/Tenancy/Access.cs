namespace Gateway.Core.Tenancy;

/// <summary>What a caller may do with what was asked for.</summary>
public enum AccessStatus : byte
{
    Granted,

    /// <summary>No key, or one that is not known: 401.</summary>
    Unauthenticated,

    /// <summary>A key without the scope, or an owner of it without the level: 403.</summary>
    Forbidden,

    /// <summary>No such project, or somebody else's; nobody learns which: 404.</summary>
    NotFound,
}

/// <summary>A member's level in an organization; a higher one may do all that a lower one may.</summary>
public enum MemberLevel
{
    Member = 1,
    Admin = 8,
    Owner = 15,
}

/// <summary>What a personal API key may be allowed to do.</summary>
public static class Scopes
{
    public const string All = "*";
    public const string QueryRead = "query:read";
    public const string ProjectRead = "project:read";
    public const string ProjectWrite = "project:write";

    /// <summary>Whether a key's scopes, separated by spaces, hold the one wanted. To write is to read too.</summary>
    public static bool Hold(string scopes, string wanted)
    {
        string? writing = wanted.EndsWith(":read", StringComparison.Ordinal) ? wanted[..^4] + "write" : null;
        return scopes.Split(' ').Any(scope => scope == All || scope == wanted || scope == writing);
    }
}

/// <summary>
/// A project that the caller may enter, as it was when the request came in. Not a record: its text would show the
/// token.
/// </summary>
public sealed class ProjectAccess
{
    public required ulong ProjectId { get; init; }

    public required Guid Uuid { get; init; }

    /// <summary>The organization's uuid.</summary>
    public required Guid OrganizationId { get; init; }

    public required string Name { get; init; }

    /// <summary>An IANA name; days and weeks of queries begin by it.</summary>
    public required string TimeZone { get; init; }

    public required bool AnonymizeIps { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    /// <summary>The live project token; null when there is none.</summary>
    public required string? ApiToken { get; init; }

    /// <summary>The caller's level in the project's organization.</summary>
    public required MemberLevel Level { get; init; }
}

/// <param name="Status">Whether the caller may.</param>
/// <param name="Project">Set when granted.</param>
/// <param name="Detail">A sentence for the caller when not granted.</param>
public readonly record struct AccessResult(AccessStatus Status, ProjectAccess? Project, string Detail)
{
    internal static AccessResult Granted(ProjectAccess project) => new(AccessStatus.Granted, project, "");

    internal static AccessResult Unauthenticated(string detail) => new(AccessStatus.Unauthenticated, null, detail);

    internal static AccessResult Forbidden(string detail) => new(AccessStatus.Forbidden, null, detail);

    internal static AccessResult NotFound() => new(AccessStatus.NotFound, null, "There is no such project.");
}

/// <param name="Access">Whether the caller may; the rest is set when granted.</param>
/// <param name="Projects">The caller's, by id.</param>
public readonly record struct ProjectList(AccessResult Access, IReadOnlyList<ProjectAccess> Projects);

/// <param name="Access">Whether the caller may; when granted, the project has the new token.</param>
/// <param name="RevokedAt">When the old token ended.</param>
/// <param name="Epoch">The epoch of the change, which the fence shows from now on.</param>
public readonly record struct TokenReset(AccessResult Access, DateTimeOffset RevokedAt, long Epoch);
