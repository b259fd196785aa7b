namespace Gateway.Core.Tenancy.Access;

/// <summary>
/// Judges to hand to <see cref="ControlChanges"/>: what must a caller be, to do something with a project or an
/// organization?
/// </summary>
internal sealed class Gatekeeper(AccessQueries access)
{
    /// <summary>Anybody who is somebody.</summary>
    public Judge<Actor> User(Caller caller, string scope) =>
        (connection, transaction) => access.WhoAsync(connection, transaction, caller, scope);

    /// <summary>
    /// Somebody in their own right: a session, or a key that holds every scope and is bound to nothing. No lesser key
    /// can make a better one.
    /// </summary>
    public Judge<Actor> Unlimited(Caller caller) => async (connection, transaction) =>
    {
        var actor = await access.WhoAsync(connection, transaction, caller, Scopes.All);
        return actor.Refusal is null && !actor.Value.IsUnlimited
            ? Refusal.Forbidden("This needs a session, or a personal API key that is bound to nothing.")
            : actor;
    };

    /// <summary>
    /// For what cannot be undone: not by <c>@current</c>, which may be another one when the request is sent again.
    /// </summary>
    public Judge<T> ByItsOwnId<T>(string id, Judge<T> judge) => async (connection, transaction) =>
    {
        var judged = await judge(connection, transaction);
        return judged.Refusal is null && id == AccessQueries.Current
            ? Refusal.Invalid("id", "Name it by its own id: what is deleted or moved must not hang on what is current.")
            : judged;
    };

    public Judge<OrganizationAccess> Organization(
        Caller caller, string idOrCurrent, string scope, MemberLevel least = MemberLevel.Member) =>
        async (connection, transaction) =>
        {
            var organization = await access.OrganizationAsync(connection, transaction, caller, idOrCurrent, scope);
            return organization.Refusal is null && organization.Value.Level < least ? TooLow(least) : organization;
        };

    /// <summary>For its admins, also when it is deleted: what is left of it to be read.</summary>
    public Judge<OrganizationAccess> LateOrganization(Caller caller, string idOrCurrent, string scope) =>
        async (connection, transaction) =>
        {
            var organization = await access.OrganizationAsync(
                connection, transaction, caller, idOrCurrent, scope, withDeleted: true);
            return organization.Refusal is null && organization.Value.Level < MemberLevel.Admin
                ? TooLow(MemberLevel.Admin)
                : organization;
        };

    public Judge<ProjectAccess> Project(
        Caller caller, string idOrCurrent, string scope, ProjectLevel least = ProjectLevel.Member) =>
        async (connection, transaction) =>
        {
            var project = await access.ProjectAsync(connection, transaction, caller, idOrCurrent, scope);
            return project.Refusal is null && project.Value.Level < least
                ? Refusal.Forbidden("Only an admin of the project may do this.")
                : project;
        };

    /// <summary>A project, for what concerns its organization too.</summary>
    public Judge<ProjectAccess> ProjectOfAdmin(Caller caller, string idOrCurrent, string scope) =>
        async (connection, transaction) =>
        {
            var project = await access.ProjectAsync(connection, transaction, caller, idOrCurrent, scope);
            return project.Refusal is null && project.Value.MemberLevel < MemberLevel.Admin
                ? TooLow(MemberLevel.Admin)
                : project;
        };

    private static Refusal TooLow(MemberLevel least) => Refusal.Forbidden(least == MemberLevel.Owner
        ? "Only an owner of the organization may do this."
        : "Only an admin or owner of the organization may do this.");
}
