namespace Gateway.Core.Tenancy.Access;

/// <summary>A member's level in an organization; a higher one may do all that a lower one may.</summary>
public enum MemberLevel
{
    Member = 1,
    Admin = 8,
    Owner = 15,
}

/// <summary>
/// What somebody may do in one project. Admins and owners of its organization are admins of it; a member is what the
/// project says of them, else what it says of all.
/// </summary>
public enum ProjectLevel
{
    /// <summary>As if the project did not exist.</summary>
    None = 0,

    /// <summary>Sees it and queries its events.</summary>
    Member = 1,

    /// <summary>Changes its settings, its token and who may enter.</summary>
    Admin = 8,
}
