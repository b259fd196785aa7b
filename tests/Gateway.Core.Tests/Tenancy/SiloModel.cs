using Gateway.Core.Tenancy;

namespace Gateway.Core.Tests.Tenancy;

/// <summary>
/// Who may do what, once more: written from the rules as people are told them, with sets and dictionaries, and nothing
/// of the product's but the names of its refusals. Users, organizations, projects and credentials are numbers in the
/// order in which they came.
/// </summary>
internal sealed class SiloModel(int users)
{
    public const int MostKeys = 10;

    private const int Member = 1;
    private const int Admin = 8;
    private const int Owner = 15;

    public List<Organization> Organizations { get; } = [];

    public List<Project> Projects { get; } = [];

    /// <summary>Sessions and keys, the ended ones too; the first ones are the users' sessions.</summary>
    public List<Credential> Credentials { get; } =
        [.. Enumerable.Range(0, users).Select(user => new Credential(user, isSession: true))];

    public bool CanRead(Credential by, Project project) =>
        by.IsLive && project.IsLive && LevelIn(by, project) > 0 && Opens(by, project);

    public RefusalKind? CreateOrganization(Credential by)
    {
        if (!by.IsLive) return RefusalKind.Unauthenticated;
        if (by.IsBound) return RefusalKind.Forbidden;

        var made = new Organization();
        made.Levels[by.User] = Owner;
        Organizations.Add(made);
        Projects.Add(new Project(made));
        return null;
    }

    public RefusalKind? DeleteOrganization(Credential by, Organization organization)
    {
        if (Enter(by, organization, Owner) is { } refusal) return refusal;

        organization.IsLive = false;
        organization.Levels.Clear();
        foreach (var project in Projects.Where(project => project.Of == organization)) project.IsLive = false;
        return null;
    }

    /// <summary>By an invite, of whoever is not there yet.</summary>
    public bool Join(Organization organization, int user, int level) =>
        organization.IsLive && organization.Levels.TryAdd(user, level);

    public RefusalKind? Remove(Credential by, Organization organization, int user)
    {
        if (Enter(by, organization, Member) is { } refusal) return refusal;

        int own = organization.Levels[by.User];
        if (by.User != user)
        {
            if (own < Admin) return RefusalKind.Forbidden;
            if (!organization.Levels.TryGetValue(user, out int level)) return RefusalKind.NotFound;
            if (level > own) return RefusalKind.Forbidden;
        }

        // Somebody has to stay in charge.
        bool isLast = organization.Levels.Count(member => member.Value == Owner) == 1;
        if (organization.Levels[user] == Owner && isLast) return RefusalKind.Forbidden;

        organization.Levels.Remove(user);
        foreach (var project in Projects.Where(project => project.Of == organization)) project.Said.Remove(user);
        return null;
    }

    public RefusalKind? ChangeLevel(Credential by, Organization organization, int user, int level)
    {
        if (Enter(by, organization, Admin) is { } refusal) return refusal;
        if (!organization.Levels.TryGetValue(user, out int before)) return RefusalKind.NotFound;

        int own = organization.Levels[by.User];
        if (by.User == user || before > own || level > own) return RefusalKind.Forbidden;

        organization.Levels[user] = level;
        return null;
    }

    public RefusalKind? CreateProject(Credential by, Organization organization)
    {
        if (Enter(by, organization, Admin) is { } refusal) return refusal;
        if (!HasRoom(organization)) return RefusalKind.Forbidden;

        Projects.Add(new Project(organization));
        return null;
    }

    public RefusalKind? SetDefault(Credential by, Project project, int level)
    {
        if (Enter(by, project, Admin) is { } refusal) return refusal;

        project.Default = level;
        return null;
    }

    /// <param name="by">Who says it.</param>
    /// <param name="project">In which it holds.</param>
    /// <param name="user">Of whom it is said.</param>
    /// <param name="level">0, 1 or 8; null: nothing more, so that the default holds.</param>
    public RefusalKind? Say(Credential by, Project project, int user, int? level)
    {
        if (Enter(by, project, Admin) is { } refusal) return refusal;
        if (!project.Of.Levels.TryGetValue(user, out int inOrganization)) return RefusalKind.NotFound;
        if (user == by.User || inOrganization >= Admin) return RefusalKind.Forbidden;

        if (level is null) project.Said.Remove(user);
        else project.Said[user] = level.Value;
        return null;
    }

