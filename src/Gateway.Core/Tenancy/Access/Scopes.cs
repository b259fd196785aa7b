namespace Gateway.Core.Tenancy.Access;

/// <summary>What a personal API key may be allowed to do. A session may do all that its user may.</summary>
public static class Scopes
{
    /// <summary>Everything, keys included.</summary>
    public const string All = "*";
    public const string QueryRead = "query:read";
    public const string ProjectRead = "project:read";
    public const string ProjectWrite = "project:write";
    public const string OrganizationRead = "organization:read";
    public const string OrganizationWrite = "organization:write";
    public const string UserRead = "user:read";
    public const string UserWrite = "user:write";

    /// <summary>Those that a key can be given.</summary>
    public static IReadOnlyList<string> Known { get; } =
    [
        All, QueryRead, ProjectRead, ProjectWrite, OrganizationRead, OrganizationWrite, UserRead, UserWrite,
    ];

    /// <summary>Whether a key's scopes, separated by spaces, hold the one wanted. To write is to read too.</summary>
    public static bool Hold(string scopes, string wanted)
    {
        string? writing = wanted.EndsWith(":read", StringComparison.Ordinal) ? wanted[..^4] + "write" : null;
        return scopes.Split(' ').Any(scope => scope == All || scope == wanted || scope == writing);
    }
}
