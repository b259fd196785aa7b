using Gateway.Core.Tenancy.Access;

namespace Gateway.Core.Tenancy;

/// <summary>Somebody as they see themselves, and what they, or the key that they ask with, may enter.</summary>
public sealed record UserProfile
{
    public required Actor Actor { get; init; }

    public required string FirstName { get; init; }

    public required string LastName { get; init; }

    public required bool HasPassword { get; init; }

    public required DateTimeOffset CreatedAt { get; init; }

    public required DateTimeOffset? LastLoginAt { get; init; }

    /// <summary>What <c>@current</c> means for them; null: there is none that they may enter.</summary>
    public required UserOrganization? Organization { get; init; }

    /// <summary>What <c>@current</c> means for them; null: there is none that they may enter.</summary>
    public required UserProject? Project { get; init; }

    /// <summary>Oldest first.</summary>
    public required IReadOnlyList<UserOrganization> Organizations { get; init; }
}

/// <param name="Id">Its uuid.</param>
/// <param name="Name">As its owner called it.</param>
/// <param name="Level">The user's.</param>
/// <param name="Projects">Those that the user may enter, by their ids.</param>
public sealed record UserOrganization(
    Guid Id, string Name, MemberLevel Level, IReadOnlyList<UserProject> Projects);

/// <param name="Id">Its number.</param>
/// <param name="Uuid">Its uuid.</param>
/// <param name="Organization">The uuid of its organization.</param>
/// <param name="Name">As its people call it.</param>
/// <param name="TimeZone">An IANA name.</param>
public sealed record UserProject(ulong Id, Guid Uuid, Guid Organization, string Name, string TimeZone);

/// <summary>What somebody wants changed about themselves; null: left as it is.</summary>
public sealed record UserUpdate
{
    public string? FirstName { get; init; }

    public string? LastName { get; init; }

    /// <summary>What <c>@current</c> is to mean, also for projects: its first one.</summary>
    public Guid? CurrentOrganization { get; init; }

    /// <summary>What <c>@current</c> is to mean, also for organizations: the one that it belongs to.</summary>
    public long? CurrentProject { get; init; }

    public PasswordChange? Password { get; init; }
}

/// <summary>A new password for who knew the old one. Not a record: its text would show the hashes.</summary>
/// <param name="verified">What the old one was checked against.</param>
/// <param name="newHash">Of the new one.</param>
public sealed class PasswordChange(Credentials verified, string newHash)
{
    internal Credentials Verified => verified;

    internal string NewHash => newHash;
}

/// <summary>What a password is checked against. Not a record: its text would show the hash.</summary>
public sealed class Credentials
{
    internal long UserId { get; init; }

    /// <summary>As whoever hashes passwords made it.</summary>
    public string Hash { get; init; } = "";
}

/// <summary>Somebody who is about to exist. Not a record: its text would show the hash.</summary>
public sealed class NewUser
{
    public required string FirstName { get; init; }

    public string LastName { get; init; } = "";

    public required string PasswordHash { get; init; }
}