    public RefusalKind? Move(Credential by, Project project, Organization to, bool isDryRun)
    {
        if (Enter(by, project, Member) is { } refusal) return refusal;
        if (project.Of.Levels[by.User] < Admin) return RefusalKind.Forbidden;
        if (Enter(by, to, Member) is not null || to == project.Of) return RefusalKind.Invalid;
        if (Projects.Count(other => other.IsLive && other.Of == project.Of) < 2) return RefusalKind.Invalid;
        if (!HasRoom(to)) return RefusalKind.Forbidden;
        if (isDryRun) return null;

        project.Of = to;
        foreach (int user in project.Said.Keys.ToList())
        {
            if (project.Said[user] > 0 || !to.Levels.ContainsKey(user)) project.Said.Remove(user);
        }

        return null;
    }

    public RefusalKind? DeleteProject(Credential by, Project project)
    {
        if (Enter(by, project, Member) is { } refusal) return refusal;
        if (project.Of.Levels[by.User] < Admin) return RefusalKind.Forbidden;

        project.IsLive = false;
        return null;
    }

    public RefusalKind? ResetToken(Credential by, Project project) => Enter(by, project, Admin);

    public RefusalKind? CreateKey(Credential by, Organization? organization, Project? project)
    {
        if (InOwnRight(by) is { } refusal) return refusal;
        if (Credentials.Count(key => !key.IsSession && key.IsLive && key.User == by.User) >= MostKeys)
            return RefusalKind.Forbidden;
        if (organization is not null && Enter(by, organization, Member) is not null) return RefusalKind.Invalid;
        if (project is not null && !CanRead(by, project)) return RefusalKind.Invalid;

        Credentials.Add(new Credential(by.User, isSession: false) { Organization = organization, Project = project });
        return null;
    }

    /// <summary>The old text ends, a new one opens the same.</summary>
    public RefusalKind? RollKey(Credential by, Credential key)
    {
        if (RevokeKey(by, key) is { } refusal) return refusal;

        Credentials.Add(new Credential(key.User, false) { Organization = key.Organization, Project = key.Project });
        return null;
    }

    public RefusalKind? RevokeKey(Credential by, Credential key)
    {
        if (InOwnRight(by) is { } refusal) return refusal;
        if (key.IsSession || !key.IsLive || key.User != by.User) return RefusalKind.NotFound;

        key.IsLive = false;
        return null;
    }

    private static RefusalKind? InOwnRight(Credential by)
    {
        if (!by.IsLive) return RefusalKind.Unauthenticated;
        return by.IsBound ? RefusalKind.Forbidden : null;
    }

    private static RefusalKind? Enter(Credential by, Organization organization, int least)
    {
        if (!by.IsLive) return RefusalKind.Unauthenticated;
        if (!organization.Levels.TryGetValue(by.User, out int level)) return RefusalKind.NotFound;
        if (by.IsBound && by.Organization != organization) return RefusalKind.NotFound;
        return level < least ? RefusalKind.Forbidden : null;
    }

    private RefusalKind? Enter(Credential by, Project project, int least)
    {
        if (!by.IsLive) return RefusalKind.Unauthenticated;
        if (!CanRead(by, project)) return RefusalKind.NotFound;
        return LevelIn(by, project) < least ? RefusalKind.Forbidden : null;
    }

    private static int LevelIn(Credential by, Project project)
    {
        if (!project.Of.Levels.TryGetValue(by.User, out int level)) return 0;
        if (level >= Admin) return Admin;
        return project.Said.TryGetValue(by.User, out int said) ? said : project.Default;
    }

    private static bool Opens(Credential by, Project project) =>
        !by.IsBound || by.Project == project || by.Organization == project.Of;

    private bool HasRoom(Organization organization) =>
        !organization.IsFree || !Projects.Any(project => project.IsLive && project.Of == organization);

    internal sealed class Organization
    {
        public bool IsLive { get; set; } = true;

        /// <summary>On the plan that allows one project.</summary>
        public bool IsFree { get; set; }

        public Dictionary<int, int> Levels { get; } = [];
    }

    internal sealed class Project(Organization of)
    {
        public Organization Of { get; set; } = of;

        public bool IsLive { get; set; } = true;

        public int Default { get; set; } = Member;

        public Dictionary<int, int> Said { get; } = [];
    }

    internal sealed class Credential(int user, bool isSession)
    {
        public int User { get; } = user;

        public bool IsSession { get; } = isSession;

        public bool IsLive { get; set; } = true;

        public Organization? Organization { get; init; }

        public Project? Project { get; init; }

        public bool IsBound => Organization is not null || Project is not null;
    }
}
